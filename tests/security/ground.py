"""What the hostile tests stand on: every route with real keys, six kinds of people, and a way to see what changed."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from cancellations.batches.models import Batch, BatchRow
from cancellations.orders import refused
from cancellations.orders.cells import Fault
from cancellations.orders.models import FileImport, Order
from cancellations.people.models import Person
from cancellations.requests import asking
from cancellations.requests.models import CancellationRequest
from cancellations.requests.pictures import Picture, keeping
from cancellations.shops.models import Shop, ShopAccess
from tests.desk import Stall, person, stall, unit_of
from tests.drawing import png

ROLES = ("anonymous", "outsider", "agent", "manager", "admin", "deactivated")
_TOKENS = re.compile(r'(name="csrfmiddlewaretoken" value="|"X-CSRFToken": ")[^"]+|name="submission" value="[^"]+')


@dataclass
class House:
    """A desk with one shop that some may see, one that others may, and one of everything that has a page."""

    stall: Stall
    elsewhere: Stall
    order: Order
    cancellation: CancellationRequest
    handed: FileImport
    picture: Picture
    batch: Batch
    people: dict[str, Person] = field(default_factory=dict)

    def client(self, role: str, **more: Any) -> Client:
        """Return a browser that this person is signed in at."""
        browser = Client(raise_request_exception=False, **more)
        if role != "anonymous":
            browser.force_login(self.people[role])
        return browser

    def promote(self, who: str, role: str) -> None:
        """Give somebody another role."""
        Person.objects.filter(pk=self.people[who].pk).update(role=role)
        self.people[who].refresh_from_db()

    def keys(self, route: str) -> dict[str, Any]:
        """Return real keys for a route's address."""
        wanted = ROUTES()[route]
        known: dict[str, Any] = {
            "name": self.stall.shop.name,
            "platform": self.stall.slug,
            "code": "other",
            "shape": "csv",
            "uidb36": "1",
            "key": "abc-def",
            "pk": self._pk(route),
            "number": self.picture.pk,
        }
        return {name: known[name] for name in wanted}

    def _pk(self, route: str) -> int:
        if route in ("orders:imported", "orders:refused"):
            return self.handed.pk
        folder = route.partition(":")[0]
        found = {"orders": self.order.pk, "requests": self.cancellation.pk, "people": self.people["agent"].pk,
                 "batches": self.batch.pk}  # fmt: skip
        return found.get(folder, 0)

    def url(self, route: str, **other: Any) -> str:
        """Return a route's address with real keys."""
        return reverse(route, kwargs={**self.keys(route), **other})


def build(slug: str = "shoplazza", count: int = 12) -> House:
    """Make the house. Its agent and its deactivated person may act on the shop; the outsider only on another one."""
    made, elsewhere = stall(slug, count=count), stall(slug, count=2, learn=False)
    first, second = made.orders()[:2]
    people = {
        "outsider": person("agent", every_shop=False, username="outsider"),
        "agent": person("agent", every_shop=False, username="agent"),
        "manager": person("manager", username="manager"),
        "admin": person("admin", username="admin"),
        "deactivated": person("agent", every_shop=False, username="deactivated"),
    }
    for name, shop in (("outsider", elsewhere.shop), ("agent", made.shop), ("deactivated", made.shop)):
        ShopAccess.objects.create(shop=shop, person=people[name])
    Person.objects.filter(username="deactivated").update(is_active=False)
    (asked,) = asking.request_cancellation(
        by=people["agent"], order=second, units=[unit_of(second)], reason_code="out_of_stock"
    )
    handed = FileImport.objects.create(
        shop=made.shop, by=people["manager"], name="orders.csv", handed_in_at=timezone.now(), finished_at=timezone.now()
    )
    with refused.keeping(handed.pk) as keep:
        keep(2, Fault("“%(column)s” is empty. Every order needs it.", {"column": "=order_id"}))
    with keeping(SimpleUploadedFile("seen.png", png()), asked.cancellation.pk) as kept:
        picture = Picture.objects.create(cancellation=asked.cancellation, by=people["manager"], **kept)
    batch = Batch.objects.create(
        submission=uuid.uuid4(), source="text", requested_by=people["agent"], requested_at=timezone.now(),
        reason=asked.cancellation.reason, state="planned", state_since=timezone.now(), plan_total=1,
    )  # fmt: skip
    BatchRow.objects.create(
        batch=batch, place=1, line=1, given=second.number, shop=made.shop, order=second, order_key=second.key,
        order_number=second.number, verdict="open", cancellation=asked.cancellation,
    )  # fmt: skip
    return House(made, elsewhere, first, asked.cancellation, handed, picture, batch, people)


def ROUTES() -> dict[str, tuple[str, ...]]:
    """Return every route the resolver knows: its name, and the names of its keys."""
    return dict(_walk(get_resolver().url_patterns))


def _walk(patterns: Any, space: str = "", keys: tuple[str, ...] = ()) -> Iterator[tuple[str, tuple[str, ...]]]:
    for one in patterns:
        own = (*keys, *one.pattern.regex.groupindex)
        if isinstance(one, URLResolver):
            yield from _walk(one.url_patterns, f"{space}{one.namespace}:" if one.namespace else space, own)
        elif isinstance(one, URLPattern):
            assert one.name, f"a route without a name: {one.pattern}"
            yield f"{space}{one.name}", own


def told(answer: Any) -> str:
    """Return an answer's body without what differs from one answer to the next: tokens of forms."""
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return _TOKENS.sub("token", body.decode())


def tables() -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table."""
    found = {}
    with connection.cursor() as cursor:
        for name in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f'SELECT * FROM "{name}"')  # noqa: S608 - our own tables
            found[name] = sorted(map(tuple, cursor.fetchall()), key=repr)
    assert {one._meta.db_table for one in apps.get_app_config("cancellations").get_models()} <= set(found)
    return found


def changed_tables(before: dict[str, list[tuple[Any, ...]]]) -> set[str]:
    """Return the tables whose rows are others than before."""
    now = tables()
    return {name for name in now if now[name] != before.get(name)}


def shop_of(house: House) -> Shop:
    """Return the house's shop as it is now."""
    return Shop.objects.get(pk=house.stall.shop.pk)
