"""A CSV of orders into the index, streamed: every bad line named, the good ones kept, memory flat.

What is wrong is told as it is met; only the first of it stays in memory, and in the row a page shows. The command
reads a file at once. A file handed in on a page is stored first and read by a worker; reading it again from the start
does no harm, so a worker that died is replaced by the next.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from cancellations.audit import trail
from cancellations.orders import indexing, refused, sheet
from cancellations.orders.cells import Fault
from cancellations.orders.models import FileImport
from cancellations.shops.connection import card_of
from cancellations.shops.models import Shop
from providers.contract import PlatformOrder
from providers.errors import ProviderError

MOST_LINES = 100_000
MOST_BYTES = 32 * 1024 * 1024
MOST_FAULTS = 100
BATCH = 500
LEASE = timedelta(minutes=2)

TOO_MANY = gettext_noop(
    "The file has more than %(most)s lines; those after were not read. Split it into several files."
)
_GONE = gettext_noop("The file is not there any more. Hand it in again.")


@dataclass
class Result:
    """What became of a file.

    Attributes:
        good: Lines now in the index.
        bad: Lines refused; the faults of the first of them in ``faults`` as ``[line number, sentence, data]``.
        repeated: Lines skipped, because an earlier one spoke of the same order.
        error: Why reading ended early; with its ``data``. "" when the whole file was read.
    """

    good: int = 0
    bad: int = 0
    repeated: int = 0
    faults: list[list[Any]] = field(default_factory=list)
    error: str = ""
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def lines(self) -> int:
        """Lines read, the first one not counted."""
        return self.good + self.bad + self.repeated

    def refuse(self, number: int, faults: Iterable[Fault]) -> None:
        """Count a bad line, and hold all that is wrong with it while there are few."""
        self.bad += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults += [[number, fault.sentence, dict(fault.data)] for fault in faults]


def import_file(
    shop: Shop,
    file: BinaryIO,
    *,
    tell: Callable[[int, Fault], None] | None = None,
    progress: Callable[[Result], None] | None = None,
) -> Result:
    """Read a whole file into the index.

    Args:
        file: Binary and seekable.
        tell: Called with the line's number for all that is wrong, as it is met.
        progress: Called after each batch.
    """
    result = Result()
    seen_at = timezone.now()
    try:
        orders = _orders(shop, file, result, tell)
        while batch := list(islice(orders, BATCH)):
            indexing.put_many(shop, batch, seen_at=seen_at, source=indexing.FILE)
            result.good += len(batch)  # none was left out: by the same rule its line would have been refused
            if progress:
                progress(result)
    except sheet.Unreadable as problem:
        result.error, result.data = problem.sentence, problem.data
    return result


def lines_in(faults: Iterable[Sequence[Any]]) -> int:
    """Return how many lines these faults are of."""
    return len({number for number, *_ in faults})


def unread() -> QuerySet[FileImport]:
    """Return the files nobody has finished and nobody is reading."""
    free = Q(lease_until=None) | Q(lease_until__lt=timezone.now())
    return FileImport.objects.filter(free, finished_at=None).order_by("pk")


def run(import_id: int) -> None:
    """Read a file that was handed in, unless another worker does; the file is deleted afterwards."""
    if not unread().filter(pk=import_id).update(lease_until=timezone.now() + LEASE):
        return
    handed = FileImport.objects.select_related("shop", "by").get(pk=import_id)
    path = Path(settings.MEDIA_ROOT) / handed.path
    row = FileImport.objects.filter(pk=import_id)

    def progress(so_far: Result) -> None:
        row.update(lease_until=timezone.now() + LEASE, **_columns(so_far))

    try:
        with path.open("rb") as file, refused.keeping(import_id) as keep:
            result = import_file(handed.shop, file, tell=keep, progress=progress)
    except FileNotFoundError:
        result = Result(error=_GONE)
    except ProviderError as error:  # the shop's platform is not known to this version
        result = Result(error=error.advice.admin or error.advice.agent)
    row.update(
        finished_at=timezone.now(),
        lease_until=None,
        path="",
        error=result.error,
        error_data=result.data,
        **_columns(result),
    )
    path.unlink(missing_ok=True)
    record(handed.shop, "orders.imported", by=handed.by, pk=import_id, data={"file": handed.name, **counts(result)})


def counts(result: Result) -> dict[str, int]:
    """Return the numbers of a result, for an event or a line of output."""
    return {"good": result.good, "bad": result.bad, "repeated": result.repeated}


def record(shop: Shop, verb: str, *, by: Any, pk: object = "", data: dict[str, Any]) -> None:
    """Write the event of a file."""
    trail.record(verb, by=by, subject_kind="import", subject_id=pk, subject=str(data["file"]), shop=shop, data=data)


def _columns(result: Result) -> dict[str, Any]:
    return {**counts(result), "faults": result.faults}


def _orders(
    shop: Shop, file: BinaryIO, result: Result, tell: Callable[[int, Fault], None] | None
) -> Iterator[PlatformOrder]:
    """Yield the good lines; the bad and the repeated ones end up in the result."""
    card = card_of(shop)
    met: set[bytes] = set()  # eight bytes a line, not the line
    for read, line in enumerate(sheet.lines(card, file), start=1):
        if read > MOST_LINES:
            result.error, result.data = TOO_MANY, {"most": MOST_LINES}
            return
        if line.faults:
            result.refuse(line.number, line.faults)
            if tell:
                for fault in line.faults:
                    tell(line.number, fault)
        elif line.order:
            key = blake2b(card.identity(line.order.ref).encode(), digest_size=8).digest()
            if key in met:
                result.repeated += 1
            else:
                met.add(key)
                yield line.order
