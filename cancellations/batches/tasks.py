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
    """Advance one batch and ring for every other that has something to do; not so soon after the last sweep."""
    if not Pulse.beat("bulk", pause=pause):
        return
    ending.end_what_was_restored()
    planning.forget_leftovers()
    mine = 0
    for batch_id, state in running.live().order_by("pk").values_list("pk", "state"):
        if state == BatchState.PLANNING:
            ring.ring(plan, batch_id)
        elif mine:
            ring.ring(advance, batch_id)
        else:
            mine = batch_id  # mostly there is one, and a message every other second would be half of what it costs
    if mine:
        running.advance(mine)  # whatever it leaves is for the next sweep
