"""How a word of state looks: its label, its tone and its mark. Never colour alone."""

from dataclasses import dataclass
from functools import lru_cache

from django.utils.functional import Promise
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from heroicons import _render_icon as render_heroicon


@dataclass(frozen=True)
class Mark:
    """One badge. ``tone`` is a colour of ``tokens.css``, ``icon`` a name :func:`icon` knows."""

    label: str | Promise
    tone: str
    icon: str


MARKS: dict[str, Mark] = {
    # A cancellation request
    "pending_approval": Mark(_("Waiting for approval"), "violet", "hourglass"),
    "queued": Mark(_("Waiting"), "info", "clock"),
    "sending": Mark(_("Sending…"), "info", "dot"),
    "accepted": Mark(_("Accepted, not finished"), "info", "half"),
    "uncertain": Mark(_("Not sure yet"), "warn", "question-mark-circle"),
    "in_review": Mark(_("In review"), "warn", "question-mark-circle"),
    "succeeded": Mark(pgettext_lazy("cancellation", "Cancelled"), "good", "check"),
    "already": Mark(_("Was already cancelled"), "good", "check"),
    "alarm": Mark(_("Alarm: look at it"), "bad", "exclamation-triangle"),
    "rejected": Mark(_("Refused"), "bad", "no-symbol"),
    "failed": Mark(_("Not cancelled"), "dull", "x-mark"),
    "after_all": Mark(_("Cancelled after all"), "warn", "check"),
    "declined": Mark(_("Declined"), "quiet", "minus"),
    "withdrawn": Mark(_("Withdrawn"), "quiet", "minus"),
    # An order or item, in the contract's words
    "open": Mark(pgettext_lazy("order", "Open"), "accent", "ring"),
    "cancelled": Mark(pgettext_lazy("order", "Cancelled"), "quiet", "no-symbol"),
    "shipped": Mark(pgettext_lazy("order", "Shipped"), "quiet", "truck"),
    "closed": Mark(pgettext_lazy("order", "Closed"), "quiet", "lock-closed"),
    "unknown": Mark(pgettext_lazy("order", "Unknown"), "warn", "question-mark-circle"),
    # A shop
    "live": Mark(pgettext_lazy("shop", "Live"), "quiet", "bolt"),
    "sandbox": Mark(pgettext_lazy("shop", "Sandbox"), "violet", "beaker"),
    "held": Mark(pgettext_lazy("shop", "On hold"), "bad", "pause"),
    "healthy": Mark(pgettext_lazy("shop", "Works"), "good", "check"),
    "unchecked": Mark(pgettext_lazy("shop", "Not checked yet"), "quiet", "minus"),
    "inactive": Mark(pgettext_lazy("shop", "Switched off"), "quiet", "no-symbol"),
    "active": Mark(pgettext_lazy("shop", "Active"), "good", "check"),
    # A bulk
    "bulk-planning": Mark(_("Being planned"), "info", "dot"),
    "bulk-planned": Mark(_("Planned"), "accent", "clipboard-document-list"),
    "bulk-running": Mark(_("Running"), "info", "dot"),
    "bulk-paused": Mark(_("Paused"), "warn", "pause"),
    "bulk-stopped": Mark(_("Stopped"), "quiet", "stop"),
    "bulk-done": Mark(_("Done"), "good", "check"),
    "bulk-discarded": Mark(_("Discarded"), "quiet", "minus"),
    # What came of one attempt
    "": Mark(_("Under way"), "info", "dot"),
    "Receipt": Mark(_("Platform said yes"), "good", "check"),
    "Already": Mark(_("Was cancelled before"), "quiet", "check"),
    "Reading": Mark(_("Read"), "quiet", "eye"),
    "Rejected": Mark(_("Platform refused"), "bad", "no-symbol"),
    "AuthFailed": Mark(_("Keys refused, nothing done"), "dull", "key"),
    "RateLimited": Mark(_("Told to come back, nothing done"), "quiet", "clock"),
    "Unreachable": Mark(_("Never arrived, nothing done"), "dull", "signal-slash"),
    "NotBegun": Mark(_("Put back, nothing done"), "dull", "clock"),
    "OutcomeUnknown": Mark(_("No clear answer"), "warn", "question-mark-circle"),
    "ProtocolError": Mark(_("Answer not understood"), "warn", "question-mark-circle"),
}

# What the icon set lacks, on its 20-px grid.
_OWN = {
    "hourglass": '<path d="M5 2.5h10v2.2L11.3 10l3.7 5.3v2.2H5v-2.2L8.7 10 5 4.7zM7 4.4 10 8.7l3-4.3z"/>',
    "half": '<path d="M10 2a8 8 0 1 0 0 16 8 8 0 0 0 0-16m0 2v12a6 6 0 0 0 0-12"/>',
    "ring": '<path d="M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14m0 2.4a4.6 4.6 0 1 1 0 9.2 4.6 4.6 0 0 1 0-9.2"/>',
    "dot": '<circle class="dot" cx="10" cy="10" r="5"/>',
}


@lru_cache(maxsize=512)
def icon(name: str, size: int = 20) -> SafeString:
    """Return an icon as SVG, hidden from screen readers: the words beside it say the same.

    Raises:
        heroicons.IconDoesNotExist: There is no icon of that name.
    """
    if name in _OWN:
        head = f'<svg class="icon" aria-hidden="true" width="{size}" height="{size}" viewBox="0 0 20 20" '
        return mark_safe(f'{head}fill="currentColor" fill-rule="evenodd">{_OWN[name]}</svg>')  # noqa: S308 - our own constants and a number
    style = "outline" if size >= 24 else "mini"
    drawn: str = render_heroicon(style, name, size, {"class": "icon", "aria-hidden": "true", "focusable": "false"})
    return mark_safe(drawn)  # noqa: S308 - a file of the icon set
