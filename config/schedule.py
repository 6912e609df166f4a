"""What beat rings for.

A ring expires by the clock of the worker that takes it, so late that machines may be minutes apart. What is too much to
be done for every ring of a heap is told how long to ``pause`` after the last one, by the database's clock.
"""

from typing import Any

EXPIRES = {"expires": 3600}


def beat_schedule(sweep_seconds: float) -> dict[str, dict[str, Any]]:
    """Return Celery's beat schedule; ``sweep_seconds`` is how often what is due is rung for again."""
    every = {
        "sweep": ("cancellations.requests.tasks.sweep", sweep_seconds, {"pause": sweep_seconds / 2}),
        "bulk": ("cancellations.batches.tasks.sweep", 2.0, {"pause": 1.0}),
        "seal": ("cancellations.audit.tasks.seal", 5.0, {}),
        "verify": ("cancellations.audit.tasks.verify_chain", 60.0, {}),
        "sync": ("cancellations.orders.tasks.sync_due", 30.0, {}),
    }
    return {
        name: {"task": task, "schedule": seconds, "kwargs": told, "options": EXPIRES}
        for name, (task, seconds, told) in every.items()
    }
