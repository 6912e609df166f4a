"""S13, S12: on PostgreSQL the application cannot touch what was written down, and a reader writes and opens nothing."""

# ruff: noqa: S608 - the names of our own tables

import io
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, ProgrammingError, connection, transaction

from cancellations.audit import sealing, trail
from cancellations.audit.models import AuditEvent, Seal, Verification
from cancellations.audit.verifying import verify
from cancellations.management.commands import database_roles
from cancellations.requests import asking, delivery, tasks
from cancellations.requests.models import Attempt, CancellationRequest
from cancellations.shops.models import Credential
from tests.desk import person, stall, unit_of
from tests.security.ground import build
from tests.security.test_S01_routes import TABLE, undone
from tests.throwaway import POSTGRES, connected_as, database, run

pytestmark = pytest.mark.services
EVENTS, SEALS, ATTEMPTS = (one._meta.db_table for one in (AuditEvent, Seal, Attempt))
ROLES = {name: f"rescind_{name}_{uuid.uuid4().hex[:8]}" for name in ("owner", "application", "reader")}


def give() -> str:
    out = io.StringIO()
    names = {name: ROLES[name] for name in ("application", "reader")}
    call_command("database_roles", **names, stdout=out)
    return out.getvalue()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Iterator[None]:
    """A database of one who migrates, an application and a reader, none of them a superuser."""
    with psycopg.connect(f"{POSTGRES}/postgres", autocommit=True) as admin:
        for role in ROLES.values():
            admin.execute(f'CREATE ROLE "{role}" LOGIN')
        try:
            folder = tmp_path_factory.mktemp("roles")
            with django_db_blocker.unblock(), database("postgresql", folder, owner=ROLES["owner"]):
                assert give() == give()
                yield
        finally:
            for role in ROLES.values():
                admin.execute(f'DROP ROLE "{role}"')


@pytest.fixture
def application(desk: None) -> Iterator[None]:
    with connected_as(ROLES["application"]):
        yield


@pytest.fixture
def reader(desk: None) -> Iterator[None]:
    with connected_as(ROLES["reader"]):
        yield


def refused(sql: str) -> None:
    with (
        pytest.raises(ProgrammingError, match=r"permission denied|must be owner|must be superuser"),
        transaction.atomic(),
    ):
        run(sql)


@pytest.mark.usefixtures("application")
def test_S13_the_application_does_its_whole_work_with_its_rights() -> None:
    made, by = stall("shoplazza", count=12), person("admin")
    (asked,) = asking.request_cancellation(
        by=by, order=made.orders()[0], units=[unit_of(made.orders()[0])], reason_code="out_of_stock"
    )
    delivery.drain(made.shop.pk)
    asked.cancellation.refresh_from_db()
    assert asked.cancellation.state == "succeeded"
    assert sealing.seal()
    call_command("rotate_keys", stdout=io.StringIO())
    tasks.sweep()
    assert verify().whole
    Verification.objects.create(at=asked.cancellation.requested_at, whole=True, events=0, seals=0, unsealed=0)
    call_command("migrate", "--check", verbosity=0)


@pytest.mark.usefixtures("application")
def test_S13_every_page_and_every_post_works_with_the_applications_rights() -> None:
    house = build()
    browser = house.client("admin")
    broken = [
        (route, method, answer.status_code)
        for route, answers in TABLE.items()
        for method in {"GET", "POST"} & set(answers)
        for answer in [undone(lambda: browser.generic(method, house.url(route)))]  # noqa: B023 - done at once
        if answer.status_code >= 500
    ]
    assert broken == []


