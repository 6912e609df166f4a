"""The threads of a worker that send. A free one goes to the shop that has the fewest, so that none holds up another.

A call that hangs stops counting after a moment, and another thread takes its turn: it costs nobody else a thread.
What all processes share, the budget of calls, is in ``pacing.py``; here are only the threads of this one.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from celery.signals import worker_init, worker_shutting_down
from django.conf import settings
from django.db import connection

from cancellations.requests import delivery

log = logging.getLogger(__name__)

SLOW_SECONDS = 3.0
# Of a shop whose calls hang only so many are under way at once: each of them may end in doubt.
MOST_SLOW = 4
LOOK_SECONDS = 0.5
IDLE_SECONDS = 5.0


class Senders:
    """So many threads, made when there is work.

    Args:
        serve: Sends what goes first in a shop: 0 when there may be more, seconds to wait, or ``None`` when nothing is
            to be done there.
    """

    def __init__(self, serve: Callable[[int], float | None]) -> None:
        self._serve = serve
        self._change = threading.Condition()
        self._most = self._threads = self._idle = self._bells = 0
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

    def want(self, shop_id: int) -> None:
        """Say that there may be work for a shop."""
        with self._change:
            if not self.is_open:
                return
            self._bells += 1
            before = self._wanted.get(shop_id, (0.0, 0))[0]
            self._wanted[shop_id] = (before, self._bells)
            self._have_somebody_look()
            self._change.notify()

    def under_way(self, shop_id: int) -> int:
        """Return how many threads serve a shop now."""
        with self._change:
            return sum(shop == shop_id for shop, _since in self._under_way.values())

    def _have_somebody_look(self) -> None:
        """While there is work one thread more than work is there to see who may begin next."""
        if self._wanted and not self._idle and self._threads <= 2 * self._most:
            self._threads += 1
            self._idle += 1
            threading.Thread(target=self._run, name=f"sender-{self._threads}").start()

    def _next(self) -> int | None:
        now = time.monotonic()
        running: dict[int, list[float]] = {}
        for shop, since in self._under_way.values():
            running.setdefault(shop, []).append(now - since)
        prompt = sum(age < SLOW_SECONDS for ages in running.values() for age in ages)
        if prompt >= self._most or len(self._under_way) >= 2 * self._most:
            return None
        found: int | None = None
        fewest = self._most
        for shop, (before, _bell) in self._wanted.items():
            ages = running.get(shop, [])
            most = MOST_SLOW if any(age >= SLOW_SECONDS for age in ages) else self._most
            if before <= now and len(ages) < min(most, fewest):
                found, fewest = shop, len(ages)
        if found is not None:
            self._wanted[found] = self._wanted.pop(found)  # of equals the one that waited longest is next
        return found

    def _run(self) -> None:
        me = threading.get_ident()
        idle_since = time.monotonic()
        while True:
            with self._change:
                shop = self._next()
                if shop is None:
                    if not self.is_open or (not self._wanted and time.monotonic() > idle_since + IDLE_SECONDS):
                        self._threads -= 1
                        self._idle -= 1
                        break
                    if self._idle > 1 and self._wanted:  # one is enough to look
                        self._threads -= 1
                        self._idle -= 1
                        break
                    self._change.wait(self._pause())
                    continue
                bell = self._wanted[shop][1]
                self._under_way[me] = (shop, time.monotonic())
                self._idle -= 1
                self._have_somebody_look()
            wait = self._attend(shop)
            with self._change:
                del self._under_way[me]
                self._idle += 1
                idle_since = time.monotonic()
                self._note(shop, bell, wait)
        connection.close()

    def _attend(self, shop: int) -> float | None:
        try:
            return self._serve(shop)
        except Exception:
            log.exception("sending for shop %s met a fault; the sweep rings again", shop)
            connection.close()
            return None

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


SENDERS = Senders(delivery.serve)


@worker_init.connect
def let_the_worker_send(sender: Any, **_facts: Any) -> None:
    """Open the threads where the worker has threads; a worker of processes sends in each of them, one by one."""
    if "thread" in str(sender.pool_cls):
        SENDERS.open(settings.SENDERS or sender.concurrency)


@worker_shutting_down.connect
def end_what_is_under_way(**_facts: Any) -> None:
    """Let a worker that is told to end do so."""
    SENDERS.close()
