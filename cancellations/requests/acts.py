"""The acts on one cancellation, as its page offers them."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_POST

from cancellations.access import allowed
from cancellations.pages import render_page, see_other, wants_fragment
from cancellations.people.signed_in import person_of
from cancellations.requests import decisions
from cancellations.requests.asking import MOST_NOTE
from cancellations.requests.models import CancellationRequest
from cancellations.requests.refusals import NotAllowed, NotAsked
from cancellations.requests.timeline import timeline
from cancellations.requests.views import cancellations_of, context_of
from cancellations.requests.waiting import held_by_bulk
from cancellations.requests.wording import taken_back
from cancellations.shops.health import is_held


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
        cancellation = get_object_or_404(cancellations_of(request), pk=pk)
        try:
            decide(request, cancellation)
        except NotAsked as refusal:
            messages.error(request, str(refusal))
            now = get_object_or_404(cancellations_of(request), pk=pk)
            context = context_of(request, now) | {
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


def _seen(request: HttpRequest) -> int:
    """Return which attempt the page showed: what somebody found out about one says nothing of the next."""
    given = request.POST.get("attempt", "")
    return int(given) if given.isdecimal() and len(given) < 10 else -1


def _settle(request: HttpRequest, cancellation: CancellationRequest) -> None:
    answer = request.POST.get("cancelled")
    if answer not in ("yes", "no"):
        raise NotAsked(_("Say whether it is cancelled or not."), "cancelled")
    picture = request.FILES.get("picture")
    decisions.settle(
        cancellation,
        by=person_of(request),
        cancelled=answer == "yes",
        note=_note(request),
        picture=picture,
        seen=_seen(request),
    )


def _unless_held(now: str, held: str) -> Callable[[CancellationRequest], str]:
    """Say what happens next, for in a shop on hold nothing does now; both are translated when they are said."""
    return lambda one: _(held if is_held(one.shop) else now)


def _approved(one: CancellationRequest) -> str:
    one.refresh_from_db(fields=["state", "due_at"])
    if held_by_bulk(one):
        return _("Approved. Its bulk is paused: it is sent once somebody lets that go on.")
    return _unless_held(
        gettext_noop("Approved. It is sent as soon as a worker is free."),
        gettext_noop("Approved. The shop is on hold: it is sent as soon as the connection works again."),
    )(one)


approve = _act(
    "approve",
    lambda request, one: decisions.approve(one, by=person_of(request), note=_note(request)),
    _approved,
)
decline = _act(
    "approve",
    lambda request, one: decisions.decline(one, by=person_of(request), note=_note(request)),
    lambda one: _("Declined. Nothing is sent."),
)
withdraw = _act(
    "withdraw",
    lambda request, one: decisions.withdraw(one, by=person_of(request), note=_note(request)),
    taken_back,
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
    lambda request, one: decisions.resend(one, by=person_of(request), note=_note(request), seen=_seen(request)),
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
