"""The pretend store's orders: made up once from a fixed seed, the same every time."""

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from providers.contract import Status
from providers.world import World

SCOPES = ("read_order", "write_order")
WORDS = ("REJECT", "TIMEOUT", "DROP", "GARBAGE")
STORE = "633130"
# (capacity, leak per second): of this app in this store, and of all apps in it.
_BUCKETS = ((40.0, 2.0), (80.0, 20.0))

_PEOPLE = (
    ("Zoë", "Lindqvist"), ("José", "Núñez"), ("Élodie", "Lefèvre"), ("Jürgen", "Groß"), ("Nguyễn", "Thảo"),
    ("敏", "王"), ("子涵", "李"), ("雨桐", "欧阳"), ("Siobhán", "O’Rourke"), ("Ayşe", "Yıldız"), ("Marta", "Kowalska"),
    ("Grace", "Okafor"), ("Łukasz", "Żak"), ("浩然", "陈"),
)  # fmt: skip
_PLACES = (
    ("Lagerlöfsgatan 12", "Göteborg", "SE", "411 05"), ("Calle del Olmo 7", "Málaga", "ES", "29012"),
    ("南京西路 188 号", "上海", "CN", "200040"), ("Rue des Érables 31", "Montréal", "CA", "H2J 1A1"),
    ("Mönckebergstraße 4", "Hamburg", "DE", "20095"), ("天河路 385 号", "广州", "CN", "510620"),
)  # fmt: skip
_GOODS = (
    ("Linen shirt", "White / M", "LS-WHT-M", "39.90"), ("Canvas tote", "Natural", "CT-NAT", "18.00"),
    ("Ceramic mug", "Céladon", "CM-CEL", "14.50"), ("Wool scarf", "藏青", "WS-NVY", "52.00"),
    ("Bamboo tray", "Large", "BT-L", "27.25"), ("Desk lamp", "Brass", "DL-BRS", "89.00"),
)  # fmt: skip
_REASONS = ("Customer asked to cancel", "Item out of stock", "Changed their mind – très déçue", "重复下单")
# status, fulfillment, payment, weight
_STATES = (
    ("placed", "initialled", "paid", 34), ("placed", "waiting", "paid", 30), ("opened", "initialled", "waiting", 8),
    ("placed", "partially_shipped", "paid", 6), ("placed", "shipped", "paid", 8), ("finished", "finished", "paid", 8),
    ("cancelled", "cancelled", "refunded", 4), ("cancelled", "partially_shipped", "paid", 2),
)  # fmt: skip


