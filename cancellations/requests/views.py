"""The list of cancellations, one cancellation, and the acts on it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET, require_POST

from cancellations.access import allowed, may
from cancellations.pages import Keyset, capped_count, render_page, see_other, wants_fragment
from cancellations.people.models import Person
from cancellations.people.signed_in import person_of
from cancellations.requests import decisions
from cancellations.requests.asking import MOST_NOTE
from cancellations.requests.forms import TABS, FilterForm
from cancellations.requests.models import CancellationRequest
from cancellations.requests.refusals import NotAllowed, NotAsked
from cancellations.requests.states import FINAL, MOVING, State
from cancellations.requests.timeline import timeline
from cancellations.requests.wording import headline, is_theirs, moment, next_look, steps
from cancellations.shops.connection import capabilities_of, card_of
from cancellations.shops.health import is_held
from cancellations.shops.scope import shops_of, visible_to

_PER_PAGE = 50
_SHOWN = ("shop", "shop__health", "requested_by", "reason", "approved_by", "order")


def _cancellations(request: HttpRequest) -> QuerySet[CancellationRequest]:
    return visible_to(person_of(request), CancellationRequest.objects.select_related(*_SHOWN))


def needs(person: Person, queryset: QuerySet[CancellationRequest]) -> QuerySet[CancellationRequest]:
    """Narrow to what waits for this person's decision."""
    own = Q(requested_by=person) & Q(state=State.FAILED)
    if not may(person, "approve"):
        return queryset.filter(own | Q(requested_by=person, state=State.UNCERTAIN, in_review=True))
    waiting = Q(state=State.PENDING_APPROVAL) & ~Q(requested_by=person)
    return queryset.filter(own | waiting | Q(state=State.UNCERTAIN, in_review=True))


def _tab(name: str, person: Person, queryset: QuerySet[CancellationRequest]) -> QuerySet[CancellationRequest]:
    if name == "needs":
        return needs(person, queryset)
    if name == "moving":
        return queryset.filter(state__in=[*MOVING, State.PENDING_APPROVAL], in_review=False)
    if name == "review":
        return queryset.filter(state=State.UNCERTAIN, in_review=True)
    if name == "done":
        return queryset.filter(state__in=[*FINAL, State.FAILED])
    return queryset


@require_GET
@allowed("search")
def index(request: HttpRequest) -> HttpResponseBase:
    """Cancellations of one's shops, by what they need."""
    tab = request.GET.get("tab", "all")
    tab = tab if tab in TABS else "all"
    form = FilterForm(shops_of(person_of(request)), request.GET)
    found = _tab(tab, person_of(request), _cancellations(request))
    if form.is_valid():
        found = _filtered(found, form.cleaned_data)
    context = {
        "form": form,
        "tab": tab,
        "tabs": [(key, label) for key, label in TABS.items()],
        "page": Keyset("requested_at", size=_PER_PAGE).page(found, request.GET.get("at", "")),
        "count": capped_count(found),
        "filtered": form.is_valid() and any(form.cleaned_data.values()),
    }
    return render_page(request, "requests/list.html", "requests/_rows.html", context)


def _filtered(found: QuerySet[CancellationRequest], given: dict[str, Any]) -> QuerySet[CancellationRequest]:
    if given["state"]:
        found = found.filter(state=given["state"])
    if given["shop"]:
        found = found.filter(shop=given["shop"])
    if given["reason"]:
        found = found.filter(reason=given["reason"])
    if given["person"]:
        found = found.filter(requested_by__username__iexact=given["person"].strip())
    return found


def _context(request: HttpRequest, cancellation: CancellationRequest) -> dict[str, Any]:
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
        "final": cancellation.state in (*FINAL, State.FAILED),
        "can": {
            "withdraw": may(person, "withdraw") and state in (State.QUEUED, State.PENDING_APPROVAL),
            "approve": may(person, "approve") and state == State.PENDING_APPROVAL and second,
            "own_approval": may(person, "approve") and state == State.PENDING_APPROVAL and mine,
            "check": may(person, "request")
            and state in (State.ACCEPTED, State.UNCERTAIN)
            and capabilities_of(cancellation.shop).get_order,
            "resend": may(person, "resend") and state in (State.FAILED, State.UNCERTAIN),
            "settle": may(person, "settle") and state == State.UNCERTAIN and second,
            "own_settle": may(person, "settle") and state == State.UNCERTAIN and mine,
        },
        "why_no_resend": decisions.can_resend(cancellation),
    }


