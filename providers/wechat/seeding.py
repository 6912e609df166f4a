"""The pretend mini program's waybills: made up once from a fixed seed, the same every time."""

import random
import string
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from providers.contract import Status
from providers.world import World

WORDS = ("REJECT", "TIMEOUT", "DROP", "GARBAGE")

_PEOPLE = (
    "王敏", "李子涵", "欧阳雨桐", "陈浩然", "赵一诺", "Zoë Lindqvist", "José Núñez", "Élodie Lefèvre", "Jürgen Groß",
    "Nguyễn Thảo", "Ayşe Yıldız", "司马青", "黄诗涵", "吴宇航",
)  # fmt: skip
_PLACES = (
    ("上海市", "黄浦区南京西路 188 号"), ("广州市", "天河区天河路 385 号"), ("成都市", "锦江区红星路三段 1 号"),
    ("杭州市", "西湖区文三路 90 号"), ("西安市", "雁塔区小寨东路 11 号"), ("厦门市", "思明区中山路 112 号"),
)  # fmt: skip
_GOODS = (
    ("龙井茶礼盒", "268.00"), ("Céladon 茶杯", "89.00"), ("羊毛围巾 藏青", "199.00"), ("手工香皂 三块装", "58.50"),
    ("Crème brûlée 模具", "76.00"), ("竹托盘 大号", "129.90"), ("黄铜台灯", "459.00"),
)  # fmt: skip
# courier, its waybills' first characters, how many digits follow, weight
_COURIERS = (
    ("SF", "SF", 13, 34), ("ZTO", "7530", 10, 20), ("YTO", "YT", 13, 14), ("YUNDA", "43", 13, 10), ("EMS", "EA", 9, 8),
    ("BEST", "55", 12, 5), ("STO", "7730", 11, 4), ("TEST", "test", 10, 3), ("JTSD", "JT", 13, 2),
)  # fmt: skip
_STATES = (("NEW", 66), ("MOVING", 16), ("SIGNED", 10), ("CANCELLED", 8))
_OPENID = string.ascii_letters + string.digits + "-_"


def _order(order_id: str, state: str, placed: datetime, dice: random.Random, courier: str = "") -> dict[str, Any]:
    weights = [weight for *_, weight in _COURIERS]
    known = {code: (code, prefix, digits) for code, prefix, digits, _ in _COURIERS}
    code, prefix, digits = known[courier or dice.choices(_COURIERS, weights)[0][0]]
    name, (city, street), (goods, price) = dice.choice(_PEOPLE), dice.choice(_PLACES), dice.choice(_GOODS)
    return {
        "order_id": order_id,
        "delivery_id": code,
        "waybill_id": f"{prefix}{dice.randrange(10**digits):0{digits}d}",
        "openid": "o" + "".join(dice.choices(_OPENID, k=27)),
        "state": state,
        "placed_at": placed.astimezone(UTC).isoformat(timespec="seconds"),
        "goods": goods,
        "amount": price,
        "receiver": {"name": name, "mobile": f"138{dice.randrange(10**8):08d}", "city": city, "address": street},
        "traces": _traces(state, placed, city),
    }


def _traces(state: str, placed: datetime, city: str) -> list[dict[str, Any]]:
    """Return what the courier has told so far, oldest first."""
    steps = {
        "NEW": (),
        "MOVING": (
            (3, 100003, "快递员已接单"),
            (5, 100001, "快件已揽收"),
            (20, 200001, f"快件已到达【{city}转运中心】"),
        ),
        "SIGNED": ((4, 100001, "快件已揽收"), (40, 300002, "正在派送,快递员电话 13912345678"), (46, 300003, "已签收")),
        "CANCELLED": ((2, 400001, "订单已取消"),),
    }[state]
    first = int(placed.timestamp())
    return [
        {"action_time": first + hours * 3600, "action_type": kind, "action_msg": words} for hours, kind, words in steps
    ]


def seed(world: World, count: int) -> None:
    """Fill the world with so many orders, then one for each word that misbehaves, all of one courier.

    Two of three order IDs are dated, the third has 20 digits, some with leading zeros.
    """
    dice = random.Random(20190410)  # noqa: S311 - made-up orders need to be the same, not secret
    names, weights, now = [name for name, _ in _STATES], [weight for _, weight in _STATES], world.now()

    def made() -> Iterator[tuple[str, dict[str, Any]]]:
        for at in range(1, count + 1):
            placed = now - timedelta(minutes=dice.randrange(60 * 50, 60 * 24 * 60))
            state = dice.choices(names, weights)[0]
            if state == "NEW":  # what nobody fetched is young
                placed = now - timedelta(minutes=dice.randrange(10, 60 * 24 * 20))
            order_id = f"{dice.randrange(10**12):012d}{at:08d}" if at % 3 == 0 else f"WX{placed:%Y%m%d}{at:06d}"
            yield order_id, _order(order_id, state, placed, dice)
        for at, word in enumerate(WORDS, count + 1):
            placed = now - timedelta(hours=at - count)
            order_id = f"WX{placed:%Y%m%d}{at:06d}-{word}"
            yield order_id, _order(order_id, "NEW", placed, dice, "SF")

    world.put_all(made())


def row_of(order: Mapping[str, Any], status: Status) -> dict[str, str]:
    """Return an order as a row of an import file: what WeChat knows of it, and what only the shop does."""
    return {
        "order_id": order["order_id"],
        "delivery_id": order["delivery_id"],
        "waybill_id": order["waybill_id"],
        "openid": order["openid"],
        "order_number": order["order_id"],
        "placed_at": order["placed_at"],
        "status": status.value,
        "amount": order["amount"],
        "currency": "CNY",
        "buyer_name": order["receiver"]["name"],
        "buyer_email": "",
        "buyer_phone": order["receiver"]["mobile"],
    }
