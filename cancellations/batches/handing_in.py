"""What somebody hands in for a bulk: stored, noted, and left to a worker; the answer comes at once."""

import os
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone

from cancellations import ring
from cancellations.batches import tasks
from cancellations.batches.models import Batch, Source
from cancellations.batches.states import BatchState
from cancellations.orders.reading import clean
from cancellations.people.models import Person
from cancellations.reasons.models import Reason


def folder() -> Path:
    """Return where what was handed in lies until it has been planned; nobody else may read it."""
    return Path(settings.MEDIA_ROOT) / "bulk"


def hand_in(
    *,
    by: Person,
    reason: Reason,
    note: str,
    submission: uuid.UUID,
    text: str = "",
    upload: "UploadedFile[Any] | None" = None,
    orders: Sequence[int] = (),
) -> Batch:
    """Store one of a text, a file or a selection of orders, and ring for a worker to plan it.

    The same submission again gives the batch it gave the first time; somebody else's is refused.

    Raises:
        PermissionError: The submission is somebody else's.
    """
    earlier = _earlier(by, submission)
    if earlier:
        return earlier
    if upload:
        source, title, pieces = Source.FILE, clean(Path(upload.name or "").name, 200), upload.chunks()
    elif orders:
        source, title, pieces = Source.SELECTION, "", iter([",".join(map(str, orders)).encode()])
    else:
        source, title, pieces = Source.TEXT, "", iter([text.encode("utf-8", "replace")])
    path = _store(pieces)
    now = timezone.now()
    try:
        with transaction.atomic():
            batch = Batch.objects.create(
                source=source, title=title, requested_by=by, requested_at=now, reason=reason, note=note,
                submission=submission, path=path.name, state=BatchState.PLANNING, state_since=now,
            )  # fmt: skip
            batch.record("batch.handed_in", by=by, data={"source": str(source), "reason": reason.code, "note": note})
            ring.ring(tasks.plan, batch.pk)
    except IntegrityError:
        path.unlink(missing_ok=True)
        earlier = _earlier(by, submission)
        if earlier is None:
            raise
        return earlier
    return batch


def _earlier(by: Person, submission: uuid.UUID) -> Batch | None:
    found = Batch.objects.filter(submission=submission).first()
    if found and found.requested_by_id != by.pk:
        raise PermissionError
    return found


def _store(pieces: Iterable[bytes]) -> Path:
    place = folder()
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = place / uuid.uuid4().hex
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stored:
        for piece in pieces:
            stored.write(piece)
        stored.flush()
        os.fsync(stored.fileno())
    return path
