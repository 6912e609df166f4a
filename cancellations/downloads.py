"""A file to download, of any length: its lines are read while they are taken, in the language of who asked."""

from collections.abc import Iterable, Iterator

from django.http import StreamingHttpResponse
from django.utils.translation import get_language, override

CSV = "text/csv; charset=utf-8"
PIECE = 32 * 1024


def download(lines: Iterable[str], name: str, content_type: str = CSV) -> StreamingHttpResponse:
    """Return lines as a file of this name."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(in_pieces(lines), content_type=content_type, headers=headers)


def in_pieces(lines: Iterable[str]) -> Iterator[bytes]:
    """Join lines to pieces worth sending, for each is sent by itself; now is when the reader's language is known."""
    return _pieces(iter(lines), get_language())


def _pieces(lines: Iterator[str], language: str | None) -> Iterator[bytes]:
    while True:
        with override(language):
            piece = "".join(_some(lines))
        if not piece:
            return
        yield piece.encode()


def _some(lines: Iterator[str]) -> Iterator[str]:
    size = 0
    while size < PIECE and (line := next(lines, "")):
        size += len(line)
        yield line
