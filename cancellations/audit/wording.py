"""Every verb of the record in words, and the groups people look for them by."""

import json
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cancellations.audit.models import AuditEvent

# What was done, so that it reads on after a name and before a thing.
VERBS: dict[str, Promise] = {
    "cancellation.requested": gettext_lazy("Asked for the cancellation"),
    "cancellation.approved": gettext_lazy("Approved the cancellation"),
    "cancellation.declined": gettext_lazy("Declined the cancellation; nothing is sent"),
    "cancellation.withdrawn": gettext_lazy("Withdrew the cancellation while it waited"),
    "cancellation.resent": gettext_lazy("Asked to send the cancellation again"),
    "cancellation.settled": gettext_lazy("Settled the outcome by hand"),
    "cancellation.check_asked": gettext_lazy("Asked to look at the order now"),
    "cancellation.sending": gettext_lazy("Began to send the cancellation"),
    "cancellation.succeeded": gettext_lazy("Cancelled it at the platform"),
    "cancellation.accepted": gettext_lazy("Sent it; the platform accepted and has not finished"),
    "cancellation.rejected": gettext_lazy("Sent it; the platform refused"),
    "cancellation.failed": gettext_lazy("Did not cancel it; nothing happened at the platform"),
    "cancellation.uncertain": gettext_lazy("Sent it and can't tell the outcome yet"),
    "cancellation.put_back": gettext_lazy("Could not send it; put it back in the queue"),
    "cancellation.checked": gettext_lazy("Looked at the order; the outcome is still open"),
    "cancellation.confirmed": gettext_lazy("Read the order back: it is cancelled"),
    "cancellation.contradicted": gettext_lazy("Alarm: the platform had said yes, but still shows it otherwise"),
    "cancellation.revived": gettext_lazy("Alarm: the order was cancelled, and is alive again"),
    "cancellation.cancelled_after_all": gettext_lazy("Alarm: it had been called not cancelled, and is cancelled"),
    "cancellation.alarm_closed": gettext_lazy("Closed the alarm"),
    "cancellation.in_review": gettext_lazy("Put it in review: a person has to find out"),
    "cancellation.late_answer": gettext_lazy("Kept an answer that came too late to count"),
    "cancellation.restored": gettext_lazy("Came with a restored backup: it is looked at anew"),
    "batch.handed_in": gettext_lazy("Handed in a bulk to be planned"),
    "batch.planned": gettext_lazy("Planned the bulk; nothing was sent"),
    "batch.chosen": gettext_lazy("Chose which order was meant in the bulk"),
    "batch.started": gettext_lazy("Started the bulk"),
    "batch.paused": gettext_lazy("Paused the bulk"),
    "batch.braked": gettext_lazy("Paused the bulk by itself: too many went wrong"),
    "batch.resumed": gettext_lazy("Resumed the bulk"),
    "batch.stopped": gettext_lazy("Stopped the bulk; what was unsent is taken back"),
    "batch.retried": gettext_lazy("Sent again what the bulk had not cancelled"),
    "batch.done": gettext_lazy("Finished the bulk"),
    "batch.discarded": gettext_lazy("Discarded the bulk's plan"),
    "order.looked_up": gettext_lazy("Asked the platform for an order"),
    "orders.handed_in": gettext_lazy("Handed in a file of orders"),
    "orders.imported": gettext_lazy("Imported a file of orders"),
    "shop.created": gettext_lazy("Created the shop"),
    "shop.changed": gettext_lazy("Changed the shop's settings"),
    "shop.switched_on": gettext_lazy("Switched the shop on"),
    "shop.switched_off": gettext_lazy("Switched the shop off"),
    "shop.access_changed": gettext_lazy("Changed who may act on the shop"),
    "shop.checked": gettext_lazy("Checked the connection"),
    "shop.held": gettext_lazy("Put the shop on hold: its connection does not work"),
    "shop.released": gettext_lazy("Lifted the shop's hold"),
    "shop.reasons_asked": gettext_lazy("Asked for the reasons the platform lists"),
    "shop.reasons_listed": gettext_lazy("Noted that the platform lists other reasons now"),
    "credential.replaced": gettext_lazy("Replaced the shop's keys"),
    "credential.resealed": gettext_lazy("Sealed the shop's keys anew"),
    "reason.created": gettext_lazy("Created the reason"),
    "reason.changed": gettext_lazy("Changed the reason"),
    "reason.retired": gettext_lazy("Retired the reason"),
    "reason.restored": gettext_lazy("Put the reason on offer again"),
    "reason.mapped": gettext_lazy("Changed what is sent for the reason"),
    "person.created": gettext_lazy("Created the person"),
    "person.changed": gettext_lazy("Changed the person's role or shops"),
    "person.deactivated": gettext_lazy("Deactivated the person"),
    "person.reactivated": gettext_lazy("Let the person in again"),
    "person.link_made": gettext_lazy("Made a one-time link for the person"),
    "person.password_set": gettext_lazy("Set the person's password"),
    "person.signed_in": gettext_lazy("Signed in"),
    "person.signed_out": gettext_lazy("Signed out"),
    "person.sign_in_failed": gettext_lazy("Refused a sign-in"),
    "person.locked_out": gettext_lazy("Locked the name after too many tries"),
    "sending.disarmed": gettext_lazy("Stopped all sending: the database is older than what was sent from it"),
    "sending.armed": gettext_lazy("Let this installation send"),
    "audit.exported": gettext_lazy("Exported the audit log"),
    "cancellations.exported": gettext_lazy("Exported cancellations"),
}

