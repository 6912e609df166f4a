"""The doorbell: publishing a task never raises and never holds its caller up for long.

A message only says that there is work. The rows say what, and the sweeper rings again for what was not heard. So a
broker that does not answer is given up after a second, and left alone for a while: a request may ring several times.
Who takes messages has connections of its own, which are more patient.
"""

import logging
import os
import threading
import time
from typing import Any

from celery import current_app
from celery.signals import worker_shutting_down
from django.conf import settings
from django.db import transaction
from kombu.pools import producers

SECONDS = 1.0
QUIET_SECONDS = 10.0
# What failed sooner may have been a connection that broke while nobody used it.
AT_ONCE_SECONDS = 0.3

logger = logging.getLogger(__name__)
_ending = threading.Event()
_quiet_until = 0.0


@worker_shutting_down.connect
def _note_the_end(**_facts: Any) -> None:
    _ending.set()


def is_ending() -> bool:
    """Tell whether this worker was told to end: what goes on in slices stops, and is rung for again."""
    return _ending.is_set()


def ring(task: Any, *args: Any) -> None:
    """Publish a task once the transaction under way is committed; at once where there is none."""
    transaction.on_commit(lambda: _publish(task, args))


def broker_answers(seconds: int = 3) -> None:
    """Reach the broker, or see that the spool's folder can be written; raises when that fails."""
    if settings.BROKER_URL == "spool":
        folder = str(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_out"])
        nearest = folder if os.path.isdir(folder) else settings.DATA_DIR
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise OSError("the spool cannot be written")
        return
    with current_app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=seconds)


def is_broker_there(seconds: float = 2.0) -> bool:
    """Tell whether the broker answers in time; one that is frozen holds up nobody longer than that."""
    answered = threading.Event()

    def look() -> None:
        try:
            broker_answers()
        except Exception:  # noqa: BLE001 - whatever it is, it does not answer, and the cause may hold an address
            return
        answered.set()

    threading.Thread(target=look, daemon=True).start()
    return answered.wait(seconds)


def _publish(task: Any, args: tuple[Any, ...]) -> None:
    global _quiet_until
    begun = time.monotonic()
    if begun < _quiet_until:
        return
    try:
        try:
            _put(task, args)
        except Exception:
            if time.monotonic() - begun > AT_ONCE_SECONDS:
                raise
            _put(task, args)
    except Exception as error:  # noqa: BLE001 - what it speaks of is committed, so nothing may look like a failure
        # The kind alone: the text may hold the broker's address with its password.
        logger.warning("The broker did not take %s (%s); the sweeper rings again.", task.name, type(error).__name__)
        now = time.monotonic()
        if now - begun > AT_ONCE_SECONDS:
            _quiet_until = now + QUIET_SECONDS


def _put(task: Any, args: tuple[Any, ...]) -> None:
    hasty = {
        "socket_timeout": SECONDS,
        "socket_connect_timeout": SECONDS,
        "retry_on_timeout": False,
        "read_timeout": SECONDS,
        "write_timeout": SECONDS,
        "max_retries": 0,
    }
    line = current_app.connection_for_write(connect_timeout=SECONDS, transport_options=hasty)
    with producers[line].acquire(block=True, timeout=SECONDS) as producer:
        try:
            task.apply_async(args=args, producer=producer, retry=False, confirm_timeout=SECONDS)
        except Exception:
            producer.connection.collect()  # to close it in good form waits for an answer, twice
            raise
