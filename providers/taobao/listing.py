"""How a list without pages is walked: one window of time after the other, each narrow enough to come whole.

The list call's paging is not documented, so only its documented time filters are used. A window that comes back
full is asked again, half as wide; rows seen twice do no harm.
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from providers.taobao.auth import stamp

# Assumed: no answer is cut short below this many rows; Taobao's lists usually show 20 or 40.
FULL_ROWS = 20
# Assumed: how far back orders are listed when nobody says since when.
_FIRST_SYNC_DAYS = 90
_WIDEST = 7 * 24 * 3600
_NARROWEST = 60
_END = "end_time"
_CURSOR = re.compile(r"(create_time|pay_time|end_time)\|([0-9]{1,10})\|([1-9][0-9]{0,6})\|([0-9]{1,10})?")


@dataclass(frozen=True)
class Window:
    """One question to the list.

    Attributes:
        field: ``create_time``, ``pay_time`` or ``end_time``: orders made, paid or ended.
        start: Epoch seconds.
        width: Seconds. The end filter has no documented upper bound, so there it stands for "until now".
        since: Where the walk began, or ``None`` for a first one, which sees every order when it looks at the made ones.
    """

    field: str
    start: int
    width: int
    since: int | None

    @classmethod
    def first(cls, since: datetime | None, now: datetime) -> "Window":
        begin = since or now - timedelta(days=_FIRST_SYNC_DAYS)
        return cls("create_time", int(begin.timestamp()), _WIDEST, int(since.timestamp()) if since else None)

    @classmethod
    def read(cls, cursor: str) -> "Window":
        """Read a cursor. Raises ``ValueError`` when it is none of ours."""
        found = _CURSOR.fullmatch(cursor)
        if not found:
            raise ValueError("no cursor of ours")
        field, start, width, since = found.groups()
        return cls(field, int(start), int(width), int(since) if since else None)

    def cursor(self) -> str:
        return f"{self.field}|{self.start}|{self.width}|{'' if self.since is None else self.since}"

    def filters(self) -> dict[str, str]:
        """Return the request's fields."""
        asked = {f"{self.field}_start": _text(self.start)}
        return asked if self.field == _END else {**asked, f"{self.field}_end": _text(self.start + self.width)}

    def following(self, rows: int, now: datetime) -> "Window | None":
        """Return the window to ask next, or ``None`` after the last.

        Args:
            rows: How many rows this one brought.
        """
        if self.field == _END:
            return None
        if rows >= FULL_ROWS and self.width > _NARROWEST:
            return replace(self, width=max(_NARROWEST, self.width // 2))
        end = self.start + self.width
        if end < now.timestamp():
            wider = self.width * 2 if rows < FULL_ROWS // 4 else self.width
            return replace(self, start=end, width=min(_WIDEST, wider))
        if self.since is None:
            return None
        return Window("pay_time" if self.field == "create_time" else _END, self.since, _WIDEST, self.since)


def _text(epoch: int) -> str:
    return stamp(datetime.fromtimestamp(epoch, UTC))
