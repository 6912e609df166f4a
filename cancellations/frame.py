"""What the frame round every page needs to know: where one may go, and what everybody must be told.

Everything here is called by ``base.html`` alone, so a fragment costs no query, and a page one.
"""

from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from cancellations.access import may
from cancellations.pages import wants_fragment
from cancellations.shops import arming
from cancellations.shops.hosts import is_local
from cancellations.shops.models import Environment, Pulse, Shop, ShopHealth
from cancellations.shops.scope import shops_of, sql_of
from cancellations.templatetags.desk import gap
from providers.errors import Cause

NAMED = 3
# Why a shop may be on hold, besides a platform that does not answer: it lets us in no more, or we cannot knock at all.
_REFUSED = (Cause.KEYS, Cause.PERMISSION, "")
_UNFIT = (Cause.SETTINGS, Cause.CLOCK, Cause.IP, Cause.PLATFORM)
_HEALTH = ShopHealth._meta.db_table


@dataclass(frozen=True)
class Place:
    """Somewhere to go: an address by name, who may, how it looks, and its key after ``g``."""

    view: str
    label: str | Promise
    icon: str
    permission: str = ""
    key: str = ""


PLACES = (
    Place("home", _("Home"), "home", key="h"),
    Place("orders:list", _("Orders"), "shopping-bag", "search", key="o"),
    Place("requests:list", _("Cancellations"), "no-symbol", "search", key="c"),
    Place("batches:list", _("Bulk"), "queue-list", "request", key="b"),
    Place("audit:list", _("Audit"), "document-magnifying-glass", "audit", key="a"),
    Place("shops:list", _("Shops"), "building-storefront", "shops", key="s"),
    Place("operations", _("Operations"), "cpu-chip", "shops"),
    Place("reasons:list", _("Reasons"), "chat-bubble-bottom-center-text", "reasons", key="r"),
    Place("people:list", _("People"), "users", "people", key="p"),
)


@dataclass(frozen=True)
class Link:
    """One line of the rail."""

    url: str
    label: str | Promise
    icon: str
    key: str
    active: bool
    admin: bool


@dataclass(frozen=True)
class Banner:
    """One thing everybody must know, and where to go about it ("" where there is nothing to do)."""

    tone: str
    icon: str
    text: str
    url: str = ""
    act: str = ""


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context for ``base.html``; the values are called there, not before."""
    if wants_fragment(request):
        return {}
    return {"nav": partial(links, request), "place": _here(request), "banners": partial(banners, request)}


def links(request: HttpRequest) -> list[Link]:
    """Return where this person may go, in the rail's order."""
    here = _here(request)
    found = []
    for place in PLACES:
        if place.permission and not may(request.user, place.permission):
            continue
        active = place.view.partition(":")[0] == here
        url = _url(place.view)
        if url:
            admin = place.permission in {"shops", "reasons", "people"}
            found.append(Link(url, place.label, place.icon, place.key, active, admin))
    return found


def banners(request: HttpRequest) -> list[Banner]:
    """Return what everybody here must know; for people who are signed out, nothing."""
    person = request.user
    if not person.is_active:
        return []
    told = []
    heard, held, sandboxes = _look(person)
    if (standing := arming.standing()) != arming.Standing.ARMED:
        found, step = arming.WORDS[standing]
        words = (gettext(found), gettext(step)) if may(person, "shops") else (gettext(found), gettext(arming.ASK_ADMIN))
        told.append(Banner("bad", "no-symbol", gap().join(words)))
    if not heard:
        text = gettext(
            "No worker has been heard of for a minute. Cancellations wait and are sent as soon as one is back."
        )
        told.append(Banner("bad", "signal-slash", text))
    for causes, because in ((_REFUSED, _refused), (_UNFIT, _unfit)):
        if some := [(title, name) for title, name, cause in held if cause in causes]:
            told.append(_held(some, because(some), admin=may(person, "shops")))
    if silent := [(title, name) for title, name, cause in held if cause == Cause.NETWORK]:
        told.append(_silent(silent))
    return [*told, *_sandboxes(person, sandboxes)]


