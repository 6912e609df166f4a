"""All that was wrong with a file of orders that was handed in: kept beside where it lay, a line for every fault.

The row holds only the first of them, so that neither reading the file nor its page grows with what is wrong.
"""

import json
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext

from cancellations.orders.cells import Fault
from cancellations.spreadsheet import csv_lines

KEPT = timedelta(days=30)
_ENDING = ".faults"


def path_of(import_id: int) -> Path:
    """Return where the faults of a file lie; nothing lies there while it is read, or where nothing was wrong."""
    return Path(settings.MEDIA_ROOT) / f"{import_id}{_ENDING}"


@contextmanager
def keeping(import_id: int) -> Iterator[Callable[[int, Fault], None]]:
    """Hand out what keeps a fault of a line; they lie in their place once all are there."""
    path = path_of(import_id)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)  # of a file of the same number, before a backup was restored
    own = path.with_name(f"{uuid.uuid4().hex}{_ENDING}")
    try:
        with os.fdopen(os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:

            def keep(number: int, fault: Fault) -> None:
                file.write(json.dumps([number, fault.sentence, dict(fault.data)]) + "\n")

            yield keep
        if own.stat().st_size:
            own.replace(path)
    finally:
        own.unlink(missing_ok=True)


def lines(import_id: int) -> Iterator[str]:
    """Yield the faults as a file for spreadsheets, line by line, in the reader's language."""
    return csv_lines((gettext("Line"), gettext("Why")), _rows(path_of(import_id)))


def _rows(path: Path) -> Iterator[tuple[int, str]]:
    with path.open(encoding="utf-8") as file:
        for number, sentence, data in map(json.loads, file):
            yield number, gettext(sentence) % data


def forget() -> None:
    """Drop what is older than :data:`KEPT`, and what a worker that died had begun."""
    oldest = (timezone.now() - KEPT).timestamp()
    for path in Path(settings.MEDIA_ROOT).glob(f"*{_ENDING}"):
        with suppress(FileNotFoundError):  # another worker drops them, too
            if path.stat().st_mtime < oldest:
                path.unlink()
