"""What this process has claimed and not begun to send: a few for each shop, so that one claim serves many sends.

Nothing lies here for long. What a shop leaves that became slow, held or paced is put back: it provably never left.
"""

import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from cancellations.requests import claiming, delivery
from cancellations.requests.claiming import SEND_SECONDS, Claimed
from cancellations.requests.concluding import NotBegun, Sent, conclude_patiently
from cancellations.requests.models import ONE_BY_ONE
from cancellations.requests.outcomes import Outcomes

STALE_SECONDS = min(5.0, SEND_SECONDS / 4)
# As much is claimed ahead as the shop sent lately in so many seconds, and no more than this.
AHEAD_SECONDS = 1.0
MOST_AHEAD = 32


@dataclass
class _Shelf:
    """One shop's: what lies there, and whether somebody fetches more.

    Attributes:
        pace: Sends a second in the last whole second or more; ``sent`` since ``since`` are those of the next.
    """

    claimed: deque[Claimed] = field(default_factory=deque)
    fetching: bool = False
    pace: float = 0.0
    sent: int = 0
    since: float = field(default_factory=time.monotonic)

    def is_low(self, room: int) -> bool:
        return 4 * len(self.claimed) < room

    def ahead(self) -> int:
        """Return how many will be sent in a moment, if it goes on as it went."""
        return min(int(self.pace * AHEAD_SECONDS), MOST_AHEAD)

    def count(self) -> None:
        """Note that one was sent."""
        passed = time.monotonic() - self.since
        self.sent += 1
        if passed >= 1.0:
            self.pace, self.sent, self.since = self.sent / passed, 0, time.monotonic()


class Stock:
    """The shelves of one process, for its threads that send."""

    def __init__(self) -> None:
        self.outcomes = Outcomes()
        self._change = threading.Condition()
        self._shelves: dict[int, _Shelf] = {}

    def serve(self, shop_id: int, room: int) -> float | None:
        """Send one request of a shop; claims when the shelf is low.

        Args:
            room: How many calls could be begun now, this one included.

        Returns:
            As ``delivery.serve``.
        """
        shelf = self._shelves.setdefault(shop_id, _Shelf())
        with self._change:
            room += shelf.ahead()
            if not shelf.claimed:
                self._change.wait_for(lambda: shelf.claimed or not shelf.fetching)
            one = shelf.claimed.popleft() if shelf.claimed else None
            fetch = not shelf.fetching and shelf.is_low(room if one is None else room - 1)
            shelf.fetching |= fetch
            told: float | None = 0.0  # who did not fetch looks again
        if fetch:
            one, told = self._fetch(shop_id, shelf, room - len(shelf.claimed), one)
        if one is None:
            return told
        if time.monotonic() > one.at + STALE_SECONDS:
            _put_back([one])
            return 0.0
        alone = one.cancellation.priority == ONE_BY_ONE
        shelf.count()
        if not (delivery.deliver(one) if alone else delivery.deliver(one, self.outcomes.add)):
            _put_back(self._clear(shelf))
        return 0.0

    def tidy(self, closing: bool) -> None:
        """Put back what has lain too long; on closing, everything."""
        long_ago = time.monotonic() - STALE_SECONDS
        for shelf in list(self._shelves.values()):
            first = next(iter(shelf.claimed), None)
            if first and (closing or first.at < long_ago):
                _put_back(self._clear(shelf))

    def _fetch(
        self, shop_id: int, shelf: _Shelf, most: int, one: Claimed | None
    ) -> tuple[Claimed | None, float | None]:
        """Claim for the shelf; return the one in hand, or the first there is, and what ``claim_due`` told."""
        claimed: list[Claimed] = []
        told: float | None = None
        try:
            claimed, told = claiming.claim_due(shop_id, most)
        finally:
            with self._change:
                shelf.fetching = False
                # What somebody waits for lies in front.
                every = sorted([*shelf.claimed, *claimed], key=lambda each: each.cancellation.priority)
                shelf.claimed = deque(every)
                self._change.notify_all()
                if one is None and every:
                    one = shelf.claimed.popleft()
        return one, 0.0 if claimed else told

    def _clear(self, shelf: _Shelf) -> list[Claimed]:
        with self._change:
            every = list(shelf.claimed)
            shelf.claimed.clear()
            return every


def _put_back(some: Iterable[Claimed]) -> None:
    for one in some:
        never = NotBegun("not-begun", "this process did not come to send it")
        conclude_patiently(one.cancellation, one.attempt, Sent(None, never, []))
