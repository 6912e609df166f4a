"""A database of its own for tests that bend the rules of one: SQLite in a file, or PostgreSQL."""

import importlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.apps import apps
from django.core.management import call_command
from django.db import connection, connections

POSTGRES = "postgres://postgres@127.0.0.1:5432"
_append_only = importlib.import_module("cancellations.migrations.0002_append_only")


@contextmanager
def database(vendor: str, folder: Path, owner: str = "postgres") -> Iterator[None]:
    """Make everything inside use a new, migrated database of this kind as the default one, threads included."""
    kept_settings, kept = connections.databases["default"], connections["default"]
    with _made(vendor, folder, owner) as settings:
        connections.databases["default"] = {**kept_settings, "CONN_MAX_AGE": 0, **settings}
        del connections["default"]
        try:
            call_command("migrate", verbosity=0)
            yield
        finally:
            connection.close()
            close_pool = getattr(connection, "close_pool", None)
            if close_pool:
                close_pool()
            connections.databases["default"] = kept_settings
            connections["default"] = kept


@contextmanager
def _made(vendor: str, folder: Path, owner: str) -> Iterator[dict[str, Any]]:
    if vendor == "sqlite":
        options = {"timeout": 20, "transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL;"}
        yield {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "own.sqlite3"), "OPTIONS": options}
        return
    name = f"rescind_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(f"{POSTGRES}/postgres", autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" OWNER "{owner}"')
        try:
            yield {
                "ENGINE": "django.db.backends.postgresql", "NAME": name, "USER": owner, "PASSWORD": "",
                "HOST": "127.0.0.1", "PORT": "5432", "OPTIONS": {},
            }  # fmt: skip
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def connected_as(role: str) -> Iterator[None]:
    """Do what is inside as another role of this PostgreSQL database."""
    settings = connections.databases["default"]
    before = connections["default"].settings_dict["USER"]
    connections["default"].close()
    settings["USER"] = connections["default"].settings_dict["USER"] = role
    try:
        yield
    finally:
        connections["default"].close()
        settings["USER"] = connections["default"].settings_dict["USER"] = before


@contextmanager
def triggers_lifted() -> Iterator[None]:
    """Do what the append-only triggers would refuse, as somebody who owns the database can."""
    with connection.schema_editor() as editor:
        _append_only.unguard(apps, editor)
    try:
        yield
    finally:
        with connection.schema_editor() as editor:
            _append_only.guard(apps, editor)


def run(sql: str, *params: Any) -> int:
    """Run one statement and return how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.rowcount
