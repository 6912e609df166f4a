"""Sees that a platform takes calls and answers none while they still hang: their own deadline is late for a circuit.

Of one process: several calls of a shop under way, the oldest for ``SILENT_SECONDS``, and none answered since it began.
A platform that is merely slow answers some of them meanwhile.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from cancellations.shops import health
from cancellations.shops.models import Shop
from providers.errors import Cause, OutcomeUnknown, Unreachable

log = logging.getLogger(__name__)

SILENT_SECONDS = 8.0
LEAST_CALLS = 3
LOOK_SECONDS = 0.5

_change, _never = threading.Lock(), threading.Event()
_under_way: dict[int, dict[int, float]] = {}  # by shop, by thread: since when
_answered: dict[int, float] = {}  # by shop: when a call last came back
_watching = False


@contextmanager
def watched(shop: Shop) -> Iterator[None]:
    """Count what goes on inside as one call of the shop, by this thread."""
    me, begun, heard = threading.get_ident(), time.monotonic(), True
    with _change:
        _under_way.setdefault(shop.pk, {})[me] = begun
        _have_somebody_look()
    try:
        yield
    except (OutcomeUnknown, Unreachable):
        heard = time.monotonic() < begun + SILENT_SECONDS  # else only its own time was over
        raise
    finally:
        with _change:
            del _under_way[shop.pk][me]
            if not _under_way[shop.pk]:
                del _under_way[shop.pk]
            if heard:
                _answered[shop.pk] = time.monotonic()


def silent_shops() -> list[int]:
    """Return the shops whose calls all hang."""
    now = time.monotonic()
    with _change:
        return [
            shop
            for shop, calls in _under_way.items()
            if len(calls) >= LEAST_CALLS
            and (first := min(calls.values())) <= now - SILENT_SECONDS
            and _answered.get(shop, 0.0) < first
        ]


def _have_somebody_look() -> None:
    global _watching
    if not _watching:
        _watching = True
        threading.Thread(target=_look, name="silence", daemon=True).start()


def _look() -> None:
    global _watching
    held: set[int] = set()
    try:
        while True:
            _never.wait(LOOK_SECONDS)
            silent = set(silent_shops())
            for shop in silent - held:
                _hold(shop)
            held = silent
            with _change:
                if not _under_way:
                    _watching = False
                    return
    finally:
        connection.close()


def _hold(shop: int) -> None:
    try:
        error = OutcomeUnknown("timeout", f"no call was answered for {SILENT_SECONDS:.0f} seconds", cause=Cause.NETWORK)
        health.hold(Shop.objects.get(pk=shop), error)
    except Exception:
        log.exception("shop %s does not answer, and could not be put on hold", shop)
        connection.close()
