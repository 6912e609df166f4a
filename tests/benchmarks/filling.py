"""Fills PostgreSQL with orders over many shops, straight into the tables: the same rows every time."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from cancellations.orders import buyers
from cancellations.orders.models import Order, OrderKey
from cancellations.shops.models import Shop, ShopAccess
from providers.contract import Buyer

START = datetime(2024, 1, 1, tzinfo=UTC)
PLATFORMS = ("huaweicloud", "wechat", "sellercenter", "shoplazza", "taobao")
FAMILIES = ("Garcia", "Müller", "Nguyen", "Smith", "Rossi", "Novák", "Okafor", "Silva", "Kowalski", "Haddad")
GIVEN = ("Maria", "Anna", "José", "Chen", "Olga", "Amir", "Yuki", "Paul", "Ivana", "Lena", "Tom", "Sara")
CHINESE = ("王小明", "李娜", "张伟", "欧阳娜娜", "陈大文", "刘洋")
KEYS = OrderKey._meta.db_table
COLUMNS = (
    "id, shop_id, ref, key, number, status, status_text, placed_at, placed_known, amount, currency, buyer, cancellable,"
    " why, facts, traces, seen_at, source, desk_state, version"
)
COMMON = "Maria Garcia"  # every twentieth order is hers
STATES = (
    ("open", True, ""),
    ("open", None, "?"),
    ("shipped", False, "Gone."),
    ("closed", False, "Done."),
    ("cancelled", False, "Done."),
)


def fill(orders: int, shops: int) -> None:
    """Make the tables hold exactly this; nothing is done when they do already."""
    if Order.objects.count() == orders and Shop.objects.count() == shops:
        return
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {KEYS} DROP CONSTRAINT IF EXISTS one_key")
        cursor.execute("DROP INDEX IF EXISTS key_shop_value, key_value")
        cursor.execute(f"TRUNCATE {KEYS}")
    Order.objects.all()._raw_delete(Order.objects.db)
    ShopAccess.objects.all().delete()
    Shop.objects.all().delete()
    Shop.objects.bulk_create(
        Shop(
            name=f"shop-{at}",
            title=f"Shop {at}",
            platform=PLATFORMS[at % 5],
            environment="live",
            base_url="https://x.invalid",
        )
        for at in range(shops)
    )
    ids = list(Shop.objects.order_by("pk").values_list("pk", flat=True))
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY {Order._meta.db_table} ({COLUMNS}) FROM STDIN") as copy:
            for row in _orders(orders, ids):
                copy.write_row(row)
        with cursor.copy(f"COPY {KEYS} (shop_id, order_id, placed_at, kind, value) FROM STDIN") as copy:
            for key in _keys(orders, ids):
                copy.write_row(key)
        newest = "value, placed_at DESC, order_id DESC"
        cursor.execute(f"CREATE INDEX key_shop_value ON {KEYS} (shop_id, {newest})")
        cursor.execute(f"CREATE INDEX key_value ON {KEYS} ({newest})")
        cursor.execute(f"ALTER TABLE {KEYS} ADD CONSTRAINT one_key UNIQUE (order_id, kind, value)")
        cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [Order._meta.db_table, orders])
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def number_of(at: int) -> str:
    """Return an order's number."""
    return f"{20240000 + at % 9000}{at:09}"


def buyer_of(at: int) -> Buyer:
    """Return an order's buyer."""
    draw = random.Random(at)
    name = COMMON if at % 20 == 0 else f"{draw.choice(GIVEN)} {draw.choice(FAMILIES)}{at % 5000:x}"
    name = draw.choice(CHINESE) if at % 7 == 3 else name
    return Buyer(name, f"buyer{at}@example.com", f"+86139{at:08}")


def _orders(count: int, shops: list[int]) -> Iterator[tuple[Any, ...]]:
    for at in range(1, count + 1):
        # The first tenth of all, the oldest, is where the unlucky filters have to go.
        status, cancellable, why = STATES[4] if at < count // 10 and at % 50 == 0 else STATES[at % 4]
        placed = _placed(at)
        number = number_of(at)
        yield (
            at, shops[at * 7 % len(shops)], json.dumps({"order_id": number}), number, number, status, status,
            placed, True,
            at % 5000 / 4, "EUR" if at % 3 else "CNY", buyers.mask(buyer_of(at)), cancellable, why, "[]", "[]", placed,
            "platform", "", 1,
        )  # fmt: skip


def _keys(count: int, shops: list[int]) -> Iterator[tuple[Any, ...]]:
    for at in range(1, count + 1):
        shop, placed = shops[at * 7 % len(shops)], _placed(at)
        yield shop, at, placed, "number", number_of(at)
        yield shop, at, placed, "waybill", f"SF{at:012}"
        yield shop, at, placed, "sku", f"SKU{at % 3000}"
        for kind, value in buyers.keys_of(buyer_of(at)):
            yield shop, at, placed, kind, value


def _placed(at: int) -> datetime:
    return START + timedelta(seconds=60 * at)
