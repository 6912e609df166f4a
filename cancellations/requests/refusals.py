"""Why a person's wish was not carried out, and the one check of role and shop."""

from django.utils.translation import gettext as _

from cancellations.access import may
from cancellations.people.models import Person
from cancellations.shops.models import Shop
from cancellations.shops.scope import shops_of


class NotAsked(Exception):
    """Nothing was asked. ``args[0]`` is a translated sentence; ``field`` names what to mend, or ""."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class NotAllowed(NotAsked):
    """This person may not do this now."""


def require(by: Person, permission: str, shop: Shop) -> None:
    """Raise :class:`NotAllowed` unless this person's role permits it, in this shop."""
    if not may(by, permission):
        raise NotAllowed(_("Your role does not permit this."))
    if not shops_of(by).filter(pk=shop.pk).exists():
        raise NotAllowed(_("You may not act on this shop."))
