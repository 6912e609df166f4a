"""The pretend world's purchase orders: made up, the same every time, in all states and ages."""

import random
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from providers.contract import Status
from providers.taobao.auth import stamp
from providers.taobao.leaves import time_of
from providers.world import World

# state → (pay_status, logistics_status)
STATES = {
    "UNPAID": (1, 8),
    "PAID": (2, 1),
    "PICKING": (2, 9),
    "SHIPPED": (2, 2),
    "DONE": (6, 3),
    "CANCELLED": (8, 8),
    "REFUNDED": (4, 1),
}
TRUTHS = {
    "SHIPPED": Status.SHIPPED,
    "DONE": Status.CLOSED,
    "CANCELLED": Status.CANCELLED,
    "REFUNDED": Status.CANCELLED,
}

_NAMES = (
    "李晓雯",
    "王建国",
    "欧阳娜娜",
    "张伟",
    "陈思远",
    "Zoë Müller",
    "José Peña",
    "Nguyễn Văn An",
    "赵敏",
    "Łukasz Kowal",
)
_PRODUCTS = (
    ("得力 A4 复印纸 70g 5包装", "规格:整箱", 12900),
    ("罗技 MK295 无线键鼠套装", "颜色:黑色", 15900),
    ("晨光中性笔 0.5mm 12支", "颜色:蓝色", 2480),
    ("农夫山泉 550ml×24瓶", "包装:整箱", 3690),
    ("小米 27英寸显示器", "型号:A27i", 69900),
    ("Café crème 胶囊咖啡 60粒", "口味:浓郁", 18800),
    ("ErgoChair 人体工学椅", "颜色:灰色", 129900),
)
_COURIERS = (("SF", "顺丰速运"), ("ZTO", "中通快递"), ("YTO", "圆通速递"))
_MIX = ("UNPAID",) * 5 + ("PAID",) * 8 + ("PICKING",) * 2 + ("SHIPPED",) * 3 + ("DONE",) * 2 + ("CANCELLED", "REFUNDED")
_WORDS = ("REJECT", "TIMEOUT", "DROP", "GARBAGE")


def fill(world: World, count: int) -> None:
    """Put so many orders in, and behind them one demonstration order for each word the sandbox obeys."""
    world.put_all((order["biz_order_id"], order) for order in _orders(world.now(), count))


def _orders(now: datetime, count: int) -> Iterator[dict[str, Any]]:
    dice = random.Random(71999)  # noqa: S311 - the same world every time is what is wanted
    for index in range(count):
        age = timedelta(seconds=dice.randrange(600, 60 * 86400))
        yield _order(dice, now - age, str(2_306_000_000_000_000_000 + index * 7_919_013 + dice.randrange(7_000_000)))
    for index, word in enumerate(_WORDS):
        made = now - timedelta(hours=index + 2)
        yield _order(dice, made, f"{2_309_000_000_000_000_001 + index}-{word}", "PAID")


def _order(dice: random.Random, made: datetime, number: str, state: str = "") -> dict[str, Any]:
    state = state or dice.choice(_MIX)
    paid = made + timedelta(minutes=dice.randrange(1, 60))
    ended = state in ("DONE", "CANCELLED", "REFUNDED")
    name = dice.choice(_NAMES)
    count = dice.choice((1, 1, 1, 2, 3))
    courier = dice.choice(_COURIERS)
    serial = dice.randrange(10**12)
    head = number.partition("-")[0]
    return {
        "biz_order_id": number,
        "buyer_id": 2_200_000_000_000 + dice.randrange(10**9),
        "out_order_id": f"PO-{made:%Y%m%d}-{dice.randrange(10**5):05}",
        "contract_no": f"HT{dice.randrange(10**6):06}",
        "state": state,
        "create_time": stamp(made),
        "pay_time": "" if state in ("UNPAID", "CANCELLED") else stamp(paid),
        "end_time": stamp(paid + timedelta(minutes=5)) if ended else "",
        "name": name,
        "email": f"buyer{serial % 10**6}@example.com",
        "phone": f"1{dice.choice('3578')}{serial % 10**9:09}",
        "subs": [_sub(dice, f"{head}{index + 1:02}" if count > 1 else number, dice.choice(_PRODUCTS))
                 for index in range(count)],
        "parcel": {
            "cp_code": courier[0],
            "cp_name": courier[1],
            "mail_no": f"{courier[0]}{serial:013}",
            "consign_time": stamp(paid + timedelta(minutes=3)),
            "status_code": "TRANSPORT",
            "standard_desc": "包裹已从分拨中心发出",
            "phone": "95338" + f"{serial % 1000:03}",
        } if state in ("SHIPPED", "DONE") else None,
    }  # fmt: skip


def _sub(dice: random.Random, number: str, product: tuple[str, str, int]) -> dict[str, Any]:
    return {
        "biz_order_id": number,
        "tp_order_id": str(3_600_000_000_000_000_000 + dice.randrange(10**15)),
        "item_id": 600_000_000_000 + dice.randrange(10**9),
        "item_name": product[0],
        "sku_id": 4_000_000_000_000 + dice.randrange(10**9),
        "sku_property": product[1],
        "item_price": product[2],
        "buy_amount": dice.choice((1, 1, 2, 5, 10)),
    }


def import_rows(world: World) -> Iterator[Mapping[str, str]]:
    """Yield every order as a row of an import file; amounts in yuan, as a buyer's own books have them."""
    for _key, order in world.all():
        placed = time_of(order["create_time"])
        fen = sum(sub["item_price"] * sub["buy_amount"] for sub in order["subs"])
        yield {
            "biz_order_id": order["biz_order_id"],
            "buyer_id": str(order["buyer_id"]),
            "order_number": order["biz_order_id"],
            "placed_at": placed.isoformat() if placed else "",
            "status": TRUTHS.get(order["state"], Status.OPEN).value,
            "amount": str(Decimal(fen) / 100),
            "currency": "CNY",
            "buyer_name": order["name"],
            "buyer_email": order["email"],
            "buyer_phone": order["phone"],
        }
