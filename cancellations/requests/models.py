"""A cancellation request, and every attempt to deliver or check it.

``move_to`` is the only writer of a request's state. It must not know about tasks, pages or decisions.
"""

import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cancellations.audit import trail
from cancellations.audit.models import AuditEvent
from cancellations.orders.models import Order
from cancellations.reasons.models import Reason
from cancellations.requests.states import MOVES, OPEN, State
from cancellations.shops.models import Shop

LEASE = timedelta(seconds=settings.LEASE_SECONDS)
ONE_BY_ONE, BULK = 0, 1


class CancellationRequest(models.Model):
    """One unit, one platform call: an order, or one item where the card says so.

    Attributes:
        order_key, order_number, item_ref, item_name: Copied, so that the request stands without the index.
        reason_value: What is sent to the platform for the reason; "" where it takes none.
        priority: What is sent first: ``ONE_BY_ONE``, asked by a person who waits, before ``BULK``.
        batch: Key of the batch it was asked in; ``None`` for one by one. A number: the arrows point the other way.
        held_since: Since when its batch, paused or stopped, holds it back: while it waits, ``due_at`` stays ``None``.
        due_at: When a worker looks at it next; ``None`` when none will.
        attempt_no: Number of the last attempt; only its owner may conclude it.
        lease_until: Until then a worker is believed to be sending.
        unsent: Sends in a row that provably never left.
        checks: Checks made in all; ``readings``: those since the last send that the ladder counts.
        equal_readings: Of those, the last ones in a row that read the same; ``last_reading``: what they read.
        doubt: A send may have been done, and neither a reading nor a person has settled it since.
        in_review: Checks are used up or impossible; a person decides.
        alarm: What was seen against an outcome: ``contradicted`` (never seen cancelled), ``revived`` (seen cancelled,
            and alive again), ``cancelled`` (called not cancelled); "" when nothing, or once a person closed it.
        already: It had been cancelled before we asked.
        code, message: The platform's own words of the latest outcome; ``advice``: our sentence, untranslated.
        sent_at: When a send last began; ``confirmed_at``: when a reading last showed it cancelled.
        seen_open_at: When a check since the last send last saw the unit still open.
        snapshot: What the person saw when asking.
        submission: Key of the form it came from; the same form twice gives the same request.
    """

    shop = models.ForeignKey(Shop, on_delete=models.PROTECT, related_name="cancellations")
    order = models.ForeignKey(Order, null=True, on_delete=models.SET_NULL, related_name="cancellations")
    ref = models.JSONField()
    order_key = models.CharField(max_length=600)
    order_number = models.CharField(max_length=200)
    item_ref = models.CharField(max_length=120, blank=True, default="")
    item_name = models.CharField(max_length=300, blank=True, default="")

    reason = models.ForeignKey(Reason, on_delete=models.PROTECT, related_name="cancellations")
    reason_value = models.CharField(max_length=255, blank=True, default="")
    note = models.TextField(blank=True, default="")
    snapshot = models.JSONField(default=dict)
    submission = models.UUIDField(null=True)

    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="cancellations")
    requested_at = models.DateTimeField()
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="approved_cancellations"
    )

    state = models.CharField(max_length=20, choices=[(state.value, state.value) for state in State])
    state_since = models.DateTimeField()
    priority = models.PositiveSmallIntegerField(default=ONE_BY_ONE, db_default=ONE_BY_ONE)
    batch = models.BigIntegerField(null=True)
    held_since = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    attempt_no = models.PositiveIntegerField(default=0)
    unsent = models.PositiveIntegerField(default=0)
    readings = models.PositiveIntegerField(default=0)
    checks = models.PositiveIntegerField(default=0)
    equal_readings = models.PositiveIntegerField(default=0)
    last_reading = models.CharField(max_length=16, blank=True, default="")
    seen_open_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    doubt = models.BooleanField(default=False, db_default=False)
    in_review = models.BooleanField(default=False)
    already = models.BooleanField(default=False)
    alarm = models.CharField(max_length=16, blank=True, default="", db_default="")
    code = models.CharField(max_length=64, blank=True, default="")
    message = models.TextField(blank=True, default="")
    advice = models.TextField(blank=True, default="")
    platform_request_id = models.CharField(max_length=128, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["shop", "order_key", "item_ref"], condition=Q(state__in=OPEN), name="one_open_request"
            ),
            models.UniqueConstraint(
                fields=["submission", "order_key", "item_ref"],
                condition=Q(submission__isnull=False),
                name="one_request_per_form",
            ),
        ]
        indexes = [
            models.Index(fields=["shop", "due_at", "id"], condition=Q(due_at__isnull=False), name="request_due"),
            models.Index(
                fields=["shop", "priority", "due_at", "id"], condition=Q(state=State.QUEUED), name="request_queue"
            ),
            models.Index(fields=["batch", "shop", "state"], condition=Q(batch__isnull=False), name="request_batch"),
            models.Index(fields=["-requested_at", "-id"], name="request_newest"),
            models.Index(fields=["-requested_at", "-id"], condition=~Q(alarm=""), name="request_alarm"),
            models.Index(fields=["shop", "-requested_at", "-id"], name="request_shop_newest"),
            models.Index(fields=["state", "-requested_at", "-id"], name="request_state_newest"),
            models.Index(fields=["requested_by", "-requested_at", "-id"], name="request_person_newest"),
            models.Index(fields=["order", "-id"], name="request_order"),
        ]

    def __str__(self) -> str:
        return f"{self.order_number} {self.item_ref}".strip()

    @property
    def is_open(self) -> bool:
        """Whether it keeps others from asking for the same unit."""
        return self.state in OPEN

    @property
    def is_final(self) -> bool:
        """Whether it can never move again."""
        return not MOVES[State(self.state)]

    def move_to(self, state: State, verb: str, *, by: Any, data: dict[str, Any] | None = None, **changes: Any) -> bool:
        """Move on, if nobody moved it since it was read; write the event in the same transaction.

        Must be called inside a transaction. The guard is the row count of one UPDATE: state and attempt number must
        still be those this object was read with.

        Args:
            verb: The event, as ``cancellation.succeeded``.
            by: Who moved it: a person, or ``trail.WORKER``.
            data: Further facts for the event.
            changes: Further columns, set in the same UPDATE.

        Returns:
            Whether it moved. When not, this object is left as it was.
        """
        old = State(self.state)
        if state not in MOVES[old]:
            raise ValueError(f"no move from {old} to {state}")
        changes = {"state": state, "state_since": Now(), **changes}
        if state == State.UNCERTAIN:
            changes["doubt"] = True
        elif old == State.UNCERTAIN and state != State.QUEUED:
            changes["doubt"] = False
        moved = type(self).objects.filter(pk=self.pk, state=old, attempt_no=self.attempt_no).update(**changes)
        if not moved:
            return False
        for name, value in changes.items():
            if not hasattr(value, "resolve_expression"):
                setattr(self, name, value)
        self.state_since = timezone.now()  # about so: the row has it by the one clock that all machines share
        if self.order_id:
            Order.objects.filter(pk=self.order_id).update(desk_state=state)
        self.record(verb, by=by, data={"from": old, "to": state, **(data or {})})
        return True

    def record(self, verb: str, *, by: Any, data: dict[str, Any] | None = None) -> None:
        """Write an event about this request."""
        trail.record_all([self.event(verb, by=by, data=data)])

    def event(self, verb: str, *, by: Any, data: dict[str, Any] | None = None) -> AuditEvent:
        """Return an event about this request, not written yet."""
        return trail.event(
            verb,
            by=by,
            subject_kind="cancellation",
            subject_id=self.pk,
            subject=str(self),
            shop=self.shop,
            order_number=self.order_number,
            data=data,
        )


