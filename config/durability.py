"""What was acknowledged must survive a power cut: a database that is told to forget some of it is not served."""

from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connection

_FORGETFUL = {
    "fsync": "off",
    "synchronous_commit": "off",
}


def refuse_forgetful_database() -> None:
    """Look at how the database keeps what it acknowledges.

    A database that does not answer is not judged: who starts before it must not die of that.

    Raises:
        ImproperlyConfigured: It may lose what it acknowledged.
    """
    try:
        found = _lacking()
    except Error:
        return
    finally:
        connection.close()
    if found:
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
