"""Which successes are believed: the body is of a documented shape and speaks of what was asked."""

from collections.abc import Mapping

from providers.contract import Cancel
from providers.sellercenter.envelope import Envelope, text_of
from providers.sellercenter.reading import item_records
from providers.wire import Answer, undocumented


def check_holds(answer: Answer, envelope: Envelope, name: str) -> None:
    """Accept a body that is empty or holds what was asked for, so that an odd one is not read as "there is nothing".

    Raises:
        Unreachable: The body is something else.
    """
    body = envelope.body
    if body not in (None, "", {}, []) and not (isinstance(body, Mapping) and name in body):
        raise undocumented(answer, "odd-body", f"a success without {name}")


def check_accepted(answer: Answer, envelope: Envelope, command: Cancel) -> None:
    """Accept the documented bodies of a success: nothing, or items among which ours stands.

    Raises:
        ProtocolError: The body is something else, or speaks of another item or order.
    """
    body = envelope.body
    if body not in (None, "", {}, []) and not (isinstance(body, Mapping) and body.keys() == {"OrderItems"}):
        raise undocumented(answer, "odd-success", "a success with a body of an undocumented shape")
    rows = item_records(body)
    named = {text_of(one.get("OrderItemId")) for one in rows} - {""}
    orders = {text_of(one.get("OrderId")) for one in rows} - {""}
    if (named and command.item_ref not in named) or (orders and command.ref.get("order_id") not in orders):
        raise undocumented(answer, "other-item", "the success speaks of another item")
