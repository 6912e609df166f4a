"""The last claim this machine made, kept outside the database: a database that does not know it is an older one.

Written after it is committed and before a byte leaves. Without waiting for the disk: who restores a backup does
not do so in the middle of a power cut. For the same reason written in place, with a checksum for who reads meanwhile:
to rename it into place takes milliseconds of each claim, and a lock could be kept by a process that is frozen.
"""

import logging
import os
import threading
import uuid
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from zlib import crc32

from django.conf import settings

from cancellations.requests.models import Attempt

log = logging.getLogger(__name__)

_MOST_READS = 20
_HALF_WRITTEN_SECONDS = 0.002

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
        text = f"{armed:010d} {attempt.pk:020d} {attempt.uid}"  # of one length: replaced in place
        try:
            file = os.open(_path(), os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.pwrite(file, f"{text} {_checksum(text)}\n".encode(), 0)
            finally:
                os.close(file)
        except OSError as error:
            log.error("the last send could not be noted in DATA_DIR: %s", error.strerror)


def noted() -> Mark | None:
    """Return what was noted; ``None`` when nothing was, or nothing that can be read.

    Half of one mark over half of another is an attempt no database knows, so it is read again until it is whole.
    """
    for _again in range(_MOST_READS):
        try:
            found = _path().read_text()
        except (OSError, ValueError):
            return None
        if mark := _whole(found):
            return mark
        sleep(_HALF_WRITTEN_SECONDS)
    return None


def _whole(line: str) -> Mark | None:
    try:
        armed, attempt, uid, *checksum = line.split()
        found = Mark(int(armed), int(attempt), uuid.UUID(uid))
    except ValueError:
        return None
    # Older versions wrote none: who restores a backup may have done so because an upgrade went wrong.
    return found if checksum in ([], [_checksum(f"{armed} {attempt} {uid}")]) else None


def _checksum(text: str) -> str:
    return f"{crc32(text.encode()):08x}"


def forget() -> None:
    """Forget it: what is in the database is all there was."""
    global _latest
    _latest = (0, 0)
    _path().unlink(missing_ok=True)


def _path() -> Path:
    return Path(settings.DATA_DIR) / "last-send"