def show_on_orders(requests: Iterable[CancellationRequest]) -> None:
    """Have the orders of many requests show their states, as ``move_to`` does; in the caller's transaction."""
    by_state: dict[str, set[int]] = {}
    for one in requests:
        if one.order_id:
            by_state.setdefault(one.state, set()).add(one.order_id)
    every = set().union(*by_state.values())
    # Locked in one order by everybody, so that nobody waits in a circle.
    list(Order.objects.filter(pk__in=every).order_by("pk").select_for_update().values_list("pk", flat=True))
    for state, orders in by_state.items():
        Order.objects.filter(pk__in=orders).update(desk_state=state)


class Attempt(models.Model):
    """One try to send or to check one request; opened before, closed once after, then immutable by trigger.

    Attributes:
        number: Counts the sends of a request, and apart from them its checks.
        outcome: ``Receipt``, ``Reading``, the kind of error, or ``Lost`` with its worker; "" while it is open.
        exchanges: What went over the wire, redacted: a list of ``Exchange.as_json()``.
        reading: For a check: what was read (status, the platform's word, when).
    """

    class Kind(models.TextChoices):
        SEND = "send", _("Send")
        CHECK = "check", _("Check")

    cancellation = models.ForeignKey(CancellationRequest, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=8, choices=Kind.choices)
    uid = models.UUIDField(default=uuid.uuid4, editable=False)
    worker = models.CharField(max_length=80, blank=True, default="")
    opened_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=24, blank=True, default="")
    code = models.CharField(max_length=64, blank=True, default="")
    message = models.TextField(blank=True, default="")
    exchanges = models.JSONField(default=list)
    reading = models.JSONField(default=dict)

    class Meta:
        ordering = ["number", "id"]
        constraints = [models.UniqueConstraint(fields=["cancellation", "number", "kind"], name="one_attempt")]
        indexes = [models.Index(fields=["opened_at"], condition=Q(closed_at=None), name="attempt_open")]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"

    def close(self, *, outcome: str, exchanges: list[dict[str, Any]], **more: Any) -> bool:
        """Close it, once; a second call changes nothing and returns False."""
        return bool(
            type(self)
            .objects.filter(pk=self.pk, closed_at=None)
            .update(closed_at=Now(), outcome=outcome, exchanges=exchanges, **more)
        )
