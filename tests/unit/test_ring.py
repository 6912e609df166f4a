"""The doorbell never makes trouble for whoever rings it."""

import logging
from typing import Any

import pytest
from django.db import transaction
from kombu.exceptions import OperationalError

from cancellations import ring


class Bell:
    """A task whose broker does as a test says."""

    name = "cancellations.some.task"

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.heard = error, []  # type: ignore[var-annotated]

    def apply_async(self, args: tuple[Any, ...], **_how: Any) -> None:
        if self.error:
            raise self.error
        self.heard.append(args)


@pytest.mark.parametrize("error", [OperationalError("redis://:secret-9f31@host is down"), OSError("disk full")])
def test_a_broker_that_is_down_is_logged_without_its_address_and_not_raised(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        ring._publish(Bell(error), (1,))
    assert "cancellations.some.task" in caplog.text
    assert "secret-9f31" not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_it_rings_only_once_what_it_speaks_of_is_committed() -> None:
    bell, silent = Bell(), Bell()
    with transaction.atomic():
        ring.ring(bell, 7)
        assert bell.heard == []
    assert bell.heard == [(7,)]
    with transaction.atomic():
        ring.ring(silent, 8)
        transaction.set_rollback(True)
    assert silent.heard == []
