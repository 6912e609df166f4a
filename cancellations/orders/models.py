"""Our index of what the platforms told us. Never the truth: an order is read again before anything is done to it."""

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Value, When
from django.db.models.functions import Concat, Now
from django.utils.translation import gettext_lazy as _

from cancellations.shops.models import Shop

# Columns that no index orders, and the indexes of lists carry.
MONEY = ("amount", "currency")


class OrderStatus(models.TextChoices):
    """The contract's five words, for people."""

    OPEN = "open", _("Open")
    CANCELLED = "cancelled", _("Cancelled")
    SHIPPED = "shipped", _("Shipped")
    CLOSED = "closed", _("Closed")
    UNKNOWN = "unknown", _("Unknown")


class Order(models.Model):
    """One order as last seen.

    Attributes:
        ref: The card's look-up fields.
        key: The identity part of ``ref`` as one text; unique in its shop.
        number: What people call it.
        buyer: Masked for the eye (``M••• G•••, •••• 4321``); the buyer in clear is kept nowhere.
        cancellable: The card's word on an order-unit order, or on any of its items.
        why: That word's sentence, untranslated.
        shelf: Status and cancellable in one word (``open y``), kept by the database: every list filtered by the two
            is the merge of a few runs of one index.
        source: ``platform`` or ``file``.
        desk_state: State of the latest request about any of its units; written by ``CancellationRequest.move_to``.
        version: Grows when what was read differs from what was known; forms carry it.
    """

    shop = models.ForeignKey(Shop, on_delete=models.PROTECT, related_name="orders", db_index=False)
    ref = models.JSONField()
    key = models.CharField(max_length=600)
    number = models.CharField(max_length=200)
    status = models.CharField(max_length=16, choices=OrderStatus.choices, default=OrderStatus.UNKNOWN)
    status_text = models.CharField(max_length=120, blank=True, default="")
    placed_at = models.DateTimeField()
    placed_known = models.BooleanField(default=True)
    amount = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    currency = models.CharField(max_length=8, blank=True, default="")
    buyer = models.CharField(max_length=200, blank=True, default="")
    cancellable = models.BooleanField(null=True)
    why = models.TextField(blank=True, default="")
    shelf = models.GeneratedField(
        expression=Concat(
            F("status"),
            Case(
                When(cancellable=True, then=Value(" y")), When(cancellable=False, then=Value(" n")), default=Value(" ?")
            ),
        ),
        output_field=models.CharField(max_length=20),
        db_persist=True,
    )
    facts = models.JSONField(default=list)
    traces = models.JSONField(default=list)
    seen_at = models.DateTimeField()
    source = models.CharField(max_length=8, default="platform")
    desk_state = models.CharField(max_length=20, blank=True, default="")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "key"], name="one_order")]
        indexes = [
            # With MONEY in them a list is looked through without reading its rows; SQLite reads them.
            models.Index(fields=["-placed_at", "-id"], include=MONEY, name="order_newest"),
            models.Index(fields=["shop", "-placed_at", "-id"], include=MONEY, name="order_shop_newest"),
            models.Index(fields=["shelf", "-placed_at", "-id"], include=MONEY, name="order_shelf_newest"),
            models.Index(fields=["shop", "shelf", "-placed_at", "-id"], include=MONEY, name="order_shop_shelf_newest"),
            models.Index(fields=["amount", "-placed_at", "-id"], name="order_amount"),
        ]

    def __str__(self) -> str:
        return self.number


class OrderItem(models.Model):
    """One item of an order as last seen; its own unit of cancellation where the card says so."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="items", db_index=False)
    position = models.PositiveIntegerField(default=0)
    ref = models.CharField(max_length=120)
    name = models.CharField(max_length=300, blank=True, default="")
    sku = models.CharField(max_length=200, blank=True, default="")
    status = models.CharField(max_length=16, choices=OrderStatus.choices, default=OrderStatus.UNKNOWN)
    status_text = models.CharField(max_length=120, blank=True, default="")
    quantity = models.PositiveIntegerField(default=1)
    amount = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    currency = models.CharField(max_length=8, blank=True, default="")
    cancellable = models.BooleanField(null=True)
    why = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["order", "ref"], name="one_item")]

    def __str__(self) -> str:
        return self.name or self.ref


class OrderKey(models.Model):
    """One string an order can be found by, normalised.

    Attributes:
        kind: ``id``, ``number``, ``item``, ``waybill``, ``sku``, ``other``; and, as keyed hashes, ``email``,
            ``phone``, ``tail`` (last four digits of the phone) and ``name``.
        shop: The order's, copied, so that what a person may not see costs nothing to leave out.
        placed_at: The order's, copied, so that of many orders found the newest are met without reading the others.
    """

    shop = models.ForeignKey(Shop, on_delete=models.PROTECT, related_name="+", db_index=False)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="keys", db_index=False)
    kind = models.CharField(max_length=8)
    value = models.CharField(max_length=200)
    placed_at = models.DateTimeField(db_default=Now())  # a worker of the version before does not know it

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "kind", "value"], name="one_key")]
        indexes = [
            models.Index(fields=["value", "-placed_at", "-order"], name="key_value"),  # for those who see every shop
            models.Index(fields=["shop", "value", "-placed_at", "-order"], name="key_shop_value"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


class Pull(models.Model):
    """How far one shop has been synchronised, and the run under way.

    Attributes:
        watermark: Everything changed before this moment has been seen; ``None`` before the first whole run.
        next_watermark: What the watermark becomes when the run under way is through.
        cursor: Where the run under way goes on; "" between runs.
        lease_until: A run holds it, so that two workers never pull the same shop at once.
    """

    shop = models.OneToOneField(Shop, on_delete=models.CASCADE, related_name="pull")
    watermark = models.DateTimeField(null=True)
    next_watermark = models.DateTimeField(null=True)
    cursor = models.CharField(max_length=500, blank=True, default="")
    lease_until = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    seen = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True)
    error = models.TextField(blank=True, default="")

    def __str__(self) -> str:
        return f"{self.shop_id}"


class FileImport(models.Model):
    """One file of orders handed in on a page, and how far a worker has read it.

    Attributes:
        path: Below ``DATA_DIR/uploads``; "" once it has been read, for the file holds buyers' data.
        good, bad, repeated: Lines kept, refused, and skipped because an earlier line spoke of the same order.
        faults: What is wrong with the first refused lines, as ``[line number, sentence, values to fill in]``; the rest
            is in ``refused.path_of``.
        error: Why the whole file was refused: a sentence, untranslated, and ``error_data`` to fill in.
        lease_until: A worker is reading it.
    """

    shop = models.ForeignKey(Shop, on_delete=models.PROTECT, related_name="imports")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    path = models.CharField(max_length=200, blank=True, default="")
    size = models.BigIntegerField(default=0)
    handed_in_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    good = models.PositiveIntegerField(default=0)
    bad = models.PositiveIntegerField(default=0)
    repeated = models.PositiveIntegerField(default=0)
    faults = models.JSONField(default=list)
    error = models.TextField(blank=True, default="")
    error_data = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.name
