"""A batch: many units planned and cancelled together, each row by a request of its own.

``move_to`` is the only writer of a batch's state. It must not know about tasks, pages or decisions.
"""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from cancellations.audit import trail
from cancellations.batches.states import MOVES, MOVING, BatchState, PauseCause, Verdict
from cancellations.orders.models import Order
from cancellations.reasons.models import Reason
from cancellations.requests.models import CancellationRequest
from cancellations.shops.models import Shop

MOST_GIVEN = 200


class Source(models.TextChoices):
    """Where the rows came from."""

    SELECTION = "selection", _("Selection")
    TEXT = "text", _("Pasted text")
    FILE = "file", _("File")


class Batch(models.Model):
    """Rows planned and run together, for one reason.

    Attributes:
        submission: Key of the form it came from; the same form twice gives the same batch.
        title: The file's name; "" for what was pasted or selected.
        path: Below ``handing_in.folder()``: what was given, until it is planned; "" afterwards.
        planned_to: How many of the given ids are planned; rows and this number are written together.
        left_out: Of those, how many may have been something else (a day, a phone) and met no order: they have no row.
        plan_total: Number of rows; ``None`` while planning.
        error: Why nothing could be planned at all: a sentence, untranslated, and ``error_data`` to fill in.
        canary: How many rows go first, some of each shop; ``canary_over``: a person said to go on without it.
        paused_why: A ``PauseCause``, "" while not paused; ``brake``: the figures it was pulled for.
        finished_at: When nothing was left to be done for it.
    """

    submission = models.UUIDField(unique=True)
    source = models.CharField(max_length=12, choices=Source.choices)
    title = models.CharField(max_length=200, blank=True, default="")
    path = models.CharField(max_length=200, blank=True, default="")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="batches")
    requested_at = models.DateTimeField()
    reason = models.ForeignKey(Reason, on_delete=models.PROTECT, related_name="+")
    note = models.TextField(blank=True, default="")

    state = models.CharField(max_length=12, choices=[(one.value, one.value) for one in BatchState])
    state_since = models.DateTimeField()
    planned_to = models.PositiveIntegerField(default=0)
    left_out = models.PositiveIntegerField(default=0)
    plan_total = models.PositiveIntegerField(null=True)
    error = models.TextField(blank=True, default="")
    error_data = models.JSONField(default=dict)

    started_at = models.DateTimeField(null=True)
    canary = models.PositiveSmallIntegerField(default=0)
    canary_over = models.BooleanField(default=False)
    paused_why = models.CharField(
        max_length=12, blank=True, default="", choices=[(one.value, one.value) for one in PauseCause]
    )
    paused_at = models.DateTimeField(null=True)
    brake = models.JSONField(default=dict)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["-requested_at", "-id"], name="batch_newest"),
            models.Index(fields=["requested_by", "-requested_at", "-id"], name="batch_person_newest"),
            models.Index(
                fields=["state"],
                condition=Q(finished_at=None) & ~Q(state=BatchState.PLANNED),
                name="batch_live",
            ),
        ]

    def __str__(self) -> str:
        return self.title or f"#{self.pk}"

    @property
    def is_moving(self) -> bool:
        """Whether a page should look again by itself."""
        return self.state in MOVING

    def move_to(
        self, state: BatchState, verb: str, *, by: Any, data: dict[str, Any] | None = None, **changes: Any
    ) -> bool:
        """Move on, if nobody moved it since it was read; write the event in the same transaction.

        Must be called inside a transaction. Returns whether it moved; when not, this object is left as it was.
        """
        old = BatchState(self.state)
        if state not in MOVES[old]:
            raise ValueError(f"no move from {old} to {state}")
        changes = {"state": state, **changes}
        # By the one clock that all machines share: what came since is told from what was seen before.
        if not type(self).objects.filter(pk=self.pk, state=old).update(state_since=Now(), **changes):
            return False
        self.refresh_from_db(fields=["state_since"])
        for name, value in changes.items():
            setattr(self, name, value)
        self.record(verb, by=by, data={"from": old, "to": state, **(data or {})})
        return True

    def record(self, verb: str, *, by: Any, data: dict[str, Any] | None = None) -> None:
        """Write an event about this batch."""
        trail.record(verb, by=by, subject_kind="batch", subject_id=self.pk, subject=str(self), data=data)


# Rows that were to be cancelled and for which nothing was asked: it is not their turn yet, or it could not be.
UNASKED = Q(waits=True) | ~Q(not_asked="")


class BatchRow(models.Model):
    """One unit of a batch, or one given id that leads to none. The plan's part is frozen once the batch runs.

    Attributes:
        place: Counts the ids given, from 1; an order of several items has a row for each, at the same place.
        line: The line it stood in.
        given: As typed, cleaned.
        why: Why the verdict is so: a sentence, untranslated, and ``why_data`` to fill in; "" when there is nothing
            to say.
        choices: Keys of the orders it may mean, where it is ambiguous.
        cancellation: The request: the open or earlier one that stands in the way, or the one asked for this row.
        waits: It is ready and has not been asked for yet.
        wave: 0 for the canary's, 1 for those after it; ``None`` while it has not been its turn.
        not_asked: Why it could not be asked for when its turn came: a sentence in the language of who asked.
    """

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="rows", db_index=False)
    place = models.PositiveIntegerField()
    line = models.PositiveIntegerField()
    given = models.CharField(max_length=MOST_GIVEN, blank=True, default="")
    shop = models.ForeignKey(Shop, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    order = models.ForeignKey(Order, null=True, on_delete=models.SET_NULL, related_name="batch_rows")
    order_key = models.CharField(max_length=600, blank=True, default="")
    order_number = models.CharField(max_length=200, blank=True, default="")
    item_ref = models.CharField(max_length=120, blank=True, default="")
    item_name = models.CharField(max_length=300, blank=True, default="")
    verdict = models.CharField(max_length=16, choices=[(one.value, one.value) for one in Verdict])
    why = models.TextField(blank=True, default="")
    why_data = models.JSONField(default=dict)
    choices = models.JSONField(default=list)
    amount = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    currency = models.CharField(max_length=8, blank=True, default="")

    cancellation = models.ForeignKey(
        CancellationRequest, null=True, on_delete=models.PROTECT, related_name="batch_rows"
    )
    waits = models.BooleanField(default=False)
    wave = models.PositiveIntegerField(null=True)
    not_asked = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["place", "id"]
        constraints = [models.UniqueConstraint(fields=["batch", "place", "item_ref"], name="one_row")]
        indexes = [
            models.Index(fields=["batch", "verdict", "id"], name="row_verdict"),
            models.Index(fields=["batch", "id"], name="row_batch"),
            models.Index(fields=["batch", "shop", "waits", "id"], condition=UNASKED, name="row_waits"),
        ]

    def __str__(self) -> str:
        return f"{self.line}: {self.given}"


def waiting_rows(batch: Batch) -> models.QuerySet[BatchRow]:
    """Return the rows that are ready and have not been asked for yet."""
    return BatchRow.objects.filter(batch=batch, waits=True)


def requests_of(batch: Batch) -> models.QuerySet[CancellationRequest]:
    """Return the requests this batch made; not those it only found open."""
    return CancellationRequest.objects.filter(batch=batch.pk)
