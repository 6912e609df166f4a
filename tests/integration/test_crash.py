"""Real processes are killed, frozen and robbed of their messages; what was asked for is sent once all the same.

The checker shares no code with the desk: it reads the tables by plain SQL and the platforms' own ledgers.
"""

import json
import random
import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import redis
from django.conf import settings

from cancellations.management.commands.demo import PEOPLE
from providers.registry import PROVIDERS
from tests.security.test_S13_messages import forgeries
from tests.stack import Stack, stack, wait_until
from tests.throwaway import POSTGRES

pytestmark = pytest.mark.services
MESSAGES, CACHE = 11, 12
LEASE_SECONDS = 4

# Asks for so many orders of each named platform, and rings the bell so often more than needed.
ASK = """
import json
from cancellations.orders.models import Order
from cancellations.people.models import Person
from cancellations.requests import asking, tasks
from cancellations.requests.models import CancellationRequest
from cancellations.shops.connection import card_of
agent, made = Person.objects.get(username="agent"), []
for slug in {slugs!r}:
    known = Order.objects.select_related("shop").filter(shop__platform=slug, status="open", cancellations=None)
    orders = known.exclude(cancellable=False).exclude(number__regex="-[A-Z]+$").order_by("number")
    for order in orders[:{count}]:
        units = [""]
        if card_of(order.shop).unit == "item":
            units = [next(item.ref for item in order.items.all() if item.cancellable is not False)]
        (asked,) = asking.request_cancellation(by=agent, order=order, units=units, reason_code="out_of_stock")
        made.append(asked.cancellation.pk)
        for _ring in range({rings}):
            tasks.deliver.delay(order.shop_id)
            tasks.sweep.delay()
print(json.dumps(made))
"""


@dataclass
class Desk:
    """A running desk and a look behind its back."""

    stack: Stack
    database: psycopg.Connection[Any]

    def ask(self, *slugs: str, count: int = 1, rings: int = 0) -> list[int]:
        code = ASK.format(slugs=slugs, count=count, rings=rings)
        return list(json.loads(self.stack.manage("shell", "-v", "0", "-c", code).stdout.splitlines()[-1]))

    def column(self, name: str, ids: list[int]) -> list[Any]:
        query = f"SELECT {name} FROM cancellations_cancellationrequest WHERE id = ANY(%s) ORDER BY id"  # noqa: S608
        return [row[0] for row in self.database.execute(query, (ids,))]  # type: ignore[arg-type]

    def are(self, ids: list[int], state: str) -> bool:
        return self.column("state", ids) == [state] * len(ids)

    def events(self, pk: int) -> list[str]:
        query = "SELECT verb FROM cancellations_auditevent WHERE subject_kind = 'cancellation' AND subject_id = %s"
        return [row[0].partition(".")[2] for row in self.database.execute(query + " ORDER BY id", (str(pk),))]

    def sends(self, pk: int) -> list[tuple[str, bool]]:
        """Return (outcome, closed) of every send."""
        query = "SELECT outcome, closed_at IS NOT NULL FROM cancellations_attempt WHERE kind = 'send'"
        return list(self.database.execute(query + " AND cancellation_id = %s", (pk,)))

    def called(self) -> list[tuple[str, str]]:
        return [(slug, key) for slug in PROVIDERS for key in self.stack.ledger(slug, "called")]

    def performed(self) -> list[tuple[str, str]]:
        return [(slug, key) for slug in PROVIDERS for key in self.stack.ledger(slug, "performed")]

    def was_sent_once_each(self, before: list[tuple[str, str]], count: int) -> bool:
        new = self.called()[:]
        for one in before:
            new.remove(one)
        return len(new) == len(set(new)) == count and set(new) <= set(self.performed())

    def page(self, path: str) -> str:
        """Return a page's text as the agent sees it."""
        with httpx.Client(base_url=self.stack.url, follow_redirects=True, trust_env=False) as browser:
            form = browser.get("/accounts/login/").text
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
            assert token
            said = {"csrfmiddlewaretoken": token[1], "login": "agent", "password": PEOPLE["agent"]}
            assert browser.post("/accounts/login/", data=said).status_code == 200
            return " ".join(re.sub(r"<[^>]+>", " ", browser.get(path).text).split())


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """PostgreSQL and Redis, a short lease, and no worker yet."""
    name = f"rescind_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(f"{POSTGRES}/postgres", autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        for number in (MESSAGES, CACHE):
            redis.Redis(db=number).flushdb()
        try:
            with (
                stack(
                    tmp_path_factory.mktemp("crash"),
                    workers=0,
                    DATABASE_URL=f"{POSTGRES}/{name}",
                    DATABASE_POOL="10",
                    BROKER_URL=f"redis://127.0.0.1:6379/{MESSAGES}",
                    CACHE_URL=f"redis://127.0.0.1:6379/{CACHE}",
                    CALL_SECONDS="3.5",
                    LEASE_SECONDS=str(LEASE_SECONDS),
                ) as made,
                psycopg.connect(f"{POSTGRES}/{name}", autocommit=True) as database,
            ):
                yield Desk(made, database)
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_R01_without_a_worker_it_waits_and_says_so_and_the_first_worker_sends_it_once(desk: Desk) -> None:
    (pk,) = desk.ask("shoplazza")
    assert desk.column("state", [pk]) == ["queued"]
    assert "Waiting: nobody is sending now." in desk.page(f"/cancellations/{pk}/")
    assert desk.called() == []
    desk.stack.start_worker("first")
    wait_until(lambda: desk.are([pk], "succeeded"))
    assert desk.was_sent_once_each([], 1)
    assert "Waiting" not in desk.page(f"/cancellations/{pk}/")


