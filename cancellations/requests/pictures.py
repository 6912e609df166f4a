"""A picture that shows how an outcome was found out: judged by its content, kept privately, named by the record."""

import hashlib
import os
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext as _

from cancellations.requests.models import CancellationRequest
from cancellations.requests.refusals import NotAsked

MOST_BYTES = 5 * 1024 * 1024
TYPES = {"png": "image/png", "jpeg": "image/jpeg"}
_PNG = b"\x89PNG\r\n\x1a\n"


class Picture(models.Model):
    """One picture of one cancellation.

    Attributes:
        file: Its name in the folder of pictures; made by us.
        kind: ``png`` or ``jpeg``, by its content.
        sha256: Hex; stands in the event, too, so that the record shows an exchanged file.
    """

    cancellation = models.ForeignKey(CancellationRequest, on_delete=models.PROTECT, related_name="pictures")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="pictures")
    at = models.DateTimeField(auto_now_add=True)
    file = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=4)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)

    def __str__(self) -> str:
        return self.file

    @property
    def facts(self) -> dict[str, Any]:
        """What the record keeps of it."""
        return {"id": self.pk, "kind": self.kind, "size": self.size, "sha256": self.sha256}

    @property
    def path(self) -> Path:
        """Where it lies."""
        return folder() / self.file


def folder() -> Path:
    """Return where pictures lie: nobody but the program may look."""
    return Path(settings.DATA_DIR) / "pictures"


def kind_of(content: bytes) -> str:
    """Return ``png`` or ``jpeg`` when the content is one whole picture and nothing else, else ""."""
    if content.startswith(_PNG):
        return "png" if _is_png(content) else ""
    return "jpeg" if _is_jpeg(content) else ""


def _is_png(content: bytes) -> bool:
    at, first = len(_PNG), True
    while at + 12 <= len(content):
        size, name = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        ends = at + 12 + size
        if ends > len(content) or (first and (name, size) != (b"IHDR", 13)):
            return False
        if zlib.crc32(content[at + 4 : ends - 4]) != int.from_bytes(content[ends - 4 : ends], "big"):
            return False
        if name == b"IEND":
            return ends == len(content)
        at, first = ends, False
    return False


def _is_jpeg(content: bytes) -> bool:
    if not (content.startswith(b"\xff\xd8\xff") and content.endswith(b"\xff\xd9")):
        return False
    at, framed = 2, False
    while at + 4 <= len(content) and content[at] == 0xFF:
        mark, size = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        if mark == 0xDA:  # the picture's own data: up to the end mark
            return framed
        framed = framed or 0xC0 <= mark <= 0xCF
        at += 2 + size
    return False


@contextmanager
def keeping(upload: Any, pk: int) -> Iterator[dict[str, Any]]:
    """Keep an uploaded picture while something is decided; it goes again when that fails.

    Yields:
        The columns of its row; empty without an upload.

    Raises:
        NotAsked: It is too large, or no picture.
    """
    if upload is None:
        yield {}
        return
    if upload.size > MOST_BYTES:
        raise NotAsked(_("The picture is larger than 5 MB."), "picture")
    content = upload.read(MOST_BYTES + 1)
    kind = kind_of(content)
    if not kind:
        raise NotAsked(_("This is no PNG or JPEG picture."), "picture")
    folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"{pk}-{uuid.uuid4().hex}.{kind}"
    path = folder() / name
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stored:
        stored.write(content)
        stored.flush()
        os.fsync(stored.fileno())
    try:
        yield {"file": name, "kind": kind, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    except BaseException:
        path.unlink(missing_ok=True)
        raise
