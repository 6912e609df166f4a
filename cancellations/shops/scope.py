"""Whose eyes may see what: the one filter every queryset of people's pages passes through."""

from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from cancellations.shops.models import Shop, ShopAccess

Row = TypeVar("Row", bound=Model)


def shops_of(person: Any) -> QuerySet[Shop]:
    """Return the shops a person may act on, switched-off ones included; nobody signed in has none."""
    return visible_to(person, Shop.objects.all(), path="")


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
