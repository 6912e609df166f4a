"""The list of cancellations, and one cancellation."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET, require_POST

from cancellations.access import allowed, may
from cancellations.downloads import download
from cancellations.pages import Keyset, capped_count, render_page, see_other
from cancellations.people.signed_in import person_of
from cancellations.requests import decisions
from cancellations.requests.exporting import export
from cancellations.requests.finding import filtered, in_tab
from cancellations.requests.forms import TABS, FilterForm
from cancellations.requests.models import CancellationRequest
from cancellations.requests.pictures import TYPES, Picture
from cancellations.requests.progress import deadline, is_theirs, moment, next_look, owner, steps
from cancellations.requests.states import FINAL, UNSENT, State
from cancellations.requests.timeline import timeline
from cancellations.requests.wording import headline
from cancellations.shops.connection import capabilities_of, card_of
from cancellations.shops.scope import shops_of, visible_to

_PER_PAGE = 50
_SHOWN = ("shop", "shop__health", "requested_by", "reason", "approved_by", "order")


def cancellations_of(request: HttpRequest) -> QuerySet[CancellationRequest]:
    """Return what this person may see, with what the pages show of it."""
    return visible_to(person_of(request), CancellationRequest.objects.select_related(*_SHOWN))


@require_GET
@allowed("search")
def index(request: HttpRequest) -> HttpResponseBase:
    """Cancellations of one's shops, by what they need."""
    tab, form, found = _asked_for(request)
    context = {
        "form": form,
        "tab": tab,
        "tabs": [(key, label) for key, label in TABS.items()],
        "page": Keyset("requested_at", size=_PER_PAGE).page(found, request.GET.get("at", "")),
        "count": capped_count(found),
        "filtered": form.is_valid() and any(form.cleaned_data.values()),
        "may_export": may(request.user, "export"),
    }
    return render_page(request, "requests/list.html", "requests/_rows.html", context)


def _asked_for(request: HttpRequest) -> tuple[str, FilterForm, QuerySet[CancellationRequest]]:
    """Return the tab, the filters and what they leave."""
    tab = request.GET.get("tab", "all")
    tab = tab if tab in TABS else "all"
    form = FilterForm(shops_of(person_of(request)), request.GET)
    found = in_tab(tab, person_of(request), cancellations_of(request))
    return tab, form, filtered(found, form.cleaned_data) if form.is_valid() else found


@require_POST
@allowed("export")
def export_file(request: HttpRequest) -> HttpResponseBase:
    """The cancellations that are asked for, as a file; an event itself."""
    tab, form, found = _asked_for(request)
    if not form.is_valid():
        return see_other(f"{reverse('requests:list')}?{request.GET.urlencode()}")
    filters = {"tab": tab, **{name: request.GET[name] for name in form.cleaned_data if request.GET.get(name)}}
    lines = export(found, by=request.user, filters=filters, shop=form.cleaned_data["shop"])
    return download(lines, f"cancellations-{timezone.localtime():%Y-%m-%d-%H%M}.csv")


def context_of(request: HttpRequest, cancellation: CancellationRequest) -> dict[str, Any]:
    """Return what the page of one cancellation shows, and what may be done there."""
    person, state = person_of(request), State(cancellation.state)
    mine = cancellation.requested_by_id == person.pk
    second = not mine
    said = headline(cancellation)
    return {
        "cancellation": cancellation,
        "shop": cancellation.shop,
        "card": card_of(cancellation.shop),
        "headline": said,
        "theirs": is_theirs(cancellation),
        "seen_at": parse_datetime(cancellation.snapshot.get("seen_at", "")),
        "steps": steps(cancellation),
        "moment": moment(cancellation, said),
        "look_again": next_look(cancellation),
        "next_try": cancellation.due_at if cancellation.due_at and cancellation.due_at > timezone.now() else None,
        "owner": owner(cancellation),
        "deadline": deadline(cancellation),
        "final": cancellation.state in (*FINAL, State.FAILED),
        "can": {
            "withdraw": may(person, "withdraw") and state in UNSENT,
            "approve": may(person, "approve") and state == State.PENDING_APPROVAL and second,
            "own_approval": may(person, "approve") and state == State.PENDING_APPROVAL and mine,
            "check": may(person, "request")
            and state in (State.ACCEPTED, State.UNCERTAIN)
            and capabilities_of(cancellation.shop).get_order,
            "resend": may(person, "resend") and state in (State.FAILED, State.UNCERTAIN),
            "settle": may(person, "settle") and state == State.UNCERTAIN and second,
            "close_alarm": may(person, "settle") and bool(cancellation.alarm),
            "own_settle": may(person, "settle") and state == State.UNCERTAIN and mine,
        },
        "why_no_resend": decisions.can_resend(cancellation),
    }


@require_GET
@allowed("search")
def detail(request: HttpRequest, pk: int) -> HttpResponseBase:
    """One cancellation: where it stands, and the whole evidence."""
    cancellation = get_object_or_404(cancellations_of(request), pk=pk)
    context = context_of(request, cancellation) | {"entries": timeline(cancellation)}
    return render_page(request, "requests/cancellation.html", "requests/_status.html", context)


@require_GET
@allowed("search")
def status(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The status fragment, polled while it moves; 204 when it shows the present moment already."""
    cancellation = get_object_or_404(cancellations_of(request), pk=pk)
    if request.GET.get("moment") == moment(cancellation, headline(cancellation)):
        return HttpResponse(status=204)
    compact = "compact" in request.GET
    context = context_of(request, cancellation) | {"entries": [] if compact else timeline(cancellation)}
    template = "requests/_compact.html" if compact else "requests/_status.html"
    return render_page(request, template, template, context | {"polled": not compact})


@require_GET
@allowed("search")
def picture(request: HttpRequest, pk: int, number: int) -> HttpResponseBase:
    """A picture that was put to a cancellation, to be kept and not shown in the browser."""
    found = get_object_or_404(Picture, pk=number, cancellation=get_object_or_404(cancellations_of(request), pk=pk))
    if not found.path.is_file():
        raise Http404
    name = f"cancellation-{pk}-{number}.{found.kind}"
    answer = HttpResponse(found.path.read_bytes(), content_type=TYPES[found.kind])
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
