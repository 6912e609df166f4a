"""The audit log: who did what, whether the record is whole, and the record as a file."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cancellations import ring
from cancellations.access import allowed, may
from cancellations.audit import checking, tasks
from cancellations.audit.exporting import FORMATS, export
from cancellations.audit.searching import Eyes, Filters, search
from cancellations.downloads import download
from cancellations.pages import Count, Keyset, capped_count, render_page, see_other, wants_fragment
from cancellations.people.signed_in import person_of
from cancellations.review.forms import FilterForm
from cancellations.review.lines import line
from cancellations.shops.models import Shop
from cancellations.shops.scope import shops_of

PER_PAGE = 50
MOST_LOOKS = 90
STALE_SECONDS = 3600


@require_GET
@allowed("audit")
def index(request: HttpRequest) -> HttpResponseBase:
    """The list; the whole state is in the address."""
    shops = tuple(shops_of(request.user))
    form = FilterForm(request.GET, shops)
    sound = form.is_valid()
    filters = form.filters() if sound else Filters()
    found = search(_eyes(request, shops), filters)
    page = Keyset("at", size=PER_PAGE).page(found, request.GET.get("at", ""))
    context = {
        "form": form,
        "chips": [(chip, _address(request, chip.name, "at")) for chip in form.chips()],
        "order_filter": filters.order,
        "page": page,
        "lines": [line(event, request.user) for event in page.rows],
        "count": capped_count(found),
        "may_export": may(request.user, "export"),
        "query": _address(request, "at").partition("?")[2],
        "shapes": list(FORMATS),
        **_record(),
    }
    return render_page(request, "audit/list.html", "audit/_rows.html", context, status=200 if sound else 422)


@require_GET
@allowed("audit")
def record(request: HttpRequest) -> HttpResponse:
    """Whether the record is whole, as a fragment; polled while a check somebody asked for is under way."""
    return render_page(request, "audit/record.html", "audit/_record.html", _record(request))


@require_POST
@allowed("audit")
def check(request: HttpRequest) -> HttpResponse:
    """Have a worker look now whether the record is whole."""
    ring.ring(tasks.verify_chain, True)
    last = checking.newest()
    if wants_fragment(request):
        context = _record() | {"poll": f"?after={last.pk if last else 0}&look=1"}
        return render_page(request, "audit/record.html", "audit/_record.html", context)
    messages.info(request, _("A worker walks the whole record now. Load this page again in a moment."))
    return see_other(reverse("audit:list"))


@require_POST
@allowed("export")
def export_file(request: HttpRequest, shape: str) -> HttpResponseBase:
    """The events that are asked for, as a file; an event itself."""
    if shape not in FORMATS:
        raise Http404
    shops = tuple(shops_of(request.user))
    form = FilterForm(request.GET, shops)
    if not form.is_valid():
        return see_other(f"{reverse('audit:list')}?{request.GET.urlencode()}")
    filters = form.filters()
    found = search(_eyes(request, shops), filters)
    lines = export(shape, found, by=request.user, filters=filters, shop=form.chosen_shop)
    name = f"audit-{timezone.localtime():%Y-%m-%d-%H%M}.{shape}"
    return download(lines, name, FORMATS[shape])


def _eyes(request: HttpRequest, shops: tuple[Shop, ...]) -> Eyes:
    person = person_of(request)
    return Eyes() if person.every_shop else Eyes(tuple(shop.pk for shop in shops), person.pk)


def _record(request: HttpRequest | None = None) -> dict[str, Any]:
    """Return what the head of the page shows; while a check is awaited also where to ask again."""
    last = checking.newest()
    context: dict[str, Any] = {"verification": last, "faults": checking.faults_of(last) if last else []}
    context["events"] = Count(last.events) if last else None
    context["stale"] = last is not None and (timezone.now() - last.at).total_seconds() > STALE_SECONDS
    if request is None:
        return context
    after, look = (_number(request.GET.get(name, "")) for name in ("after", "look"))
    if (last.pk if last else 0) <= after and 0 < look < MOST_LOOKS:
        context["poll"] = f"?after={after}&look={look + 1}"
    context["came"] = not context.get("poll")
    return context


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 16 else 0


def _address(request: HttpRequest, *without: str) -> str:
    """Return the page's address, without the filters that are not set and those named."""
    query = request.GET.copy()
    for name in [name for name, value in query.items() if not value or name in without]:
        del query[name]
    return f"{request.path}?{query.urlencode()}" if query else request.path
