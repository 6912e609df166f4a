"""Queues cancellations and waits until none of them moves any more."""

import time
from datetime import timedelta
from typing import Any

import httpx
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.utils import timezone

from cancellations import ring
from cancellations.batches.running import CHUNK
from cancellations.orders.models import Order, OrderKey
from cancellations.people.models import Person
from cancellations.reasons.models import Reason
from cancellations.requests import tasks
from cancellations.requests.asking import snapshot_of
from cancellations.requests.models import BULK, CancellationRequest
from cancellations.requests.states import State
from cancellations.shops import configuring
from cancellations.shops.models import Shop

UNDER_WAY = (State.QUEUED, State.SENDING)


class Queue:
    """Shops at the slow platform, without a limit of calls, and an agent who asks.

    Attributes:
        asked: How many were queued so far.
        bare: How many calls others made there.
    """

    def __init__(self, platform: str, shops: int, named: str = "shop") -> None:
        self.platform, self.named, self.asked, self.bare, self._made = platform, named, 0, 0, 0
        self.by = Person.objects.create_user("bench", role="admin", every_shop=True)
        self.reason = Reason.objects.get(code="other")
        self.shops = [self._shop(number) for number in range(shops)]

    def _shop(self, number: int) -> Shop:
        return configuring.create_shop(
            by=self.by, name=f"{self.named}-{number}", title=f"Shop {number}", platform="huaweicloud",
            environment="sandbox", base_url=self.platform, options={"auth": "aksk", "iam_url": self.platform},
            credential={"access_key": "BENCH", "secret_key": "bench-secret-key-of-no-account"}, calls_per_second=0,
        )  # fmt: skip

    def run(self, rows: int, seconds: float = 3600) -> float:
        """Queue so many, ring as a bulk's waves do, and return the seconds until the last one is final."""
        self._fill(rows)
        begun = time.perf_counter()
        CancellationRequest.objects.filter(state=State.QUEUED).update(due_at=timezone.now())
        for shop in self.shops:
            for _wave in range(0, rows // len(self.shops) + 1, CHUNK):
                ring.ring(tasks.deliver, shop.pk)
        while CancellationRequest.objects.filter(state__in=UNDER_WAY).exists():
            if time.perf_counter() - begun > seconds:
                raise TimeoutError
            time.sleep(0.02)
        took = time.perf_counter() - begun
        ends = CancellationRequest.objects.exclude(state=State.SUCCEEDED).values_list("state", "code", "message")[:1]
        assert not ends, f"not all succeeded: {ends[0]}"
        return took

    def orders(self, rows: int) -> list[Order]:
        """Make so many open orders, spread over the shops."""
        now = timezone.now()
        first, self._made = self._made, self._made + rows
        made = Order.objects.bulk_create(
            Order(shop=self.shops[n % len(self.shops)], ref={"order_id": number}, key=number, number=number,
                  status="open", cancellable=True, placed_at=now, seen_at=now)
            for n in range(rows)
            for number in [f"CS{first + n:012}"]
        )  # fmt: skip
        keys = [OrderKey(shop=one.shop, order=one, kind="id", value=one.key) for one in made]
        OrderKey.objects.bulk_create(keys, batch_size=1000)
        return made

    def _fill(self, rows: int) -> None:
        now, orders = timezone.now(), self.orders(rows)
        requests = [self._request(order, now) for order in orders]
        CancellationRequest.objects.bulk_create(requests, batch_size=1000)
        self.asked += rows
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as autovacuum would have by the time a desk is in use

    def _request(self, order: Order, now: Any) -> CancellationRequest:
        return CancellationRequest(
            shop=order.shop, order=order, ref=order.ref, order_key=order.key, order_number=order.number,
            reason=self.reason, note="measured", requested_by=self.by, requested_at=now, state=State.QUEUED,
            state_since=now, due_at=now + timedelta(days=1), priority=BULK, snapshot=snapshot_of(order, None),
        )  # fmt: skip

    def cancels(self) -> int:
        """Return how many cancels of these came to the platform."""
        return self._count() - self.bare

    def _count(self) -> int:
        return int(httpx.get(f"{self.platform}/count", trust_env=False).json()["cancels"])


def session_of(person: Person) -> str:
    """Sign somebody in, past the page; return the session's key."""
    session = SessionStore()
    session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(person.pk), settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.save()
    return str(session.session_key)
