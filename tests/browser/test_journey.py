"""The journey, once as the demo runs and once on PostgreSQL and Redis with two web servers and two workers."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest
import redis
from playwright.sync_api import Browser

from providers.registry import PROVIDERS
from tests.browser.journey import Eyes, whole_journey
from tests.browser.leaks import leaks_of
from tests.stack import Stack, stack

pytestmark = pytest.mark.browser
POSTGRES = "postgres://postgres@127.0.0.1:5432"


def what_came_of_it(desk: Stack, eyes: Eyes) -> None:
    """No platform did anything twice, the record is whole, nothing leaked, the browser had no complaint."""
    asked = desk.cancellations()
    for slug in PROVIDERS:
        performed, called = desk.ledger(slug, "performed"), desk.ledger(slug, "called")
        assert len(set(called)) == len(called), "something was sent twice"
        succeeded = [one for one in asked if one["shop"].startswith(slug) and one["state"] == "succeeded"]
        assert len(performed) == len(succeeded)
    assert max(one["attempts"] for one in asked) == 1
    states = [one["state"] for one in asked]
    assert states.count("succeeded") == len(PROVIDERS) + 2
    assert sorted(set(states)) == ["declined", "rejected", "succeeded", "withdrawn"]
    desk.manage("audit", "seal")
    assert "Whole" in desk.manage("audit", "verify").stdout
    assert [text for text in eyes.complaints if "404" not in text] == []
    assert leaks_of(desk, eyes) == []


def test_the_whole_journey_as_the_demo_runs(browser: Browser, desk: Stack) -> None:
    eyes = whole_journey(browser, desk, lambda number: desk.url)
    what_came_of_it(desk, eyes)


@pytest.fixture
def big_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """PostgreSQL and Redis, two web servers, two workers."""
    name = f"rescind_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(f"{POSTGRES}/postgres", autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        for number in (9, 10):
            redis.Redis(db=number).flushdb()
        try:
            with stack(
                tmp_path_factory.mktemp("big"),
                webs=2,
                workers=2,
                DATABASE_URL=f"{POSTGRES}/{name}",
                DATABASE_POOL="12",
                BROKER_URL="redis://127.0.0.1:6379/9",
                CACHE_URL="redis://127.0.0.1:6379/10",
            ) as made:
                yield made
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.mark.services
def test_the_whole_journey_on_postgresql_and_redis_with_two_of_everything(browser: Browser, big_desk: Stack) -> None:
    eyes = whole_journey(browser, big_desk, lambda number: big_desk.webs[number % 2])
    what_came_of_it(big_desk, eyes)
