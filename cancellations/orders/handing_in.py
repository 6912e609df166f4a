"""A file of orders handed in on a page: stored, noted, and left to a worker."""

import uuid
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from cancellations import ring
from cancellations.orders import importing, tasks
from cancellations.orders.models import FileImport
from cancellations.orders.reading import clean
from cancellations.shops.models import Shop


def hand_in(shop: Shop, upload: "UploadedFile[Any]", *, by: Any) -> FileImport:
    """Store an uploaded file, write the event, and ring for a worker.

    Args:
        upload: At most ``importing.MOST_BYTES``.
    """
    folder = Path(settings.MEDIA_ROOT)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"{uuid.uuid4().hex}.csv"
    with (folder / name).open("xb") as stored:
        for piece in upload.chunks():
            stored.write(piece)
    columns = {"name": clean(Path(upload.name or "").name, 200), "path": name, "size": upload.size or 0}
    with transaction.atomic():
        handed = FileImport.objects.create(shop=shop, by=by, handed_in_at=timezone.now(), **columns)
        importing.record(
            shop, "orders.handed_in", by=by, pk=handed.pk, data={"file": handed.name, "bytes": handed.size}
        )
        ring.ring(tasks.import_file, handed.pk)
    return handed