@pytest.mark.parametrize("table", [EVENTS, SEALS])
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {}", "DROP TABLE {}", "ALTER TABLE {} DISABLE TRIGGER ALL",
        "ALTER TABLE {} ADD COLUMN x int", "DROP TRIGGER {}_no_update ON {}", "ALTER TABLE {} OWNER TO CURRENT_USER",
        "CREATE TRIGGER x BEFORE INSERT ON {} EXECUTE FUNCTION cancellations_auditevent_stop()",
        "CREATE RULE x AS ON INSERT TO {} DO INSTEAD NOTHING", "GRANT ALL ON {} TO PUBLIC", "SELECT 1 FROM {} FOR UPDATE",
        "SET session_replication_role = 'replica'", "CREATE TABLE public.x (id int)", "SELECT setval('{}_id_seq', 1)",
        "CREATE OR REPLACE FUNCTION {}_stop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    ],
)  # fmt: skip
@pytest.mark.usefixtures("application")
def test_S12_the_application_may_only_add_to_the_record_and_read_it(table: str, sql: str) -> None:
    trail.record("shop.changed", by=trail.WORKER, subject_kind="shop")
    if "GRANT" in sql:
        before = rights_on(table)
        run(sql.format(table))  # PostgreSQL only warns
        assert rights_on(table) == before
    else:
        refused(sql.format(table, table))


def rights_on(table: str) -> set[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT grantee::regrole::text, privilege_type FROM pg_class, aclexplode(relacl) WHERE relname = %s",
                       [table])  # fmt: skip
        return set(cursor.fetchall())


@pytest.mark.parametrize(
    "sql",
    [
        f"DELETE FROM {ATTEMPTS}", f"TRUNCATE {ATTEMPTS}", "DELETE FROM cancellations_cancellationrequest",
        "DELETE FROM django_migrations", "INSERT INTO django_migrations (app, name, applied) VALUES ('x', 'y', now())",
        "DROP TABLE cancellations_order", "COPY cancellations_shop TO PROGRAM 'true'", "CREATE ROLE x SUPERUSER",
    ],
)  # fmt: skip
@pytest.mark.usefixtures("application")
def test_S13_the_application_removes_no_evidence_and_changes_no_table(sql: str) -> None:
    with pytest.raises(DatabaseError, match=r"permission denied|must be|superuser"), transaction.atomic():
        run(sql)


@pytest.mark.usefixtures("reader")
def test_S13_a_reader_reads_and_verifies_and_writes_nowhere() -> None:
    assert verify().whole
    assert CancellationRequest.objects.count() >= 0
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
    assert len(tables) > 25
    for table in tables:
        refused(f'INSERT INTO "{table}" DEFAULT VALUES')
        refused(f'DELETE FROM "{table}"')
        refused(f'TRUNCATE "{table}"')
        refused(f'DROP TABLE "{table}"')


@pytest.mark.usefixtures("reader")
def test_S13_a_reader_sees_nothing_that_opens_anything() -> None:
    for sealed in database_roles.NOT_FOR_READERS:
        refused(f'SELECT * FROM "{sealed}"')
    refused("SELECT password FROM cancellations_person")
    refused("SELECT * FROM cancellations_person")
    assert run("SELECT username, role FROM cancellations_person") >= 0
    with pytest.raises(ProgrammingError), transaction.atomic():
        list(Credential.objects.all())


@pytest.mark.usefixtures("desk")
def test_S13_a_role_that_nothing_holds_back_is_refused() -> None:
    for bad in ("postgres", ROLES["owner"]):
        with pytest.raises(CommandError, match="superuser or owns"):
            call_command("database_roles", application=bad, stdout=io.StringIO())
    with pytest.raises(CommandError, match="createuser --pwprompt nobody_such"):
        call_command("database_roles", application="nobody_such", stdout=io.StringIO())
    with pytest.raises(CommandError, match="two different"):
        call_command("database_roles", application="x", reader="x", stdout=io.StringIO())
    give()


@pytest.mark.django_db
def test_S13_sqlite_says_that_it_has_no_roles() -> None:
    with pytest.raises(CommandError, match="Only PostgreSQL"):
        call_command("database_roles", application="x")
