"""A desk for tests: people, and a shop on each pretend platform, in process."""

import csv
import io
import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from cancellations.orders import importing, indexing
from cancellations.orders.models import Order
from cancellations.people.models import Person
from cancellations.shops import configuring, connection
from cancellations.shops.models import Shop
from providers import registry
from providers.contract import OrderQuery, Status
from providers.world import SandboxTransport, World

PASSWORD = "tests-only-password"
_numbers = itertools.count(1)


def person(role: str = "agent", *, every_shop: bool = True, **more: Any) -> Person:
    """Make somebody who may sign in with :data:`PASSWORD`."""
    name = more.pop("username", f"{role}{next(_numbers)}")
    return Person.objects.create_user(name, password=PASSWORD, role=role, every_shop=every_shop, **more)


@dataclass
class Stall:
    """One shop and the pretend world behind it."""

    shop: Shop
    world: World

    @property
    def slug(self) -> str:
        return self.shop.platform

    def orders(self, status: Status = Status.OPEN) -> list[Order]:
        """The indexed orders that may be cancelled and behave, by number."""
        found = self.shop.orders.filter(status=status.value).exclude(cancellable=False).order_by("number")
        return [one for one in found if not re.search(r"-[A-Z]+$", one.number)]

    def performed(self) -> list[str]:
        """Keys whose cancel took effect, oldest first."""
        return [key for key, event, _at in self.world.ledger() if event == "performed"]

    def called(self) -> list[str]:
        """Keys a cancel was asked for, oldest first."""
        return [key for key, event, _at in self.world.ledger() if event == "called"]


def stall(slug: str, *, count: int = 30, learn: bool = True, **more: Any) -> Stall:
    """Make a sandbox shop with an in-process world of so many orders."""
    provider = registry.PROVIDERS[slug]
    number = next(_numbers)
    path = provider.card.base_url.split("://", 1)[1].partition("/")[2]
    base_url = f"https://sandbox{number}.invalid" + (f"/{path}" if path else "")
    world = World(slug)
    provider.sandbox.seed(world, count)
    transport = SandboxTransport(world, provider.sandbox.respond)
    connection.TRANSPORTS[base_url] = transport
    further = {one.name: base_url for one in provider.card.options if one.kind == "url"}
    shop = Shop.objects.create(
        name=f"{slug}-{number}",
        title=f"{provider.card.name} {number}",
        platform=slug,
        environment="sandbox",
        base_url=base_url,
        options={
            **{one.name: one.default for one in provider.card.options},
            **provider.sandbox.options,
            **further,
        },
        **more,
    )
    configuring.replace_credential(shop, dict(provider.sandbox.credential), by=person("admin"))
    made = Stall(shop, world)
    if learn:
        learn_orders(made)
    return made


def learn_orders(made: Stall) -> None:
    """Index everything the world holds, the way the platform allows."""
    provider, shop = registry.PROVIDERS[made.slug], made.shop
    if connection.capabilities_of(shop).list_orders:
        client, cursor = connection.connect(shop).client, ""
        while True:
            page = client.list_orders(OrderQuery(cursor=cursor))
            indexing.put_many(shop, page.orders, seen_at=timezone.now())
            if not (cursor := page.cursor):
                return
    rows = list(provider.sandbox.rows(made.world))
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    importing.import_file(shop, io.BytesIO(text.getvalue().encode()))
    if connection.capabilities_of(shop).get_order:
        client = connection.connect(shop).client
        for order in shop.orders.all()[:10]:
            indexing.put(shop, client.get_order(order.ref), seen_at=timezone.now())


def unit_of(order: Order) -> str:
    """Return the reference of the first unit of an order that can be cancelled."""
    if connection.card_of(order.shop).unit == "order":
        return ""
    return next(item.ref for item in order.items.all() if item.cancellable is not False)


@contextmanager
def no_transports_left() -> Iterator[None]:
    """Forget the in-process ways afterwards."""
    try:
        yield
    finally:
        connection.TRANSPORTS.clear()
