"""Cancellations as a file for a spreadsheet: who asked, why, and what became of it. Writing one is an event itself."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from cancellations.audit import trail
from cancellations.pages import newest_first
from cancellations.requests.forms import STATE_LABELS
from cancellations.requests.models import CancellationRequest
from cancellations.requests.states import State
from cancellations.spreadsheet import csv_lines

AT_ONCE = 500


def export(
    found: QuerySet[CancellationRequest], *, by: Any, filters: Mapping[str, str], shop: Any = None
) -> Iterator[str]:
    """Record that a file is written, and return its lines, newest first; they are read while they are taken.

    Args:
        filters: What narrows it, for the event.
        shop: The Shop the filters name, if any, so that whoever may see its events sees this one.
    """
    header = (
        _("Cancellation"), _("Shop"), _("Order"), _("Item"), _("State"), _("Since"), _("Reason"), _("Sent as reason"),
        _("Note"), _("Asked by"), _("Asked"), _("Approved by"), _("Times sent"), _("Code"), _("What the platform said"),
        _("Bulk"), "shop", "state", "reason",
    )  # fmt: skip
    related = found.select_related("shop", "reason", "requested_by", "approved_by")
    lines = csv_lines(header, (_cells(one) for one in newest_first(related, "requested_at", AT_ONCE)))
    trail.record(
        "cancellations.exported",
        by=by,
        subject_kind="export",
        subject="csv",
        shop=shop,
        data={"filters": dict(filters)},
    )
    return lines


def _cells(one: CancellationRequest) -> tuple[object, ...]:
    return (
        one.pk, one.shop.title, one.order_number, one.item_ref, str(STATE_LABELS[State(one.state)]),
        one.state_since.isoformat(timespec="seconds"), str(one.reason), one.reason_value, one.note,
        one.requested_by.get_username(), one.requested_at.isoformat(timespec="seconds"),
        one.approved_by.get_username() if one.approved_by else "", one.attempt_no, one.code, one.message,
        one.batch or "", one.shop.name, one.state, one.reason.code,
    )  # fmt: skip
