"""A worker shows by itself that it lives: so one that nobody rings for is told from one that is gone."""

import logging
import threading
import time
from typing import Any

from celery.signals import worker_ready
from django.db import connection

from cancellations import ring
from cancellations.shops import arming
from cancellations.shops.models import Pulse

log = logging.getLogger(__name__)

SECONDS = 15.0  # short beside Pulse.SILENCE: see Pulse.has_worker


@worker_ready.connect
def _begin(**_facts: Any) -> None:
    threading.Thread(target=_beat_on, name="heartbeat", daemon=True).start()


def beat() -> None:
    """Show a sign of life; one that may not send, since its database is a copy, shows none."""
    if arming.standing() != arming.Standing.COPY:
        Pulse.beat(Pulse.ALIVE)


def _beat_on() -> None:
    while not ring.is_ending():
        try:
            beat()
        except Exception as error:  # noqa: BLE001 - a database that is gone for a while must not end this
            log.warning("No sign of life could be written (%s).", type(error).__name__)
        finally:
            connection.close()
        time.sleep(SECONDS)
