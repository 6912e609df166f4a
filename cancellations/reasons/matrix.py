"""What is sent for each reason where: the catalogue against the platforms and shops a person may see."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from cancellations.reasons import choosing, managing
from cancellations.reasons.choosing import Choice
from cancellations.reasons.models import ListedReasons, Reason
from cancellations.shops.models import Shop
from providers import registry
from providers.contract import Card


@dataclass
class Column:
    """A platform and its shops."""

    card: Card
    shops: list[Shop] = field(default_factory=list)


@dataclass
class Outcome:
    """What becomes of a reason in some shops of a platform.

    Attributes:
        everywhere: In all of the platform's shops one sees; then they need no naming.
    """

    choice: Choice
    shops: list[Shop]
    everywhere: bool


@dataclass(frozen=True)
class Target:
    """Something a reason can be mapped for: a platform, or one shop of it.

    Attributes:
        shop: ``None`` for the whole platform.
        own: The mapping made for exactly this; "" when there is none.
        default: What counts when there is none; "" when nothing does.
        choice: What becomes of the reason there; ``None`` for the whole platform.
        offered: (value, words) pairs to choose from; empty where any text will do.
    """

    card: Card
    shop: Shop | None
    own: str
    default: str
    choice: Choice | None
    offered: list[tuple[str, str]]


def columns(shops: Iterable[Shop]) -> list[Column]:
    """Return the platforms of these shops, in the registry's order; a platform no longer known is left out."""
    found: dict[str, Column] = {slug: Column(one.card) for slug, one in registry.PROVIDERS.items()}
    for shop in shops:
        if shop.platform in found:
            found[shop.platform].shops.append(shop)
    return [one for one in found.values() if one.shops]


def cells(found: list[Column]) -> dict[str, list[list[Outcome]]]:
    """Return by a reason's code, for every column in turn, its outcomes: one, or several where the shops differ."""
    choices = choosing.reasons_by_shop(shop for column in found for shop in column.shops)
    table: dict[str, list[list[Outcome]]] = {}
    for column in found:
        row: dict[str, dict[tuple[object, ...], Outcome]] = {}
        for shop in column.shops:
            for one in choices[shop.pk]:
                key = (one.value, one.pickable, one.told, one.why)
                groups = row.setdefault(one.reason.code, {})
                groups.setdefault(key, Outcome(one, [], False)).shops.append(shop)
        for code, groups in row.items():
            for outcome in groups.values():
                outcome.everywhere = len(groups) == 1
            table.setdefault(code, []).append(list(groups.values()))
    return table


def targets(reason: Reason, found: list[Column]) -> list[list[Target]]:
    """Return for every column in turn where a reason can be mapped: the platform first, then its shops."""
    shops = [shop for column in found for shop in column.shops]
    mapped, values = choosing.mappings_of(shops), choosing.values_by_shop(shops)
    words = _words(shops)
    table = []
    for column in found:
        card, slug = column.card, column.card.slug
        listed = card.reason == "listed"
        wide = mapped.get((reason.pk, slug, None), "")
        every = managing.offered(slug, None) if listed else []
        default = card.reason_defaults.get(reason.code, "" if listed else reason.label)
        named = {**{one.value: _(one.label) for one in card.reasons}, **words.get(None, {})}
        rows = [Target(card, None, wide, default, None, _pairs(every, named))]
        for shop in column.shops:
            own = mapped.get((reason.pk, slug, shop.pk), "")
            default = wide or choosing.default_for(shop, reason) or ("" if listed else reason.label)
            choice = choosing.choice(shop, reason, mapped, values[shop.pk])
            pairs = _pairs(values[shop.pk], named | words.get(shop.pk, {})) if listed else []
            rows.append(Target(card, shop, own, default, choice, pairs))
        table.append(rows)
    return table


def lists(shops: Iterable[Shop]) -> list[tuple[Shop, ListedReasons]]:
    """Return the shops whose platform can be asked for its reasons, each with what it listed, if ever."""
    able = [
        shop
        for shop in shops
        if shop.platform in registry.PROVIDERS
        and registry.PROVIDERS[shop.platform].capabilities(shop.options).list_reasons
    ]
    known = {one.shop_id: one for one in ListedReasons.objects.filter(shop__in=able)}
    return [(shop, known.get(shop.pk) or ListedReasons(shop=shop)) for shop in able]


def _words(shops: list[Shop]) -> dict[int | None, dict[str, str]]:
    """Return what platforms call their values, by shop; under ``None`` all of them together."""
    found: dict[int | None, dict[str, str]] = {None: {}}
    for shop_id, labels in ListedReasons.objects.filter(shop__in=shops).values_list("shop", "labels"):
        found[shop_id] = labels
        found[None] |= labels
    return found


def _pairs(values: list[str], words: dict[str, str]) -> list[tuple[str, str]]:
    return [(value, f"{value} · {words[value]}" if words.get(value) else value) for value in values]
