"""A record to tamper with: the same tests on SQLite and on PostgreSQL, each on a database of its own."""

# ruff: noqa: S608 - the names of our own tables

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache

from cancellations.audit import bodies, sealing, trail
from cancellations.audit.findings import Verdict
from cancellations.audit.models import AuditEvent, Seal
from cancellations.audit.verifying import verify
from tests.throwaway import database, run, triggers_lifted

EVENTS, SEALS = AuditEvent._meta.db_table, Seal._meta.db_table


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def vendor(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Any:
    with django_db_blocker.unblock(), database(request.param, tmp_path_factory.mktemp("record")):
        yield request.param


@pytest.fixture
def record(vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty record and an empty file for its seals."""
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    clear()
    yield vendor
    clear()


def clear() -> None:
    """Begin a new record."""
    with triggers_lifted():
        run(f"DELETE FROM {EVENTS}")
        run(f"DELETE FROM {SEALS}")
    run("DELETE FROM cancellations_verification")
    cache.clear()


def write(count: int = 1, verb: str = "shop.changed", **more: Any) -> list[AuditEvent]:
    """Write events as the program does."""
    data = {"before": {"title": "Löwe"}, "after": {"title": "猫", "options": {"b": 1, "a": [1.5, None, True]}}}
    return [
        trail.record(verb, by=trail.WORKER, subject_kind="shop", subject_id=1, subject="Cat", data=data, **more)
        for _ in range(count)
    ]


def earlier(patch: pytest.MonkeyPatch) -> None:
    """Seal as it was done before seals had bodies."""
    patch.setattr(bodies, "made", lambda *_args: "")


def sealed(*counts: int) -> None:
    """Write events and seal them, so many under each seal."""
    for count in counts:
        write(count)
        assert sealing.seal()


def found(*against: Path) -> list[tuple[str, str]]:
    """Return what verification finds, as (kind, where)."""
    return [(one.kind, one.where) for one in verdict(*against).faults]


def verdict(*against: Path) -> Verdict:
    """Verify; every finding must be sayable."""
    one = verify(*against)
    assert all(fault.text and "%(" not in fault.text for fault in one.faults)
    return one