@require_GET
@allowed("search")
def detail(request: HttpRequest, pk: int) -> HttpResponseBase:
    """One cancellation: where it stands, and the whole evidence."""
    cancellation = get_object_or_404(_cancellations(request), pk=pk)
    context = _context(request, cancellation) | {"entries": timeline(cancellation)}
    return render_page(request, "requests/cancellation.html", "requests/_status.html", context)


@require_GET
@allowed("search")
def status(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The status fragment, polled while it moves; 204 when it shows the present moment already."""
    cancellation = get_object_or_404(_cancellations(request), pk=pk)
    if request.GET.get("moment") == moment(cancellation, headline(cancellation)):
        return HttpResponse(status=204)
    compact = "compact" in request.GET
    context = _context(request, cancellation) | {"entries": [] if compact else timeline(cancellation)}
    template = "requests/_compact.html" if compact else "requests/_status.html"
    return render_page(request, template, template, context | {"polled": not compact})


def _act(
    permission: str,
    decide: Callable[[HttpRequest, CancellationRequest], None],
    done: Callable[[CancellationRequest], str],
) -> Callable[..., HttpResponseBase]:
    """Make the view of one act: do it, say it, and go back to the cancellation.

    409 when it may not be done now, 422 when something is missing; what was typed is kept.
    """

    @require_POST
    @allowed(permission)
    def view(request: HttpRequest, pk: int) -> HttpResponseBase:
        cancellation = get_object_or_404(_cancellations(request), pk=pk)
        try:
            decide(request, cancellation)
        except NotAsked as refusal:
            messages.error(request, str(refusal))
            now = get_object_or_404(_cancellations(request), pk=pk)
            context = _context(request, now) | {
                "entries": timeline(now),
                "typed": request.POST.get("note", ""),
                "chosen": request.POST.get("cancelled", ""),
                "polled": wants_fragment(request),
            }
            code = 409 if isinstance(refusal, NotAllowed) else 422
            return render_page(request, "requests/cancellation.html", "requests/_status.html", context, status=code)
        messages.success(request, done(cancellation))
        return see_other(reverse("requests:cancellation", args=[pk]), request=request)

    return view


def _note(request: HttpRequest) -> str:
    return request.POST.get("note", "").strip()[:MOST_NOTE]


def _settle(request: HttpRequest, cancellation: CancellationRequest) -> None:
    answer = request.POST.get("cancelled")
    if answer not in ("yes", "no"):
        raise NotAsked(_("Say whether it is cancelled or not."), "cancelled")
    decisions.settle(cancellation, by=person_of(request), cancelled=answer == "yes", note=_note(request))


def _unless_held(now: str, held: str) -> Callable[[CancellationRequest], str]:
    """Say what happens next, for in a shop on hold nothing does now; both are translated when they are said."""
    return lambda one: _(held if is_held(one.shop) else now)


approve = _act(
    "approve",
    lambda request, one: decisions.approve(one, by=person_of(request), note=_note(request)),
    _unless_held(
        gettext_noop("Approved. It is sent as soon as a worker is free."),
        gettext_noop("Approved. The shop is on hold: it is sent as soon as the connection works again."),
    ),
)
decline = _act(
    "approve",
    lambda request, one: decisions.decline(one, by=person_of(request), note=_note(request)),
    lambda one: _("Declined. Nothing is sent."),
)
withdraw = _act(
    "withdraw",
    lambda request, one: decisions.withdraw(one, by=person_of(request), note=_note(request)),
    lambda one: _("Withdrawn. Nothing was sent."),
)
check = _act(
    "request",
    lambda request, one: decisions.check_now(one, by=person_of(request)),
    _unless_held(
        gettext_noop("A worker looks at the order now."),
        gettext_noop("The shop is on hold: the order is looked at as soon as the connection works again."),
    ),
)
resend = _act(
    "resend",
    lambda request, one: decisions.resend(one, by=person_of(request), note=_note(request)),
    _unless_held(
        gettext_noop("It is sent once more as soon as a worker is free."),
        gettext_noop("The shop is on hold: it is sent once more as soon as the connection works again."),
    ),
)
settle = _act(
    "settle",
    _settle,
    lambda one: _("Settled. The record names you and what you wrote."),
)
