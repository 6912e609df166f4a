"""The people of the desk: a name, a role, and the shops they may act on (kept beside the shops)."""

from collections.abc import Iterator

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from cancellations.access import ROLES


class Role(models.TextChoices):
    """What somebody does here; ``access.ROLES`` says what that permits."""

    AGENT = "agent", _("Agent")
    MANAGER = "manager", _("Manager")
    ADMIN = "admin", _("Admin")


class Person(AbstractUser):
    """Somebody who signs in.

    Attributes:
        every_shop: Acts on every shop, also on those still to come; else only on those of ``ShopAccess``.
        language: "" follows the browser.
        generation: Counted up to end every open session and every unused link at once.
    """

    role = models.CharField(_("role"), max_length=16, choices=Role.choices, default=Role.AGENT)
    every_shop = models.BooleanField(_("every shop"), default=False)
    language = models.CharField(_("language"), max_length=16, blank=True, default="")
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, default="")
    generation = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")

    def __str__(self) -> str:
        return self.username

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Answer from the role alone; ``perm`` may carry the app's label before a dot."""
        return self.is_active and perm.rpartition(".")[2] in ROLES.get(self.role, ())

    def get_session_auth_hash(self) -> str:
        """Return what a session must carry: another password, role or generation ends it with its next request."""
        return self._bound(super().get_session_auth_hash())

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """Yield the same under each of the secrets of before."""
        for one in super().get_session_auth_fallback_hash():
            yield self._bound(one)

    def _bound(self, plain: str) -> str:
        return salted_hmac("cancellations.people.session", f"{plain}|{self.role}|{self.generation}").hexdigest()
