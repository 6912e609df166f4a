"""What beat rings for. A ring that nobody heard in time is dropped: the next one says the same."""

from typing import Any


def beat_schedule(sweep_seconds: float) -> dict[str, dict[str, Any]]:
    """Return Celery's beat schedule; ``sweep_seconds`` is how often what is due is rung for again."""
    return {
        "sweep": {"task": "cancellations.requests.tasks.sweep", "schedule": sweep_seconds, "options": {"expires": 15}},
        "bulk": {"task": "cancellations.batches.tasks.sweep", "schedule": 2.0, "options": {"expires": 2}},
        "seal": {"task": "cancellations.audit.tasks.seal", "schedule": 5.0, "options": {"expires": 5}},
        "verify": {"task": "cancellations.audit.tasks.verify_chain", "schedule": 60.0, "options": {"expires": 60}},
        "sync": {"task": "cancellations.orders.tasks.sync_due", "schedule": 30.0, "options": {"expires": 30}},
    }
