"""The last claim this machine made, kept outside the database: a database that does not know it is an older one.

Written after it is committed and before a byte leaves. Without waiting for the disk: who restores a backup does
not do so in the middle of a power cut.
"""

import logging
import os
import threading
import uuid
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from cancellations.requests.models import Attempt

log = logging.getLogger(__name__)

_lock = threading.Lock()
_latest = (0, 0)


@dataclass(frozen=True)
class Mark:
    """One attempt: how often sending had been armed by then, its key, and what no other has."""

    armed: int
    attempt: int
    uid: uuid.UUID


def note(attempt: Attempt, armed: int) -> None:
    """Keep the latest of this process's attempts; a mark that cannot be written holds up no send."""
    global _latest
    with _lock:
        if (armed, attempt.pk) < _latest:  # a slower thread's
            return
        _latest = armed, attempt.pk
        text = f"{armed:010d} {attempt.pk:020d} {attempt.uid}\n"  # of one length: replaced in place
        try:
            file = os.open(_path(), os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.pwrite(file, text.encode(), 0)
            finally:
                os.close(file)
        except OSError as error:
            log.error("the last send could not be noted in DATA_DIR: %s", error.strerror)


def noted() -> Mark | None:
    """Return what was noted; ``None`` when nothing was, or nothing that can be read."""
    try:
        armed, attempt, uid = _path().read_text().split()
        return Mark(int(armed), int(attempt), uuid.UUID(uid))
    except (OSError, ValueError):
        return None


def forget() -> None:
    """Forget it: what is in the database is all there was."""
    global _latest
    _latest = (0, 0)
    _path().unlink(missing_ok=True)


def _path() -> Path:
    return Path(settings.DATA_DIR) / "last-send"
