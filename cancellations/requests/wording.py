"""What a request's state means, in sentences: what happened, how we know, what to do next."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from cancellations.moments import exact_text
from cancellations.requests.denials import is_denied
from cancellations.requests.models import CancellationRequest
from cancellations.requests.states import State
from cancellations.requests.waiting import held_by_bulk, wait_of
from cancellations.shops import health
from cancellations.shops.connection import capabilities_of, card_of
from cancellations.shops.models import Shop
from cancellations.templatetags.desk import gap, grouped

VERBS = {
    "cancellation.requested": gettext_lazy("Asked for"),
    "cancellation.approved": gettext_lazy("Approved"),
    "cancellation.declined": gettext_lazy("Declined"),
    "cancellation.withdrawn": gettext_lazy("Taken back"),
    "cancellation.resent": gettext_lazy("Asked to send again"),
    "cancellation.settled": gettext_lazy("Settled by a person"),
    "cancellation.check_asked": gettext_lazy("Asked to look now"),
    "cancellation.sending": gettext_lazy("Sending"),
    "cancellation.succeeded": gettext_lazy("Cancelled"),
    "cancellation.accepted": gettext_lazy("Accepted, not finished"),
    "cancellation.rejected": gettext_lazy("Refused"),
    "cancellation.failed": gettext_lazy("Not cancelled"),
    "cancellation.uncertain": gettext_lazy("Outcome not known"),
    "cancellation.put_back": gettext_lazy("Not sent; put back in the queue"),
    "cancellation.checked": gettext_lazy("Looked at the order"),
    "cancellation.confirmed": gettext_lazy("Confirmed by reading it back"),
    "cancellation.contradicted": gettext_lazy("Alarm: the platform said yes, but still shows it open"),
    "cancellation.revived": gettext_lazy("Alarm: it was cancelled, and is alive again"),
    "cancellation.cancelled_after_all": gettext_lazy("Alarm: it was called not cancelled, and is cancelled"),
    "cancellation.alarm_closed": gettext_lazy("Alarm closed by a person"),
    "cancellation.in_review": gettext_lazy("Put in review"),
    "cancellation.late_answer": gettext_lazy("A late answer was kept as evidence"),
}
WORTH_SAYING = timedelta(seconds=5)


@dataclass(frozen=True)
class Headline:
    """One status said aloud.

    Attributes:
        tone: Of the component: ``good info warn bad quiet violet``.
        title: What is; ``text``: how we know and what to do next.
    """

    tone: str
    icon: str
    title: str
    text: str


def headline(cancellation: CancellationRequest) -> Headline:
    """Return the sentences for a request as it stands."""
    if is_denied(cancellation):
        return _after_all(cancellation)
    return _WORDS[State(cancellation.state)](cancellation)


def _told(cancellation: CancellationRequest) -> str:
    return _(cancellation.advice) if cancellation.advice else ""


def _pending(cancellation: CancellationRequest) -> Headline:
    text = _("Somebody other than %(person)s has to approve it. Nothing was sent yet.")
    return Headline(
        "violet", "clock", _("Waiting for approval."), text % {"person": cancellation.requested_by.get_username()}
    )


def _queued(cancellation: CancellationRequest) -> Headline:
    shop = cancellation.shop
    hold = health.held(shop)
    if not shop.active:
        text = _("%(shop)s is switched off. It is sent once an admin switches the shop on again.")
        return Headline("warn", "pause-circle", _("Waiting."), text % {"shop": shop})
    if held_by_bulk(cancellation):
        text = _("Bulk %(number)s is paused. It is sent once somebody resumes that; you can still withdraw it.")
        return Headline(
            "warn", "pause-circle", _("Waiting: its bulk is paused."), text % {"number": cancellation.batch}
        )
    if hold:
        text = _("%(shop)s is on hold: %(why)s It goes by itself once that is mended.")
        return Headline(
            "warn", "pause-circle", _("Waiting: the shop is on hold."),
            text % {"shop": shop, "why": _(hold.hold_advice) if hold.hold_advice else hold.hold_message},
        )  # fmt: skip
    until = told_to_wait_until(cancellation.shop)
    if until:
        text = _("%(platform)s asked us to wait until %(when)s. It goes by itself then; you can still withdraw it.")
        platform = _(card_of(shop).name)
        return Headline("info", "clock", _("Waiting."), text % {"platform": platform, "when": exact_text(until)})
    wait = wait_of(cancellation)
    if not wait.worker:
        text = _(
            "No worker has been heard of for a minute. The request is kept, and sent once as soon as one is back. "
            "You can still withdraw it."
        )
        return Headline("warn", "signal-slash", _("Waiting: nobody is sending now."), text)
    if wait.ahead:
        text = ngettext(
            "%(count)s request of %(shop)s goes first. You can still withdraw it.",
            "%(count)s requests of %(shop)s go first. You can still withdraw it.",
            wait.ahead,
        ) % {"count": grouped(wait.ahead), "shop": shop}
    elif (cancellation.unsent or cancellation.code) and cancellation.advice:
        text = _told(cancellation)
    elif cancellation.unsent:
        text = _("Nothing was sent. We try again by ourselves.")
    else:
        text = _("It is sent as soon as a worker is free. You can still withdraw it.")
    return Headline("info", "clock", _("Waiting."), text)


def told_to_wait_until(shop: Shop) -> datetime | None:
    """Return until when the platform wants no call, where that is worth saying; as it was read with the shop."""
    until: datetime | None = getattr(getattr(shop, "health", None), "wait_until", None)
    return until if until and until > timezone.now() + WORTH_SAYING else None


def _sending(cancellation: CancellationRequest) -> Headline:
    text = _("%(platform)s is being asked right now.") % {"platform": _(card_of(cancellation.shop).name)}
    return Headline("info", "paper-airplane", _("Sending…"), text)


def _accepted(cancellation: CancellationRequest) -> Headline:
    text = _("%(platform)s took the request, but has not finished it. We look again by ourselves.")
    return Headline(
        "info", "clock", _("Accepted, not finished."), text % {"platform": _(card_of(cancellation.shop).name)}
    )


def _uncertain(cancellation: CancellationRequest) -> Headline:
    told = _told(cancellation) or _("It was asked, and no answer can be read. Perhaps it was done.")
    if cancellation.in_review:
        if not capabilities_of(cancellation.shop).get_order:
            told += gap() + _("This shop's orders can't be read here: look it up at the platform, then settle it.")
        return Headline("warn", "question-mark-circle", _("In review: a person has to find out."), told)
    return Headline("warn", "question-mark-circle", _("Not sure yet."), told)


def _failed(cancellation: CancellationRequest) -> Headline:
    told = _told(cancellation)
    if cancellation.code == "settled":
        told = _("A person looked and said it is not cancelled.")
    elif cancellation.code == "not-cancelled":
        text = _(
            "Not cancelled as of %(when)s, read twice after the platform had time to settle. You may send it again."
        )
        told = text % {"when": exact_text(cancellation.state_since)}
    return Headline("bad", "x-circle", _("Not cancelled."), told or _("Nothing was done at the platform."))


def _succeeded(cancellation: CancellationRequest) -> Headline:
    platform = _(card_of(cancellation.shop).name)
    title = _("It was cancelled already.") if cancellation.already else _("Cancelled.")
    if cancellation.alarm == "revived":
        text = _(
            "%(platform)s showed it cancelled, and now shows it alive, twice. The order may be shipped: look at it "
            "there, ask for its cancellation anew if need be, then close the alarm."
        )
        return Headline("bad", "exclamation-triangle", _("It came back to life."), text % {"platform": platform})
    if cancellation.code == "settled":
        text = _("A person looked and said it is cancelled.")
    elif cancellation.last_reading and cancellation.last_reading != "cancelled":
        text = _(
            "%(platform)s said yes, but a reading does not show it yet. Look at the order before telling the buyer."
        )
        return Headline("warn", "exclamation-triangle", title, text % {"platform": platform})
    elif cancellation.confirmed_at:
        text = _("Confirmed by reading it back from %(platform)s.") % {"platform": platform}
    else:
        text = _("%(platform)s said so.") % {"platform": platform}
    told = _told(cancellation)
    return Headline("good", "check-circle", title, f"{text}{gap()}{told}".strip())


def _after_all(cancellation: CancellationRequest) -> Headline:
    text = _(
        "We called it not cancelled on %(when)s. Since then %(platform)s has shown it cancelled: by a late effect of "
        "what was sent, or by somebody else. Nothing is sent again."
    )
    told = {"when": exact_text(cancellation.state_since), "platform": _(card_of(cancellation.shop).name)}
    icon = "exclamation-triangle" if cancellation.alarm else "check-circle"
    return Headline("bad" if cancellation.alarm else "warn", icon, _("Cancelled after all."), text % told)


def _rejected(cancellation: CancellationRequest) -> Headline:
    told = _told(cancellation) or _("The platform refused it, and nothing was done.")
    return Headline("bad", "no-symbol", _("Refused."), told)


def _declined(cancellation: CancellationRequest) -> Headline:
    return Headline("quiet", "minus-circle", _("Declined."), _("It was not approved. Nothing was sent."))


def _withdrawn(cancellation: CancellationRequest) -> Headline:
    text = _("It was taken back before anything was sent.")
    if cancellation.sent_at:
        text = _("It is not sent again. What was tried before did not cancel it.")
    return Headline("quiet", "minus-circle", _("Withdrawn."), text)


def taken_back(cancellation: CancellationRequest) -> str:
    """Say what withdrawing came to: nothing was sent, or what was tried before did nothing, or that is not known."""
    said = headline(cancellation)
    return f"{said.title}{gap()}{said.text}" if cancellation.sent_at else _("Withdrawn. Nothing was sent.")


_WORDS = {
    State.PENDING_APPROVAL: _pending,
    State.QUEUED: _queued,
    State.SENDING: _sending,
    State.ACCEPTED: _accepted,
    State.UNCERTAIN: _uncertain,
    State.FAILED: _failed,
    State.SUCCEEDED: _succeeded,
    State.REJECTED: _rejected,
    State.DECLINED: _declined,
    State.WITHDRAWN: _withdrawn,
}