_OUTCOMES = frozenset(
    {
        "cancellation.sending", "cancellation.succeeded", "cancellation.accepted", "cancellation.rejected",
        "cancellation.failed", "cancellation.uncertain", "cancellation.put_back", "cancellation.checked",
        "cancellation.confirmed", "cancellation.contradicted", "cancellation.revived", "cancellation.in_review",
        "cancellation.late_answer", "cancellation.cancelled_after_all", "cancellation.restored",
    }
)  # fmt: skip
_SIGN_IN = frozenset({"person.signed_in", "person.signed_out", "person.sign_in_failed", "person.locked_out"})


def _those(*starts: str) -> frozenset[str]:
    return frozenset(verb for verb in VERBS if verb.startswith(starts)) - _OUTCOMES - _SIGN_IN


# What people choose from: a word for the address, its label, its verbs. Every verb is in exactly one.
GROUPS: dict[str, tuple[Promise, frozenset[str]]] = {
    "decisions": (gettext_lazy("Decisions on cancellations"), _those("cancellation.")),
    "outcomes": (gettext_lazy("Sending and outcomes"), _OUTCOMES),
    "bulk": (gettext_lazy("Bulk"), _those("batch.")),
    "orders": (gettext_lazy("Orders looked up and imported"), _those("order.", "orders.")),
    "shops": (gettext_lazy("Shops and their settings"), _those("shop.", "sending.")),
    "keys": (gettext_lazy("Keys of shops"), _those("credential.")),
    "reasons": (gettext_lazy("Reasons"), _those("reason.")),
    "people": (gettext_lazy("People and their rights"), _those("person.")),
    "sign-in": (gettext_lazy("Signing in"), _SIGN_IN),
    "exports": (gettext_lazy("Exports"), _those("audit.", "cancellations.")),
}

_NAMES: dict[str, Promise] = {
    "title": gettext_lazy("Title"),
    "name": gettext_lazy("Name"),
    "environment": gettext_lazy("Environment"),
    "base_url": gettext_lazy("Base URL"),
    "options": gettext_lazy("Options"),
    "needs_approval": gettext_lazy("Needs approval"),
    "active": gettext_lazy("Active"),
    "platform": gettext_lazy("Platform"),
    "credential": gettext_lazy("Fingerprint of the keys"),
    "people": gettext_lazy("People"),
    "role": gettext_lazy("Role"),
    "every_shop": gettext_lazy("Every shop"),
    "shops": gettext_lazy("Shops"),
    "reason": gettext_lazy("Reason"),
    "sent as": gettext_lazy("Sent as reason"),
    "note": gettext_lazy("Note"),
    "item": gettext_lazy("Item"),
    "via": gettext_lazy("Asked through"),
    "seen": gettext_lazy("What was seen"),
    "attempt": gettext_lazy("Attempt"),
    "code": gettext_lazy("Code"),
    "message": gettext_lazy("Message"),
    "cause": gettext_lazy("Cause"),
    "read": gettext_lazy("Platform's word"),
    "status": gettext_lazy("Status"),
    "state": gettext_lazy("State"),
    "how": gettext_lazy("How we know"),
    "why": gettext_lazy("Why"),
    "outcome": gettext_lazy("Outcome"),
    "filters": gettext_lazy("Filters"),
    "format": gettext_lazy("Format"),
    "file": gettext_lazy("File"),
    "label": gettext_lazy("Label"),
    "note_required": gettext_lazy("Note required"),
    "value": gettext_lazy("Value"),
    "values": gettext_lazy("Values"),
    "until": gettext_lazy("Until"),
    "found": gettext_lazy("Found"),
    "kind": gettext_lazy("Looked like"),
    "because": gettext_lazy("Because of"),
    "good": gettext_lazy("Lines taken"),
    "bad": gettext_lazy("Lines refused"),
    "repeated": gettext_lazy("Lines repeated"),
    "key": gettext_lazy("Key"),
    "source": gettext_lazy("Source"),
    "rows": gettext_lazy("Rows"),
    "given": gettext_lazy("Given"),
    "order": gettext_lazy("Order"),
    "looked at": gettext_lazy("Outcomes looked at"),
    "refused or failed": gettext_lazy("Refused or failed"),
    "not known": gettext_lazy("Not known"),
    "canary": gettext_lazy("The first few"),
}


@dataclass(frozen=True)
class Shown:
    """A value as text; one that has parts is JSON, to be laid out."""

    text: str
    has_parts: bool = False


def sentence(verb: str) -> str:
    """Return what was done; a verb of another version is shown as it is written."""
    return str(VERBS[verb]) if verb in VERBS else _("Did what this version has no words for: %(verb)s") % {"verb": verb}


def who(event: AuditEvent) -> str:
    """Return who did it."""
    if event.actor_kind == "worker":
        return _("Worker")
    return event.actor or _("The desk itself")


def name_of(key: str) -> str:
    """Return a fact's name in words."""
    return str(_NAMES[key]) if key in _NAMES else key.replace("_", " ")


def value_of(value: Any) -> Shown:
    """Return a fact's value for the eye."""
    if isinstance(value, bool):
        return Shown(_("yes") if value else _("no"))
    if value is None or value in ("", [], {}):
        return Shown("–")
    if isinstance(value, dict) or (isinstance(value, list) and any(isinstance(one, list | dict) for one in value)):
        return Shown(json.dumps(value, ensure_ascii=False), has_parts=True)
    return Shown(", ".join(str(one) for one in value) if isinstance(value, list) else str(value))
