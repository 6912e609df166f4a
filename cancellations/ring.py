"""The doorbell: publishing a task never raises and never holds its caller up for long.

A message only says that there is work. The rows say what, and the sweeper rings again for what was not heard.
"""

import logging
from typing import Any

from django.db import transaction

logger = logging.getLogger(__name__)


def ring(task: Any, *args: Any) -> None:
    """Publish a task once the transaction under way is committed; at once where there is none."""
    transaction.on_commit(lambda: _publish(task, args))


def _publish(task: Any, args: tuple[Any, ...]) -> None:
    try:
        task.apply_async(args=args)
    except Exception as error:  # noqa: BLE001 - what it speaks of is committed, so nothing may look like a failure
        # The kind alone: the text may hold the broker's address with its password.
        logger.warning("The broker did not take %s (%s); the sweeper rings again.", task.name, type(error).__name__)
