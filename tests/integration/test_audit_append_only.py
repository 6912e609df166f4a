"""The databases themselves refuse to change or remove what was written down, on SQLite and on PostgreSQL."""

# ruff: noqa: S608 - the names of our own tables

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from cancellations.audit.models import AuditEvent, Seal
from cancellations.people.models import Person
from cancellations.reasons.models import Reason
from cancellations.requests.models import Attempt, CancellationRequest
from cancellations.requests.states import State
from cancellations.shops.models import Shop
from tests.integration.records import EVENTS, SEALS, found, record, sealed, vendor
from tests.throwaway import database, run, triggers_lifted

__all__ = ["record", "vendor"]
pytestmark = pytest.mark.usefixtures("record")
ATTEMPTS = Attempt._meta.db_table


def refused(sql: str, *params: object) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        run(sql, *params)


def copy_of(table: str) -> list[str]:
    """Return the columns of a table, for INSERT … SELECT of a row onto itself."""
    with connection.cursor() as cursor:
        return [one.name for one in connection.introspection.get_table_description(cursor, table)]


@pytest.fixture
def attempts() -> Iterator[None]:
    """One closed attempt and one open one."""
    now = timezone.now()
    by = Person.objects.create(username="agent")
    shop = Shop.objects.create(name="cat", title="Cat", platform="shoplazza", environment="sandbox", base_url="")
    cancellation = CancellationRequest.objects.create(
        shop=shop, ref={}, order_key="1", order_number="1", reason=Reason.objects.earliest("pk"), snapshot={},
        requested_by=by, requested_at=now, state=State.QUEUED, state_since=now,
    )  # fmt: skip
    for number in (1, 2):
        Attempt.objects.create(cancellation=cancellation, number=number, kind="send")
    assert Attempt.objects.get(number=1).close(outcome="Receipt", exchanges=[])
    yield
    with triggers_lifted():
        run(f"DELETE FROM {ATTEMPTS}")
    for row in (cancellation, shop, by):
        row.delete()


def test_S12_no_migration_loses_a_trigger(record: str, tmp_path: Path) -> None:
    """Where Django makes a table of SQLite anew, its triggers are gone."""
    asked, last = {
        "sqlite": ("SELECT name FROM sqlite_master WHERE type = 'trigger'", "no_replace"),
        "postgresql": ("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal", "no_truncate"),
    }[record]
    with database(record, tmp_path), connection.cursor() as cursor:
        cursor.execute(asked)
        there = {name for (name,) in cursor.fetchall()}
    wanted = {f"{table}_{what}" for table in (EVENTS, SEALS, ATTEMPTS) for what in ("no_update", "no_delete", last)}
    assert wanted <= there


@pytest.mark.parametrize("table", [EVENTS, SEALS])
@pytest.mark.parametrize("column", ["at", "id"])
def test_S12_update_is_refused(table: str, column: str) -> None:
    sealed(2)
    refused(f"UPDATE {table} SET {column} = {column}")
    assert found() == []


@pytest.mark.parametrize("table", [EVENTS, SEALS])
def test_S12_delete_is_refused(table: str) -> None:
    sealed(2)
    refused(f"DELETE FROM {table}")
    refused(f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table})")
    assert found() == []


@pytest.mark.parametrize("table", [EVENTS, SEALS])
def test_S12_replacing_a_row_by_one_of_the_same_key_is_refused(record: str, table: str) -> None:
    sealed(2)
    columns = ", ".join(copy_of(table))
    key = {EVENTS: "uid", SEALS: "number"}[table]
    others = ", ".join("id + 1000" if one == "id" else one for one in copy_of(table))
    for source in (columns, others):  # the same id; another id, but the same second key
        if record == "sqlite":
            refused(f"INSERT OR REPLACE INTO {table} ({columns}) SELECT {source} FROM {table}")
        target = "id" if source == columns else key
        upsert = f"INSERT INTO {table} ({columns}) SELECT {source} FROM {table} WHERE true"
        refused(f"{upsert} ON CONFLICT ({target}) DO UPDATE SET at = excluded.at")
    assert found() == []


@pytest.mark.parametrize("table", [EVENTS, SEALS, ATTEMPTS])
def test_S12_emptying_a_table_at_once_is_refused(record: str, table: str) -> None:
    sealed(2)
    if record == "postgresql":
        refused(f"TRUNCATE {table} CASCADE")
    else:
        refused(f"DELETE FROM {EVENTS}")  # SQLite's own way to empty a table
    assert found() == []


def test_S12_models_are_refused_too() -> None:
    sealed(2)
    event, seal = AuditEvent.objects.earliest("pk"), Seal.objects.get()
    for act in (event.save, event.delete, seal.save, seal.delete, AuditEvent.objects.all().delete):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            act()
    assert found() == []


@pytest.mark.usefixtures("attempts")
def test_S12_an_attempt_can_be_closed_once_and_nothing_else() -> None:
    closed, opened = f"UPDATE {ATTEMPTS} SET outcome = 'x' WHERE number = 1", "SET closed_at = opened_at"
    refused(closed)
    refused(f"UPDATE {ATTEMPTS} SET closed_at = NULL WHERE number = 1")
    refused(f"DELETE FROM {ATTEMPTS} WHERE number = 1")
    refused(f"DELETE FROM {ATTEMPTS} WHERE number = 2")
    assert run(f"UPDATE {ATTEMPTS} {opened} WHERE number = 2") == 1
    refused(f"UPDATE {ATTEMPTS} {opened} WHERE number = 2")


@pytest.mark.usefixtures("attempts")
def test_S12_an_attempt_can_not_be_replaced(record: str) -> None:
    columns = ", ".join(copy_of(ATTEMPTS))
    others = ", ".join("id + 1000" if one == "id" else one for one in copy_of(ATTEMPTS))
    for source in (columns, others):
        rows = f"({columns}) SELECT {source} FROM {ATTEMPTS} WHERE number = 1"
        if record == "sqlite":
            refused(f"INSERT OR REPLACE INTO {ATTEMPTS} {rows}")
        target = "id" if source == columns else "cancellation_id, number, kind"
        refused(f"INSERT INTO {ATTEMPTS} {rows} ON CONFLICT ({target}) DO UPDATE SET outcome = 'x'")
    assert Attempt.objects.count() == 2
