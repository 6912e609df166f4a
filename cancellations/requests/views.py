"""The list of cancellations, one cancellation, and the acts on it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET, require_POST

from cancellations.access import allowed, may
from cancellations.downloads import download
from cancellations.pages import Keyset, capped_count, render_page, see_other, wants_fragment
from cancellations.people.signed_in import person_of
from cancellations.requests import decisions
from cancellations.requests.asking import MOST_NOTE
from cancellations.requests.exporting import export
from cancellations.requests.finding import filtered, in_tab
from cancellations.requests.forms import TABS, FilterForm
from cancellations.requests.models import CancellationRequest
from cancellations.requests.pictures import TYPES, Picture
from cancellations.requests.progress import deadline, is_theirs, moment, next_look, owner, steps
from cancellations.requests.refusals import NotAllowed, NotAsked
from cancellations.requests.states import FINAL, State
from cancellations.requests.timeline import timeline
from cancellations.requests.wording import headline
from cancellations.shops.connection import capabilities_of, card_of
from cancellations.shops.health import is_held
from cancellations.shops.scope import shops_of, visible_to

_PER_PAGE = 50
_SHOWN = ("shop", "shop__health", "requested_by", "reason", "approved_by", "order")


def _cancellations(request: HttpRequest) -> QuerySet[CancellationRequest]:
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
    found = in_tab(tab, person_of(request), _cancellations(request))
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
        "next_try": cancellation.due_at if cancellation.due_at and cancellation.due_at > timezone.now() else None,
        "owner": owner(cancellation),
        "deadline": deadline(cancellation),
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
            "close_alarm": may(person, "settle") and bool(cancellation.alarm),
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
    picture = request.FILES.get("picture")
    decisions.settle(
        cancellation, by=person_of(request), cancelled=answer == "yes", note=_note(request), picture=picture
    )


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
close_alarm = _act(
    "settle",
    lambda request, one: decisions.close_alarm(one, by=person_of(request), note=_note(request)),
    lambda one: _("The alarm is closed. The record names you and what you wrote."),
)


@require_GET
@allowed("search")
def picture(request: HttpRequest, pk: int, number: int) -> HttpResponseBase:
    """A picture that was put to a cancellation, to be kept and not shown in the browser."""
    found = get_object_or_404(Picture, pk=number, cancellation=get_object_or_404(_cancellations(request), pk=pk))
    if not found.path.is_file():
        raise Http404
    name = f"cancellation-{pk}-{number}.{found.kind}"
    answer = HttpResponse(found.path.read_bytes(), content_type=TYPES[found.kind])
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
