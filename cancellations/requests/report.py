"""A request as plain facts, for the command line."""

from typing import Any

from django.utils.translation import gettext as _

from cancellations.requests.models import CancellationRequest
from cancellations.requests.states import State
from cancellations.requests.wording import headline

SUCCEEDED, NOT_CANCELLED, MOVING, NOT_ASKED = 0, 2, 3, 64


def report(cancellation: CancellationRequest) -> dict[str, Any]:
    """Return one request as JSON types; ``attempts`` is how often it was sent."""
    said = headline(cancellation)
    return {
        "id": cancellation.pk,
        "shop": cancellation.shop.name,
        "order": cancellation.order_number,
        "item": cancellation.item_ref,
        "state": cancellation.state,
        "in_review": cancellation.in_review,
        "already": cancellation.already,
        "code": cancellation.code,
        "message": cancellation.message,
        "advice": _(cancellation.advice) if cancellation.advice else "",
        "says": f"{said.title} {said.text}".strip(),
        "attempts": cancellation.attempt_no,
        "checks": cancellation.checks,
        "reason": cancellation.reason.code,
        "requested_by": cancellation.requested_by.get_username(),
        "requested_at": cancellation.requested_at.isoformat(timespec="seconds"),
        "due_at": cancellation.due_at.isoformat(timespec="seconds") if cancellation.due_at else None,
        "confirmed_at": cancellation.confirmed_at.isoformat(timespec="seconds") if cancellation.confirmed_at else None,
    }


def exit_code(cancellation: CancellationRequest) -> int:
    """Return 0 succeeded; 2 it is over and not cancelled; 3 still moving, uncertain or waiting for a person."""
    if cancellation.state == State.SUCCEEDED:
        return SUCCEEDED
    if cancellation.state in (State.REJECTED, State.FAILED, State.DECLINED, State.WITHDRAWN):
        return NOT_CANCELLED
    return MOVING


def is_settled(cancellation: CancellationRequest) -> bool:
    """Tell whether waiting longer shows nothing new without a person."""
    return exit_code(cancellation) != MOVING or cancellation.in_review or cancellation.state == State.PENDING_APPROVAL
