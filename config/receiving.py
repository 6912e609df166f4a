"""How a worker takes a message: one of a wrong shape is thrown away, and never a reason to end.

Celery does so itself with what it can't decode or doesn't know. What decodes to something else than a message would end
the worker, be put back, and end the next one.
"""

import logging
from collections.abc import Callable
from typing import Any

from celery.worker.consumer import Consumer

_WRONG_SHAPE = (AttributeError, LookupError, TypeError, ValueError, OverflowError)

logger = logging.getLogger(__name__)


class CarefulConsumer(Consumer):
    """Celery's own, but for what is no message."""

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], Any]:
        """Return what is called with each message that arrives."""
        take = super().create_task_handler(*args, **kwargs)

        def receive(message: Any) -> Any:
            try:
                return take(message)
            except _WRONG_SHAPE as error:
                logger.error("What the broker holds is no message (%s); it was thrown away.", type(error).__name__)
                if not message.acknowledged:
                    message.reject_log_error(logger, self.connection_errors)  # type: ignore[attr-defined]

        return receive