def iso(at: datetime) -> str:
    """Return a time as the platform writes it: UTC, whole seconds, ``Z``."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _order(
    order_id: str, number: str, state: tuple[str, str, str], created: datetime, dice: random.Random
) -> dict[str, Any]:
    status, shipping, payment = state
    (first, last), (street, city, country, zipcode) = dice.choice(_PEOPLE), dice.choice(_PLACES)
    email, phone = f"buyer{dice.randrange(10**6):06d}@example.com", f"+46 70 {dice.randrange(10**7):07d}"
    placed = created + timedelta(minutes=dice.randrange(1, 30)) if status != "opened" else None
    lines = []
    for at, (title, variant, sku, price) in enumerate(dice.sample(_GOODS, dice.choice((1, 1, 1, 2, 3)))):
        quantity = dice.choice((1, 1, 1, 2))
        lines.append(
            {
                "id": f"{order_id}-{at + 1}", "product_title": title, "variant_title": variant, "sku": sku,
                "price": price, "quantity": quantity, "total": str(Decimal(price) * quantity),
                "fulfillment_status": shipping, "properties": [],
            }
        )  # fmt: skip
    goods = sum((Decimal(str(line["total"])) for line in lines), Decimal(0))
    total = str(goods + Decimal("5.00"))
    gone = shipping in ("partially_shipped", "shipped", "finished")
    touched = created + timedelta(hours=dice.randrange(1, 48)) if gone or status == "cancelled" else placed or created
    parcels = [
        {
            "id": f"F{dice.randrange(10**9):09d}", "order_id": order_id, "status": shipping,
            "tracking_company": "PostNord", "tracking_number": f"PN{dice.randrange(10**10):010d}SE",
            "created_at": iso(touched), "updated_at": iso(touched),
        }
    ]  # fmt: skip
    address = {
        "first_name": first, "last_name": last, "name": f"{first} {last}", "address1": street, "city": city,
        "country": country, "country_code": country, "zip": zipcode, "phone": phone, "email": email,
    }  # fmt: skip
    return {
        "id": order_id, "number": number, "note": "", "status": status, "financial_status": payment,
        "fulfillment_status": shipping, "email_status": "waiting", "recovery_status": "waiting",
        "cancel_reason": dice.choice(_REASONS) if status == "cancelled" else "", "payment_method": "credit_card",
        "discount_applications": "[]", "customer_note": "", "buyer_accepts_marketing": False,
        "currency": "CNY" if country == "CN" else "EUR", "total_price": total, "sub_total": str(goods),
        "total_discount": "0.00", "total_tax": "0.00", "total_shipping": "5.00",
        "total_refund_price": total if payment == "refunded" else "0.00",
        "total_paid": total if payment != "waiting" else "0.00", "addtional_prices": [], "created_at": iso(created),
        "updated_at": iso(touched), "placed_at": iso(placed) if placed else None, "canceled_at": None,
        "deleted_at": None, "tags": "", "shipping_line": {"name": "Standard"},
        "customer": {"id": f"C{dice.randrange(10**8):08d}", "first_name": first, "last_name": last, "email": email,
                     "phone": phone},
        "shipping_address": address, "billing_address": address,
        "payment_line": {"payment_channel": "card", "transaction_no": f"TX{dice.randrange(10**12):012d}"},
        "line_items": lines, "fulfillments": parcels if gone else [],
    }  # fmt: skip


def seed(world: World, count: int) -> None:
    """Fill the world with so many orders, then one for each word that misbehaves.

    Nine of ten ids have the dashed form, the tenth has 21 digits; numbers have leading zeros.
    """
    dice = random.Random(20220101)  # noqa: S311 - made-up orders need to be the same, not secret
    weights, now = [weight for *_, weight in _STATES], world.now()

    def made() -> Iterator[tuple[str, dict[str, Any]]]:
        for at in range(1, count + 1):
            order_id = f"{10234136520598 * 10**7 + at}" if at % 10 == 0 else f"{STORE}-{at:08d}"
            *state, _ = dice.choices(_STATES, weights)[0]
            created = now - timedelta(minutes=dice.randrange(60, 60 * 24 * 60))
            yield order_id, _order(order_id, f"{at:08d}", (state[0], state[1], state[2]), created, dice)
        for at, word in enumerate(WORDS, count + 1):
            order_id, created = f"{STORE}-{at:08d}", now - timedelta(hours=at - count)
            yield order_id, _order(order_id, f"{at:08d}-{word}", ("placed", "waiting", "paid"), created, dice)

    world.put_all(made())


def insert(world: World) -> None:
    """Add one new order, as a buyer would while others are being read."""
    at = world.scratch["inserted"] = world.scratch.get("inserted", 0) + 1
    order_id = f"{STORE}-9{at:07d}"
    dice = random.Random(at)  # noqa: S311 - as above
    world.put(order_id, _order(order_id, f"9{at:07d}", ("placed", "waiting", "paid"), world.now(), dice))


def drip(world: World) -> bool:
    """Put one request into both buckets; tell whether neither ran over. A request turned away fills none."""
    speed = float(world.switches.get("buckets", 0))
    if not speed:
        return True
    now = world.now()
    before, levels = world.scratch.get("buckets", (now, [0.0, 0.0]))
    passed = max(0.0, (now - before).total_seconds()) * speed
    levels = [max(0.0, level - leak * passed) for level, (_, leak) in zip(levels, _BUCKETS, strict=True)]
    fits = all(level + 1 <= room for level, (room, _) in zip(levels, _BUCKETS, strict=True))
    world.scratch["buckets"] = (now, [level + 1 for level in levels] if fits else levels)
    return fits


def row_of(order: Mapping[str, Any], status: Status) -> dict[str, str]:
    """Return an order as a row of an import file."""
    customer = order["customer"]
    return {
        "order_id": order["id"],
        "order_number": order["number"],
        "placed_at": order["placed_at"] or order["created_at"],
        "status": status.value,
        "amount": order["total_price"],
        "currency": order["currency"],
        "buyer_name": f"{customer['first_name']} {customer['last_name']}",
        "buyer_email": customer["email"],
        "buyer_phone": customer["phone"],
    }