def test_R10_a_doorbell_that_is_lost_with_the_whole_broker_costs_seconds_not_the_request(desk: Desk) -> None:
    before = desk.called()
    with desk.stack.workers_frozen():
        (pk,) = desk.ask("shoplazza")
        redis.Redis(db=MESSAGES).flushdb()
    begun = time.monotonic()
    wait_until(lambda: desk.are([pk], "succeeded"), 60)
    assert time.monotonic() - begun < 60
    assert desk.was_sent_once_each(before, 1)


def test_R02_R09_a_worker_killed_between_claim_and_answer_leaves_doubt_that_reading_settles(desk: Desk) -> None:
    before = desk.called()
    desk.stack.control("shoplazza", {"switches": {"latency": 3}})
    (pk,) = desk.ask("shoplazza")
    wait_until(lambda: desk.are([pk], "sending"))
    time.sleep(0.5)  # the request is on its way
    desk.stack.kill("first")
    desk.stack.workers.remove("first")
    desk.stack.control("shoplazza", {"switches": {"latency": 0}})
    assert desk.are([pk], "sending")
    assert desk.sends(pk) == [("", False)]
    time.sleep(LEASE_SECONDS)
    desk.stack.start_worker("second")
    wait_until(lambda: desk.are([pk], "uncertain"))
    wait_until(lambda: desk.are([pk], "succeeded"), 60)
    assert desk.column("attempt_no", [pk]) == [1]
    assert desk.was_sent_once_each(before, 1)
    assert [one for one in desk.events(pk) if one != "checked"] == ["requested", "sending", "uncertain", "succeeded"]
    wait_until(lambda: desk.sends(pk) == [("Lost", True)], 40)


def test_R02_many_doorbells_and_two_workers_send_each_of_twenty_requests_once(desk: Desk) -> None:
    before = desk.called()
    desk.stack.start_worker("third")
    ids = desk.ask(*PROVIDERS, count=4, rings=3)
    assert len(ids) == 20
    wait_until(lambda: desk.are(ids, "succeeded"), 60)
    assert desk.column("attempt_no", ids) == [1] * 20
    assert desk.was_sent_once_each(before, 20)
    desk.stack.manage("audit", "seal")
    assert "Whole" in desk.stack.manage("audit", "verify").stdout


def test_S13_a_thousand_forged_messages_in_the_real_broker_send_nothing(desk: Desk) -> None:
    """Written into Redis past everything of ours: pickles, huge ones, other tasks, chains, foreign ids, halves."""
    before, luck = desk.called(), random.Random(13)
    with desk.stack.workers_frozen():
        (pk,) = desk.ask("shoplazza")
        desk.database.execute(
            "UPDATE cancellations_cancellationrequest SET state = 'withdrawn', due_at = NULL WHERE id = %s", (pk,)
        )
        broker = redis.Redis(db=MESSAGES)
        messages = [json.dumps(one) for one in forgeries(luck, 1000, [1, 2, 3, 4, 5, pk, 10**9])]
        broker.lpush("celery", *messages)
    wait_until(lambda: not broker.llen("celery"), 60)
    (real,) = desk.ask("shoplazza")
    wait_until(lambda: desk.are([real], "succeeded"), 60)
    assert desk.column("state", [pk]) == ["withdrawn"]
    assert desk.sends(pk) == []
    assert desk.was_sent_once_each(before, 1)
    assert all(desk.stack.family.children[name].poll() is None for name in desk.stack.workers)
    assert not (Path(settings.DATA_DIR) / "exploded").exists()
