"""Whose eyes may see what: the one filter every queryset of people's pages passes through."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet, TextField
from django.db.models.functions import Cast

from cancellations.shops.models import Shop, ShopAccess

Row = TypeVar("Row", bound=Model)
_Narrowed = Callable[[QuerySet[Shop]], QuerySet[Shop, Any]]


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
    with connection.cursor() as cursor:
        cursor.execute(*sql_of(person, _columns))
        return tuple(map(Seen._make, cursor.fetchall()))


def sql_of(person: Any, narrowed: _Narrowed) -> tuple[str, tuple[Any, ...]]:
    """Return SQL and its parameters of a query on the shops a person may act on.

    Every page asks, and putting the statement together takes longer than it takes the database: for those who see
    every shop it is done once.
    """
    if getattr(person, "is_active", False) and person.every_shop:
        return _sql_everywhere(narrowed, connection.vendor)
    # What "nobody" sees is a query that need not be made, which has no SQL.
    shops = shops_of(person) if getattr(person, "is_active", False) else Shop.objects.filter(pk=0)
    found: tuple[str, tuple[Any, ...]] = narrowed(shops).query.sql_with_params()
    return found


@cache
def _sql_everywhere(narrowed: _Narrowed, vendor: str) -> tuple[str, tuple[Any, ...]]:
    found: tuple[str, tuple[Any, ...]] = narrowed(Shop.objects.all()).query.sql_with_params()
    return found


def _columns(shops: QuerySet[Shop]) -> QuerySet[Shop, Any]:
    return shops.values_list("pk", "name", "title", "platform", "active", Cast("options", TextField()))


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
