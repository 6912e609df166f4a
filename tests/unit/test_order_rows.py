"""A row of the list of orders never says two things at once."""

from decimal import Decimal

from django.utils import timezone

from cancellations.orders.models import Order
from cancellations.orders.rows import rows_of
from cancellations.shops.models import Shop


def row(platform: str, state: str) -> str:
    shop = Shop(pk=1, name="one", title="One", platform=platform)
    order = Order(pk=1, shop=shop, number="7", status="open", cancellable=True, desk_state=state,
                  amount=Decimal(1), currency="EUR", placed_at=timezone.now())  # fmt: skip
    return next(rows_of([order], [shop]))


def test_what_was_asked_for_already_is_not_offered_as_cancellable():
    assert "Can be cancelled" in row("shoplazza", "")
    for state in ("pending_approval", "queued", "sending", "accepted", "uncertain"):
        assert "asked for already" in row("shoplazza", state)
        assert "Can be cancelled" not in row("shoplazza", state)


def test_a_cancelled_item_is_not_shown_as_a_cancelled_order():
    assert "Item cancelled" in row("sellercenter", "succeeded")
    assert "Can be cancelled" in row("sellercenter", "succeeded")
    assert "Item cancelled" not in row("shoplazza", "succeeded")
