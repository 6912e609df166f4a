"""Which ids seals cover for the first time, and what is left of them once some are known."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from cancellations.audit.digests import Runs


class Span(NamedTuple):
    """The ids a seal covers for the first time.

    Attributes:
        first: ``None`` for the lowest there are.
        at: When it was sealed.
        known: What was sealed before is known, so that an event in between which no seal claims is a stray.
    """

    first: int | None
    last: int
    at: datetime
    known: bool


def rest(spans: Sequence[Span], known: Runs) -> Iterator[tuple[int | None, int]]:
    """Yield (first, last) of what is left of the spans without the ids that are known, which ascend."""
    for start, last in _joined(spans):
        first = start
        for run in known:
            if run[0] > last or (first is not None and run[1] < first):
                continue
            if first is None or run[0] > first:
                yield first, run[0] - 1
            first = run[1] + 1
        if first is None or first <= last:
            yield first, last


def _joined(spans: Sequence[Span]) -> Iterator[tuple[int | None, int]]:
    """Yield (first, last), neighbours as one."""
    start, end = None, None
    for span in spans:
        if end is not None and span.first == end + 1:
            end = span.last
            continue
        if end is not None:
            yield start, end
        start, end = span.first, span.last
    if end is not None:
        yield start, end
