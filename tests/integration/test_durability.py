"""What was acknowledged survives a power cut and a full disk, or it was not acknowledged."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, OperationalError, connection
from django.db.backends.signals import connection_created
from django.utils import timezone

from cancellations.requests import asking, concluding, delivery, reconciliation, sweeping
from cancellations.requests.models import CancellationRequest
from cancellations.requests.states import State
from cancellations.shops import connection as connections
from config import demo
from config.durability import refuse_forgetful_database
from tests.desk import person, stall
from tests.stack import ROOT
from tests.throwaway import POSTGRES, database

TELL = """
import django; django.setup()
from django.db import connection
cursor = connection.cursor()
print(*(cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")))
import config.wsgi
"""


def test_R13_sqlite_writes_ahead_and_waits_for_the_disk(tmp_path: Path) -> None:
    env = {**os.environ, **demo.environment(tmp_path, 8000, 8765)}
    told = subprocess.run([sys.executable, "-c", TELL], env=env, cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["wal", "2"]


@pytest.mark.parametrize(
    ("pragmas", "found"),
    [
        ("journal_mode=DELETE; PRAGMA synchronous=FULL", "journal_mode is delete"),
        ("journal_mode=WAL; PRAGMA synchronous=NORMAL", "synchronous is below FULL"),
    ],
)
def test_R13_neither_worker_nor_web_server_starts_on_a_sqlite_that_may_forget(
    pragmas: str, found: str, tmp_path: Path
) -> None:
    careless = f"from config.settings import *\nDATABASES['default']['OPTIONS']['init_command'] = 'PRAGMA {pragmas}'\n"
    (tmp_path / "careless.py").write_text(careless)
    more = {"DJANGO_SETTINGS_MODULE": "careless", "PYTHONPATH": str(tmp_path)}
    env = {**os.environ, **demo.environment(tmp_path, 8000, 8765), **more}
    for command in (["-m", "celery", "-A", "config", "worker", "-P", "solo"], ["-c", "import config.wsgi"]):
        done = subprocess.run(
            [sys.executable, *command], env=env, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode != 0
        assert found in done.stdout + done.stderr


@pytest.fixture
def own(request: Any, tmp_path: Path, django_db_blocker: Any) -> Iterator[str]:
    with django_db_blocker.unblock(), database(request.param, tmp_path):
        yield request.param


@pytest.mark.services
@pytest.mark.parametrize("own", ["postgresql"], indirect=True)
def test_R13_a_database_that_acknowledges_before_it_has_written_is_refused(own: str) -> None:
    refuse_forgetful_database()
    name = connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    connection.close()
    with pytest.raises(ImproperlyConfigured, match="synchronous_commit is off"):
        refuse_forgetful_database()


def careless(vendor: str, forgets: bool) -> None:
    """Have the database forget, or not, what it acknowledged shortly before a power cut."""
    if vendor == "sqlite":
        how = "NORMAL" if forgets else "FULL"
        connection.settings_dict["OPTIONS"]["init_command"] = f"PRAGMA journal_mode=WAL; PRAGMA synchronous={how};"
    else:
        how = "off" if forgets else "on"
        _as_owner(f'ALTER DATABASE "{connection.settings_dict["NAME"]}" SET synchronous_commit = {how}')


@pytest.mark.parametrize("own", ["sqlite", pytest.param("postgresql", marks=pytest.mark.services)], indirect=True)
def test_R13_a_database_that_was_away_at_the_start_is_judged_before_anything_is_asked_of_it(
    own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, by = stall("shoplazza"), person()
    asking.request_cancellation(by=by, order=made.orders()[0], units=[""], reason_code="out_of_stock")
    connection.close()
    with monkeypatch.context() as away:
        away.setitem(connection.settings_dict, "NAME", "/nowhere/at-all" if own == "sqlite" else "nowhere_at_all")
        refuse_forgetful_database()  # who starts before it does not die of that
        with pytest.raises(OperationalError):
            CancellationRequest.objects.exists()
    connection.close()

    careless(own, forgets=True)
    for _again in range(2):
        with pytest.raises(ImproperlyConfigured, match="may lose what it acknowledged"):
            delivery.drain(made.shop.pk)
    assert made.called() == []

    careless(own, forgets=False)
    delivery.drain(made.shop.pk)
    assert len(made.called()) == 1
    assert not connection_created.has_listeners(), "judged once, it costs no connection anything"


def pages(name: str, value: int | None = None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {name}" + (f" = {value}" if value else ""))
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize("own", ["sqlite"], indirect=True)
@pytest.mark.parametrize("room", [0, 2, 7])
def test_R12_on_a_full_disk_nothing_is_sent_unclaimed_and_nothing_accepted_is_lost(room: int, own: str) -> None:
    made, by, accepted = stall("shoplazza", count=60), person(), []
    orders = iter(made.orders())
    whole = pages("max_page_count")
    pages("max_page_count", pages("page_count") + room)

    def ask_on() -> None:
        for order in orders:
            (asked,) = asking.request_cancellation(by=by, order=order, units=[""], reason_code="out_of_stock")
            accepted.append(asked.cancellation.pk)

    with pytest.raises(OperationalError, match="full"):
        ask_on()
    for _again in range(3):
        with suppress(OperationalError):
            delivery.drain(made.shop.pk)
    called = made.called()
    assert len(called) <= CancellationRequest.objects.exclude(attempt_no=0).count()

    pages("max_page_count", whole)
    past = timezone.now() - timedelta(minutes=10)
    CancellationRequest.objects.filter(state=State.SENDING).update(lease_until=past)
    sweeping.lost_sends()
    for pk in CancellationRequest.objects.filter(state=State.UNCERTAIN).values_list("pk", flat=True):
        CancellationRequest.objects.filter(pk=pk).update(due_at=past)
        reconciliation.reconcile(pk)
    delivery.drain(made.shop.pk)
    states = dict(CancellationRequest.objects.values_list("pk", "state"))
    assert states.keys() == set(accepted)
    assert set(states.values()) <= {State.SUCCEEDED}
    assert len(made.called()) == len(set(made.called())) == len(accepted)


def settle_what_was_lost(shop: int) -> None:
    """Let the lease run out and the order be read."""
    past = timezone.now() - timedelta(minutes=10)
    CancellationRequest.objects.filter(state=State.SENDING).update(lease_until=past)
    sweeping.lost_sends()
    CancellationRequest.objects.filter(state=State.UNCERTAIN).update(due_at=past)
    reconciliation.check_shop(shop)


@contextmanager
def read_only() -> Iterator[None]:
    name = connection.settings_dict["NAME"]
    _as_owner(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    connection.close()
    yield
    _as_owner(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
    connection.close()


@contextmanager
def no_connections() -> Iterator[None]:
    name, login = connection.settings_dict["NAME"], connection.settings_dict["USER"]
    role = f"{name}_app"
    _as_owner(f'CREATE ROLE "{role}" LOGIN CONNECTION LIMIT 0')
    connection.close()
    connection.settings_dict["USER"] = role
    yield
    connection.close()
    connection.settings_dict["USER"] = login
    _as_owner(f'DROP ROLE "{role}"')


def _as_owner(statement: str) -> None:
    with psycopg.connect(f"{POSTGRES}/postgres", autocommit=True) as owner:
        owner.execute(statement)


@pytest.mark.services
@pytest.mark.parametrize("own", ["postgresql"], indirect=True)
@pytest.mark.parametrize("harm", [read_only, no_connections])
def test_R12_a_database_that_takes_nothing_lets_nothing_be_sent_and_loses_no_answer(
    own: str, harm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, by = stall("shoplazza"), person()
    first, second = made.orders()[:2]
    for order in (first, second):
        asking.request_cancellation(by=by, order=order, units=[""], reason_code="out_of_stock")
    with harm(), suppress(DatabaseError):
        delivery.drain(made.shop.pk)
    assert made.called() == [], "claims fail closed"

    monkeypatch.setattr(concluding, "PATIENCE_SECONDS", (0.0, 0.1))
    whole, harmed, answered = connections.TRANSPORTS[made.shop.base_url], ExitStack(), list[httpx.Response]()

    def answer(request: httpx.Request) -> httpx.Response:
        said = whole.handle_request(request)
        if not answered:
            answered.append(said)
            harmed.enter_context(harm())  # it takes nothing from here on, and the answer is on its way
        return said

    connections.TRANSPORTS[made.shop.base_url] = httpx.MockTransport(answer)
    with suppress(DatabaseError):
        delivery.drain(made.shop.pk)
    harmed.close()
    assert len(made.called()) == 1
    settle_what_was_lost(made.shop.pk)
    delivery.drain(made.shop.pk)
    assert set(CancellationRequest.objects.values_list("state", flat=True)) == {State.SUCCEEDED}
    assert sorted(made.called()) == sorted([first.key, second.key])


@pytest.mark.services
@pytest.mark.parametrize("own", ["postgresql"], indirect=True)
def test_R13_neither_worker_nor_web_server_starts_on_a_database_that_may_forget(own: str, tmp_path: Path) -> None:
    name = connection.settings_dict["NAME"]
    _as_owner(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    env = {**os.environ, **demo.environment(tmp_path, 8000, 8765), "DATABASE_URL": f"{POSTGRES}/{name}"}
    for command in (["-m", "celery", "-A", "config", "worker", "-P", "solo"], ["-c", "import config.wsgi"]):
        done = subprocess.run(
            [sys.executable, *command], env=env, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode != 0
        assert "synchronous_commit is off" in done.stdout + done.stderr
