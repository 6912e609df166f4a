"""What every test stands on: the net is closed, and a flushed database keeps its triggers and its catalogue."""

import importlib
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import caches
from django.db import connection
from django.test import TransactionTestCase

from cancellations.requests import last_send
from cancellations.shops import arming

NEED_ALL = os.environ.get("RESCIND_TESTS_NEED_ALL") == "1"
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"


def _reachable(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Name each test this machine lacks something for as not run; with the switch set, it runs and fails."""
    lacking = {}
    if not (_reachable(5432) and _reachable(6379) and shutil.which("pg_dump")):
        lacking["services"] = "PostgreSQL or Redis is not reachable on 127.0.0.1, or pg_dump is not installed"
    if not (shutil.which("redis-server") and list(Path("/usr/lib/postgresql").glob("*/bin/initdb"))):
        lacking["cluster"] = "the programs of a PostgreSQL server (initdb) or redis-server are not installed"
    if not Path(CHROMIUM).exists():
        lacking["browser"] = "Chromium is not installed"
    if not shutil.which("xgettext"):
        lacking["gettext"] = "GNU gettext is not installed"
    for item in items:
        why = next((text for mark, text in lacking.items() if item.get_closest_marker(mark)), "")
        if why and not NEED_ALL:
            item.add_marker(pytest.mark.skip(reason=f"not run, for {why}: {item.nodeid}"))


@pytest.fixture(autouse=True)
def closed_net(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that leaves this machine."""
    connect = socket.socket.connect

    def only_here(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test reached for the network: {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", only_here)


@pytest.fixture(autouse=True)
def nothing_sent_before() -> None:
    """Have every test begin where nothing was sent yet: its database does not know of the sends of the one before."""
    arming.forget()
    last_send.forget()


@pytest.fixture(autouse=True)
def nothing_drawn_before() -> None:
    """Have every test draw its own frame: the one before may have had other addresses to go to."""
    caches["template_fragments"].clear()
    caches["process"].clear()


_append_only = importlib.import_module("cancellations.migrations.0002_append_only")
_beginnings = importlib.import_module("cancellations.migrations.0003_beginnings")


@pytest.fixture(autouse=True, scope="session")
def flushes_like_new() -> Iterator[None]:
    """Let a transactional test's flush pass the append-only triggers, and leave the catalogue as migrations do."""
    plain = TransactionTestCase._fixture_teardown

    def teardown(self: Any) -> None:
        from django.apps import apps

        with connection.schema_editor() as editor:
            _append_only.unguard(apps, editor)
        plain(self)
        with connection.schema_editor() as editor:
            _append_only.guard(apps, editor)
            _beginnings.fill_catalogue(apps, editor)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM cache")

    TransactionTestCase._fixture_teardown = teardown  # type: ignore[method-assign]
    yield
    TransactionTestCase._fixture_teardown = plain  # type: ignore[method-assign]
    shutil.rmtree(settings.DATA_DIR, ignore_errors=True)
