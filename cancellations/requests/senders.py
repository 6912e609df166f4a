"""The threads of a worker that send. A free one goes to the shop that has the fewest, so that none holds up another.

A call that hangs stops counting after a moment, and another thread takes its turn: it costs nobody else a thread.
What all processes share, the budget of calls, is in ``pacing.py``; here are only the threads of this one.
"""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from celery.signals import worker_init, worker_shutting_down
from django.conf import settings
from django.db import connection

from cancellations.requests.stock import Stock

log = logging.getLogger(__name__)

SLOW_SECONDS = 3.0
# Of a shop whose calls hang only so many are under way at once: each of them may end in doubt.
MOST_SLOW = 4
LOOK_SECONDS = 0.5
FAULT_SECONDS = 2.0
IDLE_SECONDS = 5.0


class Senders:
    """So many threads, made when there is work.

    Args:
        serve: Sends one request of a shop, knowing how many could be begun there about now: 0 when there may be more,
            seconds to wait, or ``None`` when nothing is to be done there.
        tidy: Called now and then, and with True when no more is begun, or the last thread goes.
    """

    def __init__(
        self, serve: Callable[[int, int], float | None], tidy: Callable[[bool], None] = lambda _closing: None
    ) -> None:
        self._serve, self._tidy = serve, tidy
        self._change = threading.Condition()
        self._most = self._threads = self._idle = self._bells = 0
        self._made: set[threading.Thread] = set()
        self._wanted: dict[int, tuple[float, int]] = {}  # not before; the bell that was heard last
        self._under_way: dict[int, tuple[int, float]] = {}  # by thread: shop, and since when

    @property
    def is_open(self) -> bool:
        """Whether work is taken."""
        return self._most > 0

    def open(self, most: int) -> None:
        """Take work, with so many threads."""
        self._most = most

    def close(self) -> None:
        """Begin nothing more; what is under way ends by itself."""
        with self._change:
            self._most = 0
            self._wanted.clear()
            self._change.notify_all()

    def join(self) -> None:
        """Wait until what was under way has ended, and what was claimed and not begun is put back."""
        for thread in list(self._made):
            thread.join()

    def want(self, shop_id: int) -> bool:
        """Say that there may be work for a shop; return whether work is taken."""
        with self._change:
            if not self.is_open:
                return False
            self._bells += 1
            before = self._wanted.get(shop_id, (0.0, 0))[0]
            self._wanted[shop_id] = (before, self._bells)
            self._have_somebody_look()
            self._change.notify()
            return True

    def under_way(self, shop_id: int) -> int:
        """Return how many threads serve a shop now."""
        with self._change:
            return sum(shop == shop_id for shop, _since in self._under_way.values())

    def _have_somebody_look(self) -> None:
        """While there is work one thread more than work is there to see who may begin next."""
        if self._wanted and not self._idle and self._threads <= 2 * self._most:
            self._threads += 1
            self._idle += 1
            made = threading.Thread(target=self._run, name=f"sender-{self._threads}")
            self._made.add(made)
            made.start()

    def _next(self) -> tuple[int, int] | None:
        """Return the shop that is next, and how many calls could be begun there about now."""
        now = time.monotonic()
        running: dict[int, list[float]] = {}
        for shop, since in self._under_way.values():
            running.setdefault(shop, []).append(now - since)
        prompt = sum(age < SLOW_SECONDS for ages in running.values() for age in ages)
        if prompt >= self._most or len(self._under_way) >= 2 * self._most:
            return None
        found: int | None = None
        fewest, others = self._most, 0
        for shop, (before, _bell) in self._wanted.items():
            ages = running.get(shop, [])
            most = MOST_SLOW if any(age >= SLOW_SECONDS for age in ages) else self._most
            others += before <= now
            if before <= now and len(ages) < min(most, fewest):
                found, fewest = shop, len(ages)
        if found is None:
            return None
        self._wanted[found] = self._wanted.pop(found)  # of equals the one that waited longest is next
        # A fair share of what is free; of a shop whose calls hang each is claimed when it can be sent.
        hangs = any(age >= SLOW_SECONDS for age in running.get(found, ()))
        return found, 1 if hangs else max(1, (self._most - prompt) // others)

    def _run(self) -> None:
        me = threading.get_ident()
        idle_since = time.monotonic()
        while True:
            with self._change:
                chosen = self._next()
                if chosen is None:
                    over = not self.is_open or (not self._wanted and time.monotonic() > idle_since + IDLE_SECONDS)
                    if over or (self._idle > 1 and self._wanted):  # one is enough to look
                        self._threads -= 1
                        self._idle -= 1
                        break
                    self._change.wait(self._pause())
                else:
                    shop, room = chosen
                    bell = self._wanted[shop][1]
                    self._under_way[me] = (shop, time.monotonic())
                    self._idle -= 1
                    self._have_somebody_look()
            if chosen is None:
                self._attend(partial(self._tidy, False))
                continue
            wait = self._attend(partial(self._serve, shop, room))
            with self._change:
                del self._under_way[me]
                self._idle += 1
                idle_since = time.monotonic()
                self._note(shop, bell, wait)
        if not (self.is_open and self._threads):  # nobody is left who would tidy later
            self._attend(partial(self._tidy, True))
        connection.close()
        self._made.discard(threading.current_thread())

    def _attend(self, act: Callable[[], float | None]) -> float | None:
        try:
            return act()
        except Exception:
            log.exception("sending met a fault; it is tried again in a moment")
            connection.close()
            return FAULT_SECONDS

    def _note(self, shop: int, bell: int, wait: float | None) -> None:
        if shop not in self._wanted:
            return
        before, last = self._wanted[shop]
        if wait:
            self._wanted[shop] = (max(before, time.monotonic() + wait), last)
        elif wait is None and last == bell:  # else somebody rang meanwhile
            del self._wanted[shop]

    def _pause(self) -> float:
        now = time.monotonic()
        soonest = min((before for before, _bell in self._wanted.values() if before > now), default=now + LOOK_SECONDS)
        return max(0.01, min(soonest - now, LOOK_SECONDS))


STOCK = Stock()
SENDERS = Senders(STOCK.serve, STOCK.tidy)


@worker_init.connect
def let_the_worker_send(sender: Any, **_facts: Any) -> None:
    """Open the threads where the worker has threads; a worker of processes sends in each of them, one by one."""
    if "thread" in str(sender.pool_cls):
        SENDERS.open(settings.SENDERS or sender.concurrency)


@worker_shutting_down.connect
def end_what_is_under_way(**_facts: Any) -> None:
    """Let a worker that is told to end do so."""
    SENDERS.close()


def see_the_end() -> None:
    """Wait until what was under way is written down, and what was not begun put back."""
    SENDERS.join()
    STOCK.outcomes.join()
