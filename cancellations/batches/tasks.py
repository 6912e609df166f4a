"""Doorbells of batches. Each says only that there is work; the rows say what. Lost or doubled, they do no harm."""

from celery import shared_task

from cancellations import ring
from cancellations.batches import planning, running


@shared_task
def plan(batch_id: int) -> None:
    """Plan a batch that was handed in."""
    planning.plan(batch_id)


@shared_task
def advance(batch_id: int) -> None:
    """Ask for the next rows of a running batch."""
    if running.advance(batch_id):
        ring.ring(advance, batch_id)


@shared_task
def sweep() -> None:
    """Ring for every batch that has something to do."""
    for batch_id in planning.unplanned().values_list("pk", flat=True):
        ring.ring(plan, batch_id)
    for batch_id in running.moving().values_list("pk", flat=True):
        ring.ring(advance, batch_id)
