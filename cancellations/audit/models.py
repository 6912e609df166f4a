"""What was done, by whom; the seals that make an alteration show; and what came of looking.

Events and seals are append-only by trigger.
"""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditEvent(models.Model):
    """One act of a person, a worker or the system.

    The keys carry no constraint and the names are copied, so that an event outlives whatever it speaks of.

    Attributes:
        verb: ``thing.done``, as ``cancellation.requested``.
        actor: The name at that time; "" for the system.
        actor_kind: ``person``, ``worker`` or ``system``.
        origin: Where from: an IP address, or ``command``.
        subject_kind, subject_id, subject: The thing it was done to: its kind, key and a name to read.
        data: Facts, before and after; never secrets, never a buyer's data in clear.
    """

    uid = models.UUIDField(default=uuid.uuid4, editable=False, unique=True)
    at = models.DateTimeField(_("when"))
    verb = models.CharField(max_length=64)
    actor_id = models.BigIntegerField(null=True)
    actor = models.CharField(max_length=150, blank=True, default="")
    actor_kind = models.CharField(max_length=8, default="person")
    origin = models.CharField(max_length=64, blank=True, default="")
    incident = models.CharField(max_length=36, blank=True, default="")
    subject_kind = models.CharField(max_length=32)
    subject_id = models.CharField(max_length=64, blank=True, default="")
    subject = models.CharField(max_length=200, blank=True, default="")
    shop_id = models.BigIntegerField(null=True)
    shop = models.CharField(max_length=64, blank=True, default="")
    order_number = models.CharField(max_length=200, blank=True, default="")
    data = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["-at", "-id"], name="event_newest"),
            models.Index(fields=["subject_kind", "subject_id", "id"], name="event_subject"),
            models.Index(fields=["shop_id", "-at", "-id"], name="event_shop"),
            models.Index(fields=["actor", "-at", "-id"], include=["actor_kind"], name="event_actor"),
            models.Index(fields=["verb", "-at", "-id"], name="event_verb"),
            models.Index(fields=["order_number", "-at", "-id"], name="event_order"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.subject}"


class Seal(models.Model):
    """The digest of a batch of events, chained to the seal before.

    Attributes:
        number: 1, 2, 3 … without a gap.
        events: The ids it covers, as runs: ``[[first, last], …]``.
        count: How many events that is.
        covered: The highest id sealed so far.
        marks: The events' own digests, 16 hex digits each, in order: they name the one that was altered.
        digest: Hex HMAC-SHA256 over the seal before, the number, the time, the key's label, the runs and the marks.
        key_id: The key's label: its id and a fingerprint of its secret.
        body: Hex HMAC-SHA256 over the digest and the events as the database writes them out; it saves looking at each.
            "" in seals of before, and where an event claims a time long before its seal.
    """

    number = models.BigIntegerField(unique=True)
    at = models.DateTimeField()
    events = models.JSONField()
    count = models.PositiveIntegerField()
    covered = models.BigIntegerField()
    marks = models.TextField(default="")
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    key_id = models.CharField(max_length=64)
    body = models.CharField(max_length=64, default="", db_default="")

    class Meta:
        ordering = ["number"]

    def __str__(self) -> str:
        return f"{self.number} {self.digest}"


class Verification(models.Model):
    """What one walk over the whole record found; kept so that a page need not walk.

    Attributes:
        seconds: How long it took.
        events, seals: How many were compared; ``unsealed``: how many events wait for a seal.
        up_to: The time of the last seal.
        faults: The broken places, as ``Fault.as_json()``.
    """

    at = models.DateTimeField()
    seconds = models.FloatField(default=0)
    whole = models.BooleanField()
    events = models.BigIntegerField()
    seals = models.BigIntegerField()
    unsealed = models.BigIntegerField()
    up_to = models.DateTimeField(null=True)
    faults = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"{self.at.isoformat()} {'whole' if self.whole else 'broken'}"
