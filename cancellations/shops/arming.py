"""Whether this installation may send: the id it keeps outside the database must be the one the database knows.

A copy of the database, keys and all, has another id or lies elsewhere: from there not a byte goes to a platform.
"""

import hmac
import os
import time
import uuid
from enum import StrEnum
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models import BigIntegerField, F, Func, Value
from django.db.models.functions import Now

from cancellations.audit import trail
from cancellations.shops.models import Arming
from providers.errors import gettext_noop

LOOK_SECONDS = 5.0
ROW = 1


class Standing(StrEnum):
    """Where sending stands."""

    ARMED = "armed"
    RESTORED = "restored"
    COPY = "copy"


COPY_FOUND = gettext_noop("Nothing is sent or read from here: this database belongs to another installation.")
COPY_STEP = gettext_noop(
    "On the machines of one installation set the same INSTALLATION_ID and DATABASE_URL. If the database was moved "
    "here, and nothing sends from its old place any more, run “manage.py arm”."
)
RESTORED_FOUND = gettext_noop(
    "Nothing is sent: the database was restored from a backup, and has lost what was sent since."
)
RESTORED_STEP = gettext_noop(
    "What was open is read at its platforms. See that no worker runs on another copy, then run “manage.py arm”."
)
ASK_ADMIN = gettext_noop("An admin has to mend it. What was asked for waits.")
# Cause and next step.
WORDS = {Standing.COPY: (COPY_FOUND, COPY_STEP), Standing.RESTORED: (RESTORED_FOUND, RESTORED_STEP)}

_seen: tuple[float, tuple[object, ...], Standing] = (0.0, (), Standing.ARMED)


def installation_id() -> str:
    """Return this installation's id: ``INSTALLATION_ID``, else what a file in ``DATA_DIR`` says; made on first use."""
    if settings.INSTALLATION_ID:
        return str(settings.INSTALLATION_ID)
    path = Path(settings.DATA_DIR) / "installation"
    if not path.exists():
        half = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
        half.touch(mode=0o600)
        half.write_text(uuid.uuid4().hex)
        try:
            os.link(half, path)  # of two that begin at once one is first, and the file is never half of one
        except FileExistsError:
            pass
        half.unlink()
    return path.read_text().strip()


def digest() -> str:
    """Return a keyed digest of the id and of where the database is: keys copied to another place are not enough."""
    text = "\n".join([installation_id(), *map(str, _where())])
    return hmac.new(settings.SEARCH_KEY.encode(), text.encode(), "sha256").hexdigest()


def _where() -> list[object]:
    known = connection.settings_dict
    return [known.get(name) or "" for name in ("HOST", "PORT", "NAME")]


def this_table() -> Func | F:
    """Return an expression for what the database calls the table inside; where it has no such name, what is known."""
    if connection.vendor != "postgresql":
        return F("table")
    name = Value(Arming._meta.db_table)
    return Func(name, template="(%(expressions)s)::regclass::oid::bigint", output_field=BigIntegerField())


def standing() -> Standing:
    """Return where sending stands, as it was found at most ``LOOK_SECONDS`` ago. Writes nothing.

    A database that nobody has sent from yet counts as this installation's.
    """
    global _seen
    asked, now = (settings.INSTALLATION_ID, settings.DATA_DIR, *_where()), time.monotonic()
    at, about, found = _seen
    if about == asked and now < at + LOOK_SECONDS:
        return found
    mine = digest()
    row = Arming.objects.filter(pk=ROW).first()
    if row is None or row.installation == mine:
        found = Standing.RESTORED if row and row.disarmed_since else Standing.ARMED
    else:
        found = Standing.COPY
    _seen = now, asked, found
    return found


def forget() -> None:
    """Look anew next time."""
    global _seen
    _seen = (0.0, (), Standing.ARMED)


def begin() -> None:
    """Let this installation send from a database nobody has sent from yet; of two that begin at once one is first."""
    with transaction.atomic():
        _row, made = Arming.objects.get_or_create(pk=ROW, defaults={"installation": digest()})
        if made:
            Arming.objects.filter(pk=ROW).update(table=this_table())
    forget()


def disarm(because: str, doubtful_to: int) -> bool:
    """Send nothing from now on, wherever this database is used; return whether this call did it."""
    with transaction.atomic():
        armed = Arming.objects.filter(pk=ROW, disarmed_since=None)
        done = bool(armed.update(disarmed_since=Now(), doubtful_to=doubtful_to))
        if done:
            _record("sending.disarmed", trail.SYSTEM, because)
    forget()
    return done


def arm(because: str, times: int) -> None:
    """Let this installation send; a person has looked. ``times``: what is known outside of how often that was."""
    with transaction.atomic():
        row = Arming.objects.select_for_update().get(pk=ROW)
        Arming.objects.filter(pk=ROW).update(
            installation=digest(), table=this_table(), disarmed_since=None, times=max(row.times, times) + 1
        )
        _record("sending.armed", trail.Machine("system", "arm"), because)
    forget()


def _record(verb: str, by: trail.Machine, because: str) -> None:
    trail.record(verb, by=by, subject_kind="installation", subject_id=ROW, data={"because": because})
