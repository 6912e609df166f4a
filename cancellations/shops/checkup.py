"""Check connection: what works between us and a shop's platform, what does not, and what to do about it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_noop

from cancellations.audit import trail
from cancellations.shops import health
from cancellations.shops.connection import Connection, connect
from cancellations.shops.models import Shop
from providers.contract import OrderQuery
from providers.errors import AuthFailed, Cause, OutcomeUnknown, ProviderError, Unreachable

LEAST_SECONDS = 1.0

# From near to far: when one of these is at fault, those before it are known to work and those after it are not known.
_LINKS: tuple[tuple[Cause, str, str], ...] = (
    (Cause.SETTINGS, gettext_noop("Settings"), gettext_noop("Complete, and the keys can be opened.")),
    (Cause.NETWORK, gettext_noop("Network"), gettext_noop("The platform answers.")),
    (Cause.PLATFORM, gettext_noop("Platform"), gettext_noop("It answers as its documents say.")),
    (Cause.IP, gettext_noop("Our address"), gettext_noop("The platform lets this machine in.")),
    (Cause.CLOCK, gettext_noop("Clock"), gettext_noop("This machine's clock agrees with the platform's.")),
    (Cause.KEYS, gettext_noop("Keys"), gettext_noop("The platform accepts them.")),
    (Cause.PERMISSION, gettext_noop("Permission"), gettext_noop("The keys may read.")),
)
_NOT_KNOWN = gettext_noop("Not known yet: the fault above comes first.")
_NO_TIME = gettext_noop("Not tried: the platform took too long with what came before.")


@dataclass(frozen=True)
class Line:
    """One thing that was looked at.

    Attributes:
        good: ``True``, ``False``, or ``None`` when it could not be told or does not exist here.
        say: What was found and what to do, untranslated.
        quote: The platform's own words and code, or "".
    """

    what: str
    good: bool | None
    say: str
    quote: str = ""


@dataclass(frozen=True)
class Checkup:
    """What *Check connection* found. All sentences are untranslated; ``lines`` go from near to far.

    Attributes:
        good: Requests can be sent.
        cause: A word of :class:`~providers.errors.Cause`, "" when good.
        at: Aware time, ISO 8601.
    """

    good: bool
    cause: str
    at: str
    lines: tuple[Line, ...]


def check_connection(shop: Shop, *, by: Any) -> Checkup:
    """Ask the platform, read-only and within ``LOOKUP_SECONDS``; note what was found in the shop's health.

    A good answer lifts a hold. Keys that are refused hold the shop; a mere lack of permission to read does not, for
    cancelling may be permitted all the same, and it shows that the platform answers.
    """
    ends = time.monotonic() + settings.LOOKUP_SECONDS
    error: ProviderError | None = None
    connection: Connection | None = None
    try:
        connection = connect(shop, seconds=settings.LOOKUP_SECONDS)
        connection.client.ping()
    except ProviderError as problem:
        error = problem
    cause = _cause(error) if error else None
    lines = _links(cause, error)
    if error is None and connection is not None:
        lines += _abilities(connection, ends)
    data = {"good": error is None, "cause": str(cause or ""), "code": error.code if error else ""}
    trail.record(
        "shop.checked", by=by, subject_kind="shop", subject_id=shop.pk, subject=shop.title, shop=shop, data=data
    )
    if error is None:
        health.note_good(shop)
        health.release(shop, by=by, because="checked")
    elif isinstance(error, AuthFailed) and cause != Cause.PERMISSION:
        health.hold(shop, error, by=by)
    elif not isinstance(error, AuthFailed):
        health.note_failure(shop, error)
    elif health.health_of(shop).hold_cause == Cause.NETWORK:
        health.release(shop, by=by, because="checked")  # it answers
    return Checkup(error is None, str(cause or ""), timezone.now().isoformat(), tuple(lines))


def _cause(error: ProviderError) -> Cause:
    if error.cause:
        return error.cause
    if isinstance(error, AuthFailed):
        return Cause.KEYS
    return Cause.NETWORK if isinstance(error, Unreachable | OutcomeUnknown) else Cause.PLATFORM


def _links(cause: Cause | None, error: ProviderError | None) -> list[Line]:
    lines, broken = [], False
    for link, what, fine in _LINKS:
        if link == cause and error is not None:
            broken = True
            lines.append(Line(what, False, error.advice.admin or error.advice.agent, _quote(error)))
        else:
            lines.append(Line(what, None, _NOT_KNOWN) if broken else Line(what, True, fine))
    return lines


def _abilities(connection: Connection, ends: float) -> list[Line]:
    """Try what this platform can do for us beside cancelling; a fault here keeps no request from being sent."""
    can, client = connection.capabilities, connection.client
    lines = [
        _attempt(
            connection, ends, can.list_orders, lambda: client.list_orders(OrderQuery(limit=1)),
            gettext_noop("Lists orders"),
            gettext_noop("Orders that changed are fetched by themselves."),
            gettext_noop("Not with these settings: import orders from a file, or look them up by id."),
        ),
        Line(
            gettext_noop("Reads orders"),
            True if can.get_order else None,
            gettext_noop("An order is read fresh before it is cancelled, and an unclear outcome is settled by reading.")
            if can.get_order
            else gettext_noop("Not with these settings: an unclear cancel has to be settled by a person."),
        ),
    ]  # fmt: skip
    if can.list_reasons:
        lines.append(
            _attempt(
                connection, ends, True, client.list_reasons,
                gettext_noop("Lists reasons"),
                gettext_noop("The platform told which reasons it takes."),
                "",
            )
        )  # fmt: skip
    return lines


def _attempt(
    connection: Connection, ends: float, can: bool, act: Callable[[], object], what: str, fine: str, cannot: str
) -> Line:
    if not can:
        return Line(what, None, cannot)
    left = ends - time.monotonic()
    if left < LEAST_SECONDS:
        return Line(what, None, _NO_TIME)
    connection.wire.total_seconds = left
    try:
        act()
    except ProviderError as error:
        return Line(what, False, error.advice.admin or error.advice.agent, _quote(error))
    return Line(what, True, fine)


def _quote(error: ProviderError) -> str:
    return f"{error.message[:300]} ({error.code})" if error.message else error.code
