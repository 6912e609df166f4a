"""The order list as a sequence of windows: its place as text, and the query that continues from there.

Source: "Querying Orders": at most a year from ``create_time_begin`` to ``create_time_end``, at most 100 a page, and an
offset counted in orders.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from providers.errors import Rejected
from providers.huaweicloud import advice

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
MOST_ROWS = 100
_WINDOW = timedelta(days=360)
_CREATED, _PAID, _ALL = "created", "paid", "all"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Place:
    """Where a listing stands.

    Orders carry no time of change. Each window is asked for twice: for what was placed in it, then for what was paid
    in it. An order that lapses unpaid shows only when it is read by itself.

    Attributes:
        by: ``created``, then ``paid``; or ``all`` without any window.
        begin: Where this window begins.
        end: Where the last window ends; fixed on the first page, so that new orders shift nothing.
        offset: Orders of this window already seen.
    """

    by: str
    begin: datetime
    end: datetime
    offset: int = 0

    @classmethod
    def first(cls, since: datetime | None, now: datetime) -> "Place":
        """Return where to begin; a minute of grace on either side for the two clocks."""
        if since is None:
            return cls(_ALL, _EPOCH, now)
        grace = timedelta(minutes=1)
        end = now.astimezone(UTC) + grace
        return cls(_CREATED, min(since.astimezone(UTC) - grace, end), end)

    @classmethod
    def parse(cls, cursor: str, since: datetime | None, now: datetime) -> "Place":
        """Read a cursor given out before, "" for the beginning.

        Raises:
            Rejected: It is none of ours.
        """
        if not cursor:
            return cls.first(since, now)
        try:
            by, begin, end, offset = cursor.split("~")
            place = cls(by, _time(begin), _time(end), int(offset))
        except ValueError as error:
            raise Rejected("cursor", advice=advice.BAD_CURSOR) from error
        if by not in (_CREATED, _PAID, _ALL) or place.offset < 0:
            raise Rejected("cursor", advice=advice.BAD_CURSOR)
        return place

    def text(self) -> str:
        """Return it as a cursor."""
        return f"{self.by}~{self.begin.strftime(TIME_FORMAT)}~{self.end.strftime(TIME_FORMAT)}~{self.offset}"

    def query(self, limit: int) -> list[tuple[str, str]]:
        """Return the parameters of this page; never an empty value, for editions disagree on what one means."""
        pairs = [("limit", str(limit)), ("offset", str(self.offset)), ("order_by", "createTime")]
        if self.by == _ALL:
            return pairs
        name = "create_time" if self.by == _CREATED else "payment_time"
        until = min(self.begin + _WINDOW, self.end)
        return [
            *pairs,
            (f"{name}_begin", self.begin.strftime(TIME_FORMAT)),
            (f"{name}_end", until.strftime(TIME_FORMAT)),
        ]

    def after(self, rows: int, limit: int, total: int | None) -> "Place | None":
        """Return where the next page begins, or ``None`` after the last.

        The total may change from page to page: a full page is always followed, an empty one never.
        """
        if rows and (rows >= limit or self.offset + rows < (total or 0)):
            return replace(self, offset=self.offset + rows)
        if self.by == _ALL:
            return None
        if self.by == _CREATED:
            return replace(self, by=_PAID, offset=0)
        if self.begin + _WINDOW < self.end:
            return replace(self, by=_CREATED, begin=self.begin + _WINDOW, offset=0)
        return None


def _time(text: str) -> datetime:
    return datetime.strptime(text, TIME_FORMAT).replace(tzinfo=UTC)
