"""Many cancellations asked for at once: what was given, and one row per unit of it. A batch is no state of requests."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cancellations.audit import trail
from cancellations.orders.models import Order
from cancellations.reasons.models import Reason
from cancellations.requests.models import CancellationRequest
from cancellations.shops.models import Shop


class Source(models.TextChoices):
    """Where the rows came from."""

    SELECTION = "selection", _("Selection")
    TEXT = "text", _("Pasted text")
    FILE = "file", _("File")


class BatchState(models.TextChoices):
    """Where a batch stands."""

    PLANNING = "planning", _("Planning")
    PLANNED = "planned", _("Planned")
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    STOPPED = "stopped", _("Stopped")
    DONE = "done", _("Done")
    DISCARDED = "discarded", _("Discarded")


class Verdict(models.TextChoices):
    """What the plan says of a row."""

    READY = "ready", _("Will be cancelled")
    READY_APPROVAL = "ready_approval", _("Needs approval")
    CANCELLED = "cancelled", _("Already cancelled")
    CANNOT = "cannot", _("Can't be cancelled")
    OPEN = "open", _("Open already")
    DOUBLED = "doubled", _("Doubled")
    AMBIGUOUS = "ambiguous", _("Ambiguous")
    UNKNOWN = "unknown", _("Unknown")


READY = (Verdict.READY, Verdict.READY_APPROVAL)
MOVES: dict[str, frozenset[str]] = {
    BatchState.PLANNING: frozenset({BatchState.PLANNED, BatchState.DISCARDED}),
    BatchState.PLANNED: frozenset({BatchState.RUNNING, BatchState.DISCARDED}),
    BatchState.RUNNING: frozenset({BatchState.PAUSED, BatchState.STOPPED, BatchState.DONE}),
    BatchState.PAUSED: frozenset({BatchState.RUNNING, BatchState.STOPPED}),
    BatchState.STOPPED: frozenset(),
    BatchState.DONE: frozenset({BatchState.RUNNING}),  # safe rows tried once more
    BatchState.DISCARDED: frozenset(),
}


class Batch(models.Model):
    """A frozen set of rows, planned and run together.

    Attributes:
        title: The file's name, or "".
        submission: Key of the form it came from; the same form twice gives the same batch.
        path: What was given, below ``DATA_DIR/bulk``; "" once it has been planned.
        error: Why what was given could not be read at all: a sentence, untranslated, and ``error_data``.
        left_out: Lines of a text that held no id; they make no row.
        plan_total: How many rows there are; ``None`` while it is being planned.
        canary: How many rows go first and must be confirmed before the others follow.
        paused_why: ``person`` or ``brake``; ``brake``: the numbers that made it brake.
    """

    source = models.CharField(max_length=12, choices=Source.choices)
    title = models.CharField(max_length=200, blank=True, default="")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="batches")
    requested_at = models.DateTimeField()
    reason = models.ForeignKey(Reason, on_delete=models.PROTECT, related_name="batches")
    note = models.TextField(blank=True, default="")
    submission = models.UUIDField(default=uuid.uuid4, unique=True)
    path = models.CharField(max_length=200, blank=True, default="")
    error = models.TextField(blank=True, default="")
    error_data = models.JSONField(default=dict)
    left_out = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=12, choices=BatchState.choices, default=BatchState.PLANNING)
    state_since = models.DateTimeField()
    plan_total = models.PositiveIntegerField(null=True)
    canary = models.PositiveSmallIntegerField(default=0)
    paused_why = models.CharField(max_length=24, blank=True, default="")
    paused_at = models.DateTimeField(null=True)
    brake = models.JSONField(default=dict)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["-requested_at", "-id"], name="batch_newest"),
            models.Index(fields=["requested_by", "-requested_at", "-id"], name="batch_person_newest"),
            models.Index(fields=["state"], name="batch_state"),
        ]

    def __str__(self) -> str:
        return self.title or f"#{self.pk}"

    def move_to(
        self, state: BatchState, verb: str, *, by: Any, data: dict[str, Any] | None = None, **more: Any
    ) -> bool:
        """Move on if nobody moved it since it was read; write the event in the same transaction.

        Must be called inside a transaction. Returns whether it moved.
        """
        old = self.state
        if state not in MOVES[old]:
            raise ValueError(f"no move from {old} to {state}")
        changes = {"state": state, "state_since": timezone.now(), **more}
        if not Batch.objects.filter(pk=self.pk, state=old).update(**changes):
            return False
        for name, value in changes.items():
            setattr(self, name, value)
        self.record(verb, by=by, data={"from": old, "to": str(state), **(data or {})})
        return True

    def record(self, verb: str, *, by: Any, data: dict[str, Any] | None = None) -> None:
        """Write an event about this batch."""
        trail.record(verb, by=by, subject_kind="batch", subject_id=self.pk, subject=str(self), data=data or {})


class BatchRow(models.Model):
    """One unit of a batch: what was given for it, what the plan says, and its request.

    Attributes:
        number: The line in what was given.
        given: What stood there, cleaned; an id, never a buyer's data.
        why: A sentence, untranslated, or the platform's own words; ``why_data`` to fill in.
        wave: In which wave it was asked; 0 for the canary's.
    """

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="rows", db_index=False)
    number = models.PositiveIntegerField()
    given = models.CharField(max_length=200)
    shop = models.ForeignKey(Shop, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    order = models.ForeignKey(Order, null=True, on_delete=models.SET_NULL, related_name="batch_rows", db_index=False)
    order_key = models.CharField(max_length=600, blank=True, default="")
    item_ref = models.CharField(max_length=120, blank=True, default="")
    verdict = models.CharField(max_length=16, choices=Verdict.choices)
    why = models.TextField(blank=True, default="")
    why_data = models.JSONField(default=dict)
    amount = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    currency = models.CharField(max_length=8, blank=True, default="")
    cancellation = models.ForeignKey(
        CancellationRequest, null=True, on_delete=models.SET_NULL, related_name="batch_rows"
    )
    wave = models.PositiveIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["batch", "verdict", "id"], name="batchrow_verdict"),
            models.Index(fields=["batch", "id"], name="batchrow_batch"),
            models.Index(fields=["order"], name="batchrow_order"),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.given}"
