"""What we may act on, with which keys, and who may."""

from datetime import timedelta

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

MOST_CALLS_PER_SECOND = 1000


class Environment(models.TextChoices):
    """Whether a cancel here is real."""

    LIVE = "live", _("Live")
    SANDBOX = "sandbox", _("Sandbox")


class Shop(models.Model):
    """One account on one platform.

    Attributes:
        name: Unique, short, for files and addresses (``hw-main``); never changes.
        platform: The card's slug. Plain text without choices: a new platform changes no schema.
        options: The card's non-secret settings, defaults filled in.
        calls_per_second: The budget of calls; ``None`` for what the card says, 0 for no limit of ours.
    """

    name = models.SlugField(_("name"), max_length=64, unique=True)
    title = models.CharField(_("title"), max_length=120)
    platform = models.CharField(_("platform"), max_length=32)
    environment = models.CharField(_("environment"), max_length=8, choices=Environment.choices)
    base_url = models.CharField(_("base URL"), max_length=255)
    options = models.JSONField(default=dict)
    active = models.BooleanField(_("active"), default=True)
    calls_per_second = models.FloatField(
        _("calls per second"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(MOST_CALLS_PER_SECOND)],
    )
    needs_approval = models.BooleanField(_("needs approval"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    people = models.ManyToManyField(settings.AUTH_USER_MODEL, through="ShopAccess", related_name="shops")

    class Meta:
        ordering = ["title", "id"]

    def __str__(self) -> str:
        return self.title


class ShopAccess(models.Model):
    """That a person may act on a shop."""

    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="access")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="access")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "person"], name="one_access")]

    def __str__(self) -> str:
        return f"{self.person_id} → {self.shop_id}"


class Credential(models.Model):
    """The sealed keys of one shop; replaced whole, never shown again.

    Attributes:
        sealed: ``v1:key id:base64(nonce + ciphertext)``, bound to the shop.
        fingerprint: First hex digits of a keyed digest: tells two credentials apart, says nothing of them.
        app: The same of the app's key alone, where the card says that its shops share a budget of calls; else "".
        local: Entered for an address the operator named, such as a sandbox; keys entered for the platform's own
            address are not sent there.
    """

    shop = models.OneToOneField(Shop, on_delete=models.CASCADE, related_name="credential")
    sealed = models.TextField()
    fingerprint = models.CharField(max_length=16)
    app = models.CharField(max_length=16, blank=True, default="", db_default="")
    local = models.BooleanField(default=False, db_default=False)
    replaced_at = models.DateTimeField()
    replaced_by = models.CharField(max_length=150, blank=True, default="")

    def __str__(self) -> str:
        return self.fingerprint


class ShopHealth(models.Model):
    """How a shop's connection has been of late; written by workers and checks, never by forms.

    Attributes:
        held_since: While set, nothing is sent for this shop; requests wait.
        hold_code, hold_message: The platform's words; ``hold_advice``: our sentence for the admin, untranslated.
        tokens, tokens_at: The budget of calls left, as of when (``requests.pacing``).
        failures: Calls in a row that the platform did not answer; so many of them hold the shop, too.
        wait_until: The platform wants no call before.
        eased, eased_at: Calls a second that it was thought to bear when it last refused one, and when that was.
    """

    shop = models.OneToOneField(Shop, on_delete=models.CASCADE, related_name="health")
    held_since = models.DateTimeField(null=True)
    hold_cause = models.CharField(max_length=16, blank=True, default="")
    hold_code = models.CharField(max_length=64, blank=True, default="")
    hold_message = models.TextField(blank=True, default="")
    hold_advice = models.TextField(blank=True, default="")
    probed_at = models.DateTimeField(null=True)
    good_at = models.DateTimeField(null=True)
    refused_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    wait_until = models.DateTimeField(null=True)
    tokens = models.FloatField(default=0)
    tokens_at = models.DateTimeField(null=True)
    eased = models.FloatField(null=True)
    eased_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.shop_id}"


class Arming(models.Model):
    """Which installation may send from this database. One row, made before the first send.

    Attributes:
        installation: ``arming.digest()`` of the installation that may.
        table: What PostgreSQL calls this table inside; a dump that is restored makes another. ``None`` on SQLite.
        times: How often it was armed; what was noted outside the database earlier was looked at then.
        disarmed_since: Since then nothing is sent: the database was found older than what was sent from it.
        doubtful_to: Highest key of the requests that stood in it then: each may have been sent since.
    """

    installation = models.CharField(max_length=64)
    table = models.BigIntegerField(null=True)
    times = models.PositiveIntegerField(default=1)
    disarmed_since = models.DateTimeField(null=True)
    doubtful_to = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return "disarmed" if self.disarmed_since else "armed"


class Pulse(models.Model):
    """When a part of the machinery last showed a sign of life, by the database's clock.

    Its name: ``worker`` when what is due was last swept, ``bulk`` when bulks were, ``ALIVE`` when a worker was there.
    """

    SILENCE = timedelta(seconds=60)
    ALIVE = "alive"

    name = models.CharField(max_length=32, unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @classmethod
    def heard(cls, name: str = "worker", within: timedelta = SILENCE) -> "models.QuerySet[Pulse]":
        """Return it, if it was heard of within that time."""
        return cls.objects.filter(name=name, at__gte=Now() - within)

    @classmethod
    def is_heard(cls, name: str = "worker") -> bool:
        """Tell whether it was heard of within ``SILENCE``."""
        return cls.heard(name).exists()

    @classmethod
    def has_worker(cls) -> bool:
        """Tell whether a worker lives: one that was killed is missed before its last sweep is too long ago."""
        return cls.heard(cls.ALIVE, cls.SILENCE * 3 / 4).exists()

    @classmethod
    def beat(cls, name: str = "worker", *, pause: float = 0.0) -> bool:
        """Show a sign of life, unless one was shown within so many seconds; return whether it was."""
        quiet = Q(at__lte=Now() - timedelta(seconds=pause)) | Q(at__gt=Now())  # the clock was set back
        if cls.objects.filter(quiet, name=name).update(at=Now()):
            return True
        return cls.objects.get_or_create(name=name, defaults={"at": Now()})[1]
