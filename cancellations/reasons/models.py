"""Why people cancel: our own catalogue, and what each reason is called on a platform."""

from django.db import models
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from cancellations.shops.models import Shop


class Reason(models.Model):
    """One of our reasons. Retired, never deleted, for old requests keep pointing at it.

    Attributes:
        label: English. Shown translated: by ``label_zh`` where given, else by the message catalogue.
    """

    code = models.SlugField(_("code"), max_length=40, unique=True)
    label = models.CharField(_("label"), max_length=80)
    label_zh = models.CharField(_("label in Chinese"), max_length=80, blank=True, default="")
    note_required = models.BooleanField(_("note required"), default=False)
    position = models.PositiveSmallIntegerField(_("position"), default=100)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position", "code"]

    def __str__(self) -> str:
        if self.label_zh and (get_language() or "").startswith("zh"):
            return self.label_zh
        return gettext(self.label)


class ReasonMapping(models.Model):
    """What is sent for a reason on a platform, or in one shop of it (which wins). "" sends nothing."""

    reason = models.ForeignKey(Reason, on_delete=models.CASCADE, related_name="mappings")
    platform = models.CharField(max_length=32)
    shop = models.ForeignKey(Shop, null=True, blank=True, on_delete=models.CASCADE)
    value = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reason", "platform"], condition=models.Q(shop=None), name="one_platform_mapping"
            ),
            models.UniqueConstraint(fields=["reason", "shop"], name="one_shop_mapping"),
        ]

    def __str__(self) -> str:
        return self.value


class ListedReasons(models.Model):
    """The reasons a shop's platform listed when last asked; the last good answer is kept.

    Attributes:
        labels: What the platform calls its values, for those it gives a name of their own.
        asked_at: When somebody last wanted them read again.
        read_at: When they were last read; ``None``: never.
        failed_at: When the last reading failed; ``None`` once one went well.
        problem: What to do about it, untranslated; ``problem_words``: the platform's own words and code.
    """

    shop = models.OneToOneField(Shop, on_delete=models.CASCADE, related_name="listed_reasons")
    values = models.JSONField(default=list)
    labels = models.JSONField(default=dict)
    asked_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True, default="")
    problem_words = models.TextField(blank=True, default="")

    def __str__(self) -> str:
        return f"{self.shop_id}"
