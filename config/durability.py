"""What was acknowledged must survive a power cut: a database that is told to forget some of it is not served."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connection
from django.db.backends.signals import connection_created

_FORGETFUL = {
    "fsync": "off",
    "synchronous_commit": "off",
}


def refuse_forgetful_database() -> None:
    """Look at how the database keeps what it acknowledges.

    Who starts before the database must not die of that: one that does not answer is judged when it first does, and
    until it is set right every connection to it is closed before anything is asked of it.

    Raises:
        ImproperlyConfigured: It may lose what it acknowledged.
    """
    try:
        _judge()
    except Error:
        connection_created.connect(_judge_at_first_chance, dispatch_uid="durability")
    finally:
        connection.close()


def _judge_at_first_chance(**_facts: Any) -> None:
    try:
        _judge()
    except Exception:
        connection.close()
        raise
    connection_created.disconnect(dispatch_uid="durability")


def _judge() -> None:
    if found := _lacking():
        raise ImproperlyConfigured(
            f"The database may lose what it acknowledged: {', '.join(found)}. Set it right and start again: "
            "an accepted cancellation must not be forgotten."
        )


def _lacking() -> list[str]:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            found = []
            cursor.execute("PRAGMA synchronous")
            if cursor.fetchone()[0] < 2:
                found.append("synchronous is below FULL")
            cursor.execute("PRAGMA journal_mode")
            if (mode := cursor.fetchone()[0]) != "wal":
                found.append(f"journal_mode is {mode} and not wal")
            return found
        found = []
        for name, bad in _FORGETFUL.items():
            cursor.execute(f"SHOW {name}")
            if cursor.fetchone()[0] == bad:
                found.append(f"{name} is {bad}")
        return found
