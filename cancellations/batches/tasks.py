"""Doorbells of batches: each says only that there is work. Lost, doubled or late, they do no harm."""

from celery import shared_task

from cancellations import ring
from cancellations.batches import ending, planning, running
from cancellations.batches.states import BatchState
from cancellations.shops.models import Pulse


@shared_task
def plan(batch_id: int) -> None:
    """Plan a batch that was handed in."""
    planning.plan(batch_id)


@shared_task
def advance(batch_id: int) -> None:
    """Ask for the next rows of a running batch; hold or take back those of one that does not run."""
    ending.end_what_was_restored()
    if running.advance(batch_id):
        ring.ring(advance, batch_id)


@shared_task
def sweep(pause: float = 0.0) -> None:
    """Ring for every batch that has something to do; not so soon after the last sweep."""
    if not Pulse.beat("bulk", pause=pause):
        return
    ending.end_what_was_restored()
    planning.forget_leftovers()
    for batch_id, state in running.live().values_list("pk", "state"):
        ring.ring(plan if state == BatchState.PLANNING else advance, batch_id)
