"""Doorbells of the sealer and of the check."""

from celery import shared_task

from cancellations.audit import checking, sealing


@shared_task
def seal() -> None:
    """Seal the events of the last seconds."""
    while (made := sealing.seal()) and made.count == sealing.MOST_EVENTS:
        pass


@shared_task
def verify_chain(at_once: bool = False) -> None:
    """Look whether the record is whole, when it is time for that or when somebody asks."""
    if at_once or checking.is_due():
        checking.check()
