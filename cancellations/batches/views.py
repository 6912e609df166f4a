"""Pages of bulks: the list, a new one, one with its plan and its progress, and its files."""

import uuid
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh, trigger_client_event

from cancellations.access import allowed
from cancellations.batches import file_reading, handing_in
from cancellations.batches.forms import MOST_SELECTED, BulkForm
from cancellations.batches.given import MOST_BYTES, MOST_LINES
from cancellations.batches.models import Batch
from cancellations.batches.page import page_of, state_of
from cancellations.batches.result import lines
from cancellations.batches.selecting import select
from cancellations.batches.sight import batches_of, rows_of
from cancellations.batches.states import BatchState
from cancellations.downloads import download
from cancellations.orders.models import Order
from cancellations.pages import Keyset, capped_count, render_page, see_other, wants_fragment
from cancellations.people.signed_in import person_of
from cancellations.shops.scope import visible_to
from cancellations.templatetags.desk import grouped

_PER_PAGE = 25


def batches(request: HttpRequest) -> QuerySet[Batch]:
    """Return the batches this person may see."""
    return batches_of(person_of(request))


@require_GET
@allowed("request")
def index(request: HttpRequest) -> HttpResponseBase:
    """All bulks one may see, newest first."""
    found = batches(request)
    page = Keyset("requested_at", size=_PER_PAGE).page(found, request.GET.get("at", ""))
    context = {"page": page, "count": capped_count(found)}
    return render_page(request, "batches/list.html", "batches/_rows.html", context)


@require_http_methods(["GET", "POST"])
@allowed("request")
def new(request: HttpRequest) -> HttpResponseBase:
    """Paste ids, choose a file, or go on with what was selected; a worker makes the plan."""
    form = BulkForm(request.POST, request.FILES) if request.method == "POST" else BulkForm()
    if form.is_valid():
        given = form.cleaned_data
        try:
            batch = handing_in.hand_in(
                by=person_of(request),
                reason=form.reasons[given["reason"]],
                note=given["note"].replace("\x00", "").strip(),
                submission=given["submission"],
                text=given["text"],
                upload=given["file"],
                orders=form.selected,
            )
        except PermissionError:
            posted = request.POST.copy()
            posted["submission"] = str(uuid.uuid4())
            form = BulkForm(posted, request.FILES)
            form.add_error(None, _("This form was sent by somebody else already. Send it again."))
        else:
            return see_other(reverse("batches:batch", args=[batch.pk]), request)
    return _new(request, form, status=422 if form.is_bound else 200)


@require_POST
@allowed("request")
def selection(request: HttpRequest) -> HttpResponseBase:
    """Freeze what was selected in the list of orders, and ask for the reason."""
    chosen = select(person_of(request), request.POST)
    if not chosen.ids:
        messages.warning(request, _("Nothing was selected. Tick orders, or select all that match."))
        return see_other(chosen.back, request)
    if chosen.capped:
        most = grouped(MOST_SELECTED)
        text = _("More orders match than fit into one bulk: these are the newest %(most)s.") % {"most": most}
        messages.warning(request, text)
    form = BulkForm(initial={"selection": ",".join(map(str, chosen.ids))})
    return _new(request, form)


def _new(request: HttpRequest, form: BulkForm, status: int = 200) -> HttpResponse:
    ids = form.selected
    known = visible_to(person_of(request), Order.objects.select_related("shop")).filter(pk__in=ids[:5])
    context: dict[str, Any] = {
        "form": form,
        "selected": len(ids),
        "some": known if ids else [],
        "most_bytes": MOST_BYTES,
        "most_lines": grouped(MOST_LINES),
    }
    return render_page(request, "batches/new.html", "batches/_new.html", context, status=status)


@require_GET
@allowed("request")
def template(request: HttpRequest) -> HttpResponse:
    """An empty file to fill in."""
    return HttpResponse(
        file_reading.template(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="bulk.csv"'},
    )


@require_GET
@allowed("request")
def batch(request: HttpRequest, pk: int) -> HttpResponseBase:
    """One bulk: its plan, or how far it is; and its rows."""
    found = get_object_or_404(batches(request), pk=pk)
    context = page_of(found, person_of(request), request.GET.get("show", ""), request.GET.get("at", ""))
    return render_page(request, "batches/batch.html", "batches/_lines.html", context)


@require_GET
@allowed("request")
def progress(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Where it stands, polled while it moves: 204 when that is shown already; in another state, the page anew."""
    found = get_object_or_404(batches(request).select_related(None), pk=pk)
    shown = request.GET.get("moment", "")
    if wants_fragment(request) and shown and shown.partition(" ")[0] != found.state:
        return HttpResponseClientRefresh()
    context = state_of(found, person_of(request))
    if shown == context["moment"]:
        return HttpResponse(status=204)
    answer = render_page(request, "batches/_progress.html", "batches/_progress.html", context | {"polled": True})
    return trigger_client_event(answer, "bulk-moved")  # the rows on the page ask for themselves


@require_GET
@allowed("request")
def result(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Every row with what became of it, as a file."""
    found = get_object_or_404(batches(request).exclude(state=BatchState.PLANNING), pk=pk)
    return download(lines(found, rows_of(found, person_of(request))), f"bulk-{found.pk}.csv")
