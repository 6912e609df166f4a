"""SQLite's file stays open in a server or worker for as long as it lives: see docs/adr/0014."""

import os
import sqlite3
from typing import Any

from django.db.backends.signals import connection_created

_kept: list[sqlite3.Connection] = []


def keep_open() -> None:
    """Have this process hold a connection of its own from its first one on, which nobody uses and nobody closes."""
    _listen()
    os.register_at_fork(before=_let_go)  # a lock does not come along into a child, which would believe it has it


def _listen() -> None:
    connection_created.connect(_open_one_more, dispatch_uid="open-file")


def _open_one_more(connection: Any, **_facts: Any) -> None:
    if connection.vendor == "sqlite" and not connection.is_in_memory_db():
        try:
            kept = connection.get_new_connection(connection.get_connection_params())
            kept.execute("SELECT count(*) FROM sqlite_master").fetchall()  # it holds a shared lock from here on
        except sqlite3.Error:
            return  # the next connection tries it again
        _kept.append(kept)
    connection_created.disconnect(dispatch_uid="open-file")


def _let_go() -> None:
    while _kept:
        _kept.pop().close()
    _listen()
