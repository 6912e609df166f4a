"""The items of orders: one order's, or many orders' at once where the operator knows the call."""

from collections.abc import Mapping, Sequence
from typing import Any

from providers.errors import ProviderError, Rejected
from providers.sellercenter.acceptance import check_holds
from providers.sellercenter.caller import Caller
from providers.sellercenter.envelope import text_of
from providers.sellercenter.reading import read_items, read_orders
from providers.wire import undocumented

BATCH = 50  # Assumed: no limit is published, though a code for too many exists
NO_SUCH_ORDER = frozenset({"E016", "E035"})
# A batch refused with one of these is read order by order: no such call, a wrong id among them, too many, none found.
_READ_SINGLY = frozenset({"E008", "E037", "E038", "E039", "E056"})


class Items:
    """Reads items as the platform tells them. It keeps nothing but whether the operator knows the batch call."""

    def __init__(self, caller: Caller) -> None:
        self._caller, self._singly = caller, False

    def of(self, order_id: str) -> list[Mapping[str, Any]]:
        """Return the items of one order.

        Raises:
            Rejected: There is no such order for this seller (``NO_SUCH_ORDER``).

        Source: "GetOrderItems", developers.falabella.com.
        """
        answer, envelope = self._caller.ask("GetOrderItems", {"OrderId": order_id})
        check_holds(answer, envelope, "OrderItems")
        items = read_items(envelope.body)
        if any(text_of(one.get("OrderId")) not in ("", order_id) for one in items):
            raise undocumented(answer, "other-order", "the answer speaks of another order")
        return items

    def of_many(self, order_ids: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
        """Return the items of many orders; those a batch leaves out are read singly.

        Source: "GetMultipleOrderItems", developers.falabella.com.
        """
        found: dict[str, list[Mapping[str, Any]]] = {}
        for at in range(0, len(order_ids), BATCH):
            batch = order_ids[at : at + BATCH]
            if not self._singly:
                found |= self._batch(batch)
            for order_id in batch:
                if not found.get(order_id):
                    found[order_id] = self._or_none(order_id)
        return found

    def _batch(self, order_ids: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
        try:
            answer, envelope = self._caller.ask("GetMultipleOrderItems", {"OrderIdList": f"[{','.join(order_ids)}]"})
            check_holds(answer, envelope, "Orders")
        except ProviderError as error:
            if error.code not in _READ_SINGLY:
                raise
            self._singly = error.code == "E008"
            return {}
        return {text_of(one.get("OrderId")): read_items(one) for one in read_orders(envelope)}

    def _or_none(self, order_id: str) -> list[Mapping[str, Any]]:
        try:
            return self.of(order_id)
        except Rejected as error:  # gone since it was listed
            if error.code not in NO_SUCH_ORDER:
                raise
            return []
