"""The pretend Seller Center's orders: the same every time, in every state, with names from several scripts."""

import random
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from providers.world import World

_PEOPLE = (
    ("José", "Muñoz Peña"), ("María Ángeles", "Núñez"), ("João", "Gonçalves"), ("Camila", "Ibáñez Soto"),
    ("小明", "王"), ("雅婷", "陈"), ("Zoë", "Müller"), ("Iñaki", "Etxeberría"), ("Lucía", "Ñancupil"), ("Ana", "Rojas"),
)  # fmt: skip
_GOODS = (
    ("Zapatillas running", "ZAP"), ("Cafetera italiana 6 tazas", "CAF"), ("Mochila escolar niño", "MOC"),
    ("Lámpara de pie", "LAM"), ("Audífonos inalámbricos", "AUD"), ("保温杯 500ml", "TMO"), ("Silla ergonómica", "SIL"),
)  # fmt: skip
_COUNTRIES = (
    ("CLP", "Santiago", "Chile", "FACL"),
    ("COP", "Bogotá", "Colombia", "FACO"),
    ("PEN", "Lima", "Perú", "FAPE"),
)
_STATES = ("pending",) * 12 + ("ready_to_ship", "shipped", "shipped", "delivered", "delivered", "canceled", "returned")
_TRAVELLED = frozenset({"ready_to_ship", "shipped", "delivered", "returned"})
_DAYS = 60
_DEMONSTRATIONS = ("REJECT", "TIMEOUT", "DROP", "GARBAGE")

# The first orders are always these, whatever chance deals to the others: three states in one order, two items in one
# package, an item the marketplace ships, an order of one item.
_FIRST: tuple[tuple[tuple[str, ...], Mapping[str, str]], ...] = (
    (("pending", "shipped", "canceled"), {}),
    (("pending", "pending"), {"PackageId": "PKG0001"}),
    (("pending",), {"ShippingType": "Own Warehouse"}),
    (("pending",), {}),
)


def seed(world: World, count: int) -> None:
    """Fill a world with ``count`` orders and, behind them, one for each word that plans a fault."""
    world.put_all(_orders(world.now().replace(microsecond=0), count))


def _orders(now: datetime, count: int) -> Iterator[tuple[str, dict[str, Any]]]:
    chance = random.Random(20_301)  # noqa: S311 - pretend data
    for at in range(count):
        age = timedelta(days=_DAYS * (count - at) / count, minutes=chance.randrange(60))
        states, more = _FIRST[at] if at < len(_FIRST) else (_deal(chance), {})
        order = _order(chance, 1_130_000 + at, str(3_049_800_000 + 7 * at), now - age, states, more)
        yield order["OrderId"], order
    for at, word in enumerate(_DEMONSTRATIONS):
        age = timedelta(minutes=30 - 5 * at)
        number = f"{3_059_000_000 + at}-{word}"
        order = _order(chance, 1_990_000 + at, number, now - age, ("pending", "pending"), {})
        yield order["OrderId"], order


def _deal(chance: random.Random) -> tuple[str, ...]:
    states = [chance.choice(_STATES)] * chance.choice((1, 1, 1, 2, 2, 3))
    if len(states) > 1 and chance.random() < 0.2:
        states[-1] = chance.choice(_STATES)
    return tuple(states)


def _order(
    chance: random.Random, order_id: int, number: str, at: datetime, states: tuple[str, ...], more: Mapping[str, str]
) -> dict[str, Any]:
    currency, city, country, unit = chance.choice(_COUNTRIES)
    first, last = chance.choice(_PEOPLE)
    items = [_item(chance, order_id, place, at, state, currency, more) for place, state in enumerate(states)]
    price = sum(int(one["PaidPrice"].partition(".")[0]) for one in items)
    address = {
        "FirstName": first,
        "LastName": last,
        "Phone": f"+569{chance.randrange(10_000_000, 99_999_999)}",
        "Address1": f"Avenida Ñuñoa {chance.randrange(1, 4000)}",
        "CustomerEmail": f"buyer{order_id}@example.test",
        "City": city,
        "PostCode": str(chance.randrange(1_000_000, 9_999_999)),
        "Country": country,
    }
    return {
        "OrderId": str(order_id),
        "OrderNumber": number,
        "CustomerFirstName": first,
        "CustomerLastName": last,
        "PaymentMethod": chance.choice(("CreditCard", "DebitCard", "Transfer")),
        "Price": f"{price}.00",
        "GrandTotal": f"{price}.00",
        "CreatedAt": at.isoformat(),
        "UpdatedAt": at.isoformat(),
        "AddressBilling": address,
        "AddressShipping": address,
        "NationalRegistrationNumber": f"{chance.randrange(5_000_000, 25_000_000)}-K",
        "OperatorCode": unit,
        "ShippingType": "Dropshipping",
        "Items": items,
    }


def _item(
    chance: random.Random, order_id: int, place: int, at: datetime, state: str, currency: str, more: Mapping[str, str]
) -> dict[str, Any]:
    name, stem = chance.choice(_GOODS)
    item_id, price = 20_000_000 + order_id * 10 + place, chance.randrange(4_990, 129_990, 1_000)
    travelled = state in _TRAVELLED
    return {
        "OrderItemId": str(item_id),
        "OrderId": str(order_id),
        "Name": name,
        "Sku": f"{stem}-{chance.randrange(1000, 9999)}",
        "ShopSku": f"{chance.randrange(10_000_000, 99_999_999)}",
        "Status": state,
        "Reason": "SHORTAGE" if state == "canceled" else "",
        "ReasonDetail": "",
        "ShippingType": "Dropshipping",
        "PackageId": f"PKG{item_id}" if travelled else "",
        "PaidPrice": f"{price}.00",
        "ItemPrice": f"{price + 1000}.00",
        "Currency": currency,
        "TrackingCode": f"MFA{chance.randrange(10**9, 10**10)}" if travelled else "",
        "CreatedAt": at.isoformat(),
        "UpdatedAt": at.isoformat(),
        **more,
    }
