"""Pretend orders for the pretend platform: the same ones every time, in the platform's own look."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from providers.world import World

OURS = "52d1a5f6c3b84e0f9a7d2c4b6e8f0a13"  # the one pretend customer account
THEIRS = "0f9a7d2c4b6e8f0a1352d1a5f6c3b84e"
DEMONSTRATIONS = ("REJECT", "TIMEOUT", "DROP", "GARBAGE")
_BUYERS = (
    "李静",
    "王小明",
    "Zoë Müller",
    "José Hernández",
    "Łukasz Żak",
    "欧阳晓雪",
    "Nguyễn Thị Hương",
    "Renée Lefèvre",
)
_SERVICES = (
    ("hws.service.type.ec2", "Elastic Cloud Server", "通用计算型 s6.large.2 | 2vCPUs | 4GB"),
    ("hws.service.type.obs", "Object Storage Service", "标准存储多AZ 1TB"),
    ("hws.service.type.rds", "Relational Database Service", "MySQL 8.0 | 4vCPUs | 16GB"),
    ("hws.service.type.ebs", "Elastic Volume Service", "Ultra-high I/O 500GB"),
    ("hws.service.type.vpc", "Virtual Private Cloud", "静态BGP 5Mbit/s"),
    ("hws.service.type.waf", "Web Application Firewall", "Édition Professional"),
)
# Most await payment: those are what the desk is for.
_STATUSES = (6,) * 14 + (4, 4, 5, 5, 3, 1, 9, 2, 10, 13)
_PAID = (3, 5, 2, 10, 13)
_PRICES = ("0.1", "1234.50", "88", "399.99", "57.6", "10240", "6.28")


def seed_orders(world: World, count: int) -> None:
    """Put so many orders of mixed states, and after them a few to demonstrate each kind of answer."""
    draw = random.Random(20170926)  # noqa: S311 (the same orders every time, no secret)
    world.put_all(iter([*_ordinary(draw, world.now(), count), *_special(draw, world.now())]))


def _ordinary(draw: random.Random, now: datetime, count: int) -> Iterator[tuple[str, dict[str, Any]]]:
    for number in range(count):
        at = now - timedelta(minutes=draw.randrange(30, 60 * 24 * 60))
        tail = f"{draw.choice('ABCDEFGHJKLMNPQRSTUVWXYZ')}{draw.choice('ACDEFHKMNPRTUWXY')}{number:03d}"
        order_id = f"CS{at:%y%m%d%H%M%S}{tail}"
        yield order_id, _document(draw, order_id, at, draw.choice(_STATUSES))


def _special(draw: random.Random, now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    at = now - timedelta(hours=2)
    for number, word in enumerate(DEMONSTRATIONS):
        order_id = f"CS{at:%y%m%d%H%M%S}D{number}-{word}"
        yield order_id, _document(draw, order_id, at, 6)
    combined = f"CS{at:%y%m%d%H%M%S}CMB"
    parts = [f"CS{at:%y%m%d%H%M%S}{tail}" for tail in ("PT1", "PT2")]
    documents = [(part, {**_document(draw, part, at, 6), "parent": combined}) for part in parts]
    whole = _document(draw, combined, at, 6)
    whole["info"]["sub_order_infos"] = [document["info"] for _, document in documents]
    yield combined, whole
    yield from documents
    foreign = f"CS{at:%y%m%d%H%M%S}FGN"
    theirs = _document(draw, foreign, at, 6)
    theirs["info"]["customer_id"] = THEIRS
    yield foreign, theirs


def _document(draw: random.Random, order_id: str, at: datetime, status: int) -> dict[str, Any]:
    code, service, spec = draw.choice(_SERVICES)
    price = draw.choice(_PRICES)
    amount = float(price) if "." in price else int(price)
    paid_at = at + timedelta(minutes=draw.randrange(1, 20)) if status in _PAID else None
    info = {
        "order_id": order_id,
        "customer_id": OURS,
        "service_type_code": code,
        "service_type_name": service,
        "source_type": 1,
        "status": status,
        "order_type": draw.choice((1, 1, 1, 2, 3, 11)),
        "amount_after_discount": amount,
        "official_amount": amount,
        "measure_id": 1,
        "create_time": _text(at),
        "payment_time": _text(paid_at) if paid_at else None,
        "pending_payment_end_time": _text(at + timedelta(days=90)),
        "currency": draw.choice(("USD", "USD", "EUR")),
        "contract_id": None,
        "sub_order_infos": None,
        "amount_info": {"coupon_amount": 0, "commission_amount": 0, "consumed_amount": amount},
        "user_name": draw.choice(_BUYERS),
    }
    line = {
        "order_line_item_id": f"{order_id}-000001",
        "order_id": order_id,
        "service_type_code": code,
        "service_type_name": service,
        "product_id": f"{draw.randrange(16**16):016x}",
        "product_spec_desc": spec,
        "period_type": 2,
        "period_num": draw.choice((1, 3, 12)),
        "subscription_num": draw.choice((1, 1, 2, 5)),
        "amount_after_discount": amount,
        "official_amount": amount,
        "currency": info["currency"],
    }
    return {"info": info, "lines": [line], "parent": ""}


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