def _look(person: Any) -> tuple[bool, list[tuple[str, str, str]], list[str]]:
    """Return whether a worker is heard of, shops on hold (title, name, cause) and the sandboxes' addresses."""
    mine, params = sql_of(person, _told_of)
    pulse, pulse_params = _heard(connection.vendor)
    # One statement, since every page asks, and not put together by the ORM, which takes longer over it than the
    # database. A union drops what is there twice.
    sql = f"""
        WITH mine AS ({mine})
        SELECT 'held', title, name, hold_cause FROM mine JOIN {_HEALTH} AS health ON health.shop_id = mine.id
        WHERE health.held_since IS NOT NULL
        UNION SELECT 'sandbox', base_url, '', '' FROM mine WHERE environment = %s
        UNION SELECT 'heard', '', '', '' WHERE EXISTS ({pulse})"""  # noqa: S608 - our own names
    with connection.cursor() as cursor:
        cursor.execute(sql, [*params, Environment.SANDBOX.value, *pulse_params])
        rows = cursor.fetchall()
    return (
        any(kind == "heard" for kind, *_ in rows),
        sorted((title, name, cause) for kind, title, name, cause in rows if kind == "held"),
        [url for kind, url, *_ in rows if kind == "sandbox"],
    )


def _told_of(shops: QuerySet[Shop]) -> QuerySet[Shop, Any]:
    return shops.filter(active=True).order_by().values("id", "title", "name", "base_url", "environment")


@cache
def _heard(vendor: str) -> tuple[str, tuple[Any, ...]]:
    """Return a database's SQL, and its parameters, that gives a row while a worker is heard of: alike for everybody."""
    return Pulse.heard().values("id").query.sql_with_params()


def _sandboxes(person: Any, addresses: list[str]) -> list[Banner]:
    """Say of sandbox shops what is true of where they point."""
    told = []
    afar = [url for url in addresses if not is_local(url)]
    if afar and (real := _sandboxes_at(person, afar)):  # seldom so: only then it takes another query
        text = ngettext(
            "%(shops)s is marked as a sandbox and uses its platform's own address: what is cancelled there is real.",
            "%(shops)s are marked as sandboxes and use a platform's own address: what is cancelled there is real.",
            len(real),
        ) % {"shops": _named(real)}
        told.append(Banner("warn", "exclamation-triangle", text))
    if len(afar) < len(addresses):
        text = gettext("Some of your shops are sandboxes: nothing cancelled there is cancelled anywhere else.")
        if afar:
            text = gettext("The other sandboxes are for trying out: nothing cancelled there is cancelled elsewhere.")
        told.append(Banner("violet", "beaker", text))
    return told


def _sandboxes_at(person: Any, addresses: list[str]) -> list[tuple[str, str]]:
    shops = shops_of(person).filter(active=True, environment=Environment.SANDBOX, base_url__in=addresses)
    return list(shops.order_by("title").values_list("title", "name")[: NAMED + 1])


def _refused(held: list[tuple[str, str]]) -> str:
    return ngettext(
        "%(shops)s is on hold: its platform refuses our keys. Cancellations there wait.",
        "%(shops)s are on hold: their platforms refuse our keys. Cancellations there wait.",
        len(held),
    ) % {"shops": _named(held)}


def _unfit(held: list[tuple[str, str]]) -> str:
    return ngettext(
        "%(shops)s is on hold: its connection has to be mended. Cancellations there wait.",
        "%(shops)s are on hold: their connections have to be mended. Cancellations there wait.",
        len(held),
    ) % {"shops": _named(held)}


def _held(held: list[tuple[str, str]], text: str, *, admin: bool) -> Banner:
    if not admin:
        return Banner("warn", "pause-circle", text + " " + gettext("An admin has to mend it."))
    url = _url("shops:shop", held[0][1]) if len(held) == 1 else _url("shops:list")
    return Banner("warn", "pause-circle", text, url, gettext("See what to do"))


def _silent(held: list[tuple[str, str]]) -> Banner:
    text = ngettext(
        "%(shops)s is on hold: its platform does not answer. Cancellations there wait, and go on by themselves.",
        "%(shops)s are on hold: their platforms do not answer. Cancellations there wait, and go on by themselves.",
        len(held),
    ) % {"shops": _named(held)}
    return Banner("warn", "signal-slash", text)


def _named(held: list[tuple[str, str]]) -> str:
    return ", ".join(title for title, _name in held[:NAMED]) + (" …" if len(held) > NAMED else "")


def _here(request: HttpRequest) -> str:
    match = getattr(request, "resolver_match", None)
    return (match.namespace or match.view_name) if match else ""


def _url(view: str, *args: str) -> str:
    try:
        return reverse(view, args=args)
    except NoReverseMatch:
        return ""
