"""Whose eyes may see what: the one filter every queryset of people's pages passes through."""

import json
from typing import Any, NamedTuple, TypeVar

from django.db.models import Model, QuerySet, TextField
from django.db.models.functions import Cast

from cancellations.shops.models import Shop, ShopAccess

Row = TypeVar("Row", bound=Model)


class Seen(NamedTuple):
    """What a list needs of each shop a person may see: hundreds of whole ones would be half the cost of its page.

    Attributes:
        written: The shop's options as JSON text; few pages read them.
    """

    pk: int
    name: str
    title: str
    platform: str
    active: bool
    written: str

    @property
    def options(self) -> Any:
        """The shop's options."""
        return json.loads(self.written)


def shops_of(person: Any) -> QuerySet[Shop]:
    """Return the shops a person may act on, switched-off ones included; nobody signed in has none."""
    return visible_to(person, Shop.objects.all(), path="")


def seen_by(person: Any) -> tuple[Seen, ...]:
    """Return the same shops, in the same order, as far as a list needs them."""
    options = Cast("options", TextField())
    rows = shops_of(person).values_list("pk", "name", "title", "platform", "active", options)
    return tuple(Seen(*row) for row in rows)


def visible_to(person: Any, queryset: QuerySet[Row], path: str = "shop") -> QuerySet[Row]:
    """Return the rows of a queryset that belong to shops the person may act on.

    Args:
        path: How to get from a row to its shop, as ``order__shop``; "" when the rows are shops.
    """
    if not getattr(person, "is_active", False):
        return queryset.none()
    if person.every_shop:
        return queryset
    own = ShopAccess.objects.filter(person=person).values("shop")
    return queryset.filter(**{f"{path}__in" if path else "pk__in": own})
