"""Which order is meant: the two numbers that name it, on the way out and on the way back."""

import re
from typing import Any

from providers.contract import Ref
from providers.errors import Advice, OutcomeUnknown, Rejected
from providers.errors import gettext_noop as _
from providers.taobao.leaves import words_of
from providers.wire import Answer, undocumented

# A 64-bit number as it is sent. With leading zeros one order would have two names here, and be sent twice.
_BUYER_ID = re.compile(r"0|[1-9][0-9]{0,18}")
_BAD_REF = Advice(
    _(
        "Taobao needs the purchase order number and the buyer ID, a whole number without leading zeros. "
        "Nothing was sent. Correct both and ask again."
    )
)
_OTHER_ORDER = Advice(
    _("Taobao answered about another order than the one asked for. Look at both at Taobao; we never ask twice.")
)


def identity_of(ref: Ref) -> dict[str, Any]:
    """Return an order's two numbers as they are sent. Raises ``Rejected`` when they cannot be."""
    number, buyer_id = ref.get("biz_order_id", ""), ref.get("buyer_id", "")
    buyer_fits = _BUYER_ID.fullmatch(buyer_id) and int(buyer_id) < 2**63
    if not number or not number.isprintable() or number != number.strip() or not buyer_fits:
        raise Rejected("bad-ref", advice=_BAD_REF)
    return {"biz_order_id": number, "buyer_id": int(buyer_id)}


def require_same_order(answer: Answer, placed: Any, number: str, request_id: str) -> None:
    """Refuse a success that names order numbers, and not the one asked for.

    Args:
        placed: ``contract_place_order`` of the answer; may be missing.

    Raises:
        OutcomeUnknown: It names others only; or it is of no documented shape.

    Assumed: ``biz_order_ids`` repeats the number asked for. The documented sample has words there; words without a
    digit name no order.
    """
    if placed in (None, ""):
        return
    if not isinstance(placed, dict):
        raise undocumented(answer, "shape", "the order is not an object", request_id)
    named = [one for one in words_of(placed.get("biz_order_ids")) if re.search(r"\d", one)]
    if named and number not in named:
        raise OutcomeUnknown("other-order", ",".join(named)[:200], advice=_OTHER_ORDER, request_id=request_id)
