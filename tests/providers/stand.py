"""A stand: one platform configured in one way, its pretend world, and a client that buys nothing elsewhere."""

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import httpx

from providers.contract import Cancel, Capabilities, Card, Client, OrderQuery, PlatformOrder, Provider, Receipt, Status
from providers.errors import ProviderError
from providers.registry import PROVIDERS
from providers.wire import Wire, wire_for
from providers.world import SandboxTransport, World

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
_PLAIN_NUMBER = re.compile(r"(?!.*-[A-Z]+$)")


@dataclass(frozen=True)
class Variant:
    """A platform and the options that differ from its sandbox's own."""

    slug: str
    options: tuple[tuple[str, Any], ...] = ()

    @property
    def provider(self) -> Provider:
        return PROVIDERS[self.slug]

    def __str__(self) -> str:
        return "-".join([self.slug, *(f"{name}={value}" for name, value in self.options)])


def variants() -> list[Variant]:
    """Return every platform as its sandbox has it, and with each choice and switch of its card turned once."""
    found = []
    for slug, provider in PROVIDERS.items():
        defaults = {**{one.name: one.default for one in provider.card.options}, **provider.sandbox.options}
        found.append(Variant(slug))
        for one in provider.card.options:
            values = {"choice": [value for value, _ in one.choices], "switch": [True, False]}.get(one.kind, [])
            needs = (one.when,) if one.when and defaults.get(one.when[0]) != one.when[1] else ()
            found += [Variant(slug, (*needs, (one.name, value))) for value in values if value != defaults[one.name]]
    return found


class Tokens:
    """A token store in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        return self.kept.get(name)

    def put(self, name: str, value: str, seconds: float) -> None:
        assert seconds > 0
        self.kept[name] = value

    def drop(self, name: str, value: str) -> None:
        if self.kept.get(name) == value:
            del self.kept[name]

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        yield


class Line(SandboxTransport):
    """The way to the pretend platform: keeps what stood on the wire, and lets a test meddle with the cancel.

    Attributes:
        before_cancel: Called in place of the platform when a cancel is about to reach it.
        after_cancel: Makes another answer out of the platform's own.
    """

    def __init__(self, world: World, provider: Provider) -> None:
        super().__init__(world, provider.sandbox.respond)
        self.seen: list[tuple[str, str, tuple[tuple[str, str], ...], bytes]] = []
        self.cancel_at: int | None = None
        self.before_cancel: Callable[[httpx.Request], httpx.Response] | None = None
        self.after_cancel: Callable[[httpx.Request], httpx.Response] | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append((request.method, str(request.url), tuple(request.headers.items()), request.read()))
        if self.before_cancel and len(self.seen) - 1 == self.cancel_at:
            return self.before_cancel(request)
        called = len(self.world.ledger())
        answer = super().handle_request(request)
        if len(self.world.ledger()) > called:
            self.cancel_at = len(self.seen) - 1
            if self.after_cancel:
                return self.after_cancel(request)
        return answer


@dataclass(frozen=True)
class Unit:
    """What one cancel cancels."""

    ref: Mapping[str, str]
    item_ref: str = ""
    reason: str = ""

    @property
    def order_key(self) -> str:
        """The order's key in the world: the first of its look-up fields."""
        return next(iter(self.ref.values()))

    @property
    def key(self) -> str:
        """What the ledger and the planned faults call it."""
        return self.item_ref or self.order_key


@dataclass
class Stand:
    """A shop of this variant, opened against a freshly filled world.

    Args:
        credential: What differs from the sandbox's own keys.
        count: How many ordinary orders the world holds.
    """

    variant: Variant
    credential: dict[str, str] = field(default_factory=dict)
    count: int = 60
    transport: httpx.BaseTransport | None = None

    def __post_init__(self) -> None:
        provider = self.provider
        self.now = NOW
        self.world = World(self.variant.slug, now=lambda: self.now)
        self.world.put_all(iter(_documents(self.variant.slug, self.count)))
        self.options = {
            **{one.name: one.default for one in self.card.options},
            **provider.sandbox.options,
            **dict(self.variant.options),
        }
        self.keys = dict(provider.sandbox.credential)
        for name, value in self.variant.options:
            self.world.switches[name] = value  # a sandbox that must know of a shop's option has a switch of its name
            self.keys |= getattr(provider.sandbox, f"{value}_credential", {})
        self.keys |= self.credential
        self.tokens = Tokens()
        self.line = Line(self.world, provider)
        self.client, self.wire = self.open()

    @property
    def provider(self) -> Provider:
        return self.variant.provider

    @property
    def card(self) -> Card:
        return self.provider.card

    @property
    def can(self) -> Capabilities:
        return self.provider.capabilities(self.options)

    def open(self, transport: httpx.BaseTransport | None = None, **more: Any) -> tuple[Client, Wire]:
        """Open one more client of the same shop."""
        wire = wire_for(
            self.card.base_url if self.card.slug != "shoplazza" else "https://linen-and-lamp.myshoplaza.com",
            self.secrets(),
            self.card.private,
            transport=transport or self.transport or self.line,
            **more,
        )
        return self.provider.open(
            wire=wire, options=self.options, credential=self.keys, tokens=self.tokens, now=lambda: self.now
        ), wire

    def secrets(self) -> list[str]:
        """Return what must never be seen: the secret keys asked for here, and every token fetched so far."""
        named = [one.name for one in self.card.credential if one.kind == "secret"]
        return [*(self.keys[name] for name in named if self.keys.get(name)), *self.tokens.kept.values()]

    def rows(self) -> list[Mapping[str, str]]:
        return list(self.provider.sandbox.rows(self.world))

    def ref(self, row: Mapping[str, str]) -> dict[str, str]:
        return {one.name: row[one.name] for one in self.card.lookup}

    def command(self, unit: Unit) -> Cancel:
        return Cancel(unit.ref, unit.item_ref, unit.reason)

    def cancel(self, unit: Unit) -> Receipt | ProviderError:
        """Cancel, and return what came of it; anything but the contract's own errors passes through."""
        try:
            return self.client.cancel(self.command(unit))
        except ProviderError as error:
            return error

    def units(self, row: Mapping[str, str]) -> list[Unit]:
        """Return what can be cancelled of an order."""
        ref, reason = self.ref(row), "Customer asked to cancel" if self.card.reason == "text" else ""
        if self.card.reason == "listed":
            reason = (self.client.list_reasons() or self.card.reasons)[0].value
        if self.card.unit == "order":
            return [Unit(ref, "", reason)]
        return [Unit(ref, item.ref, reason) for item in self.client.get_order(ref).items]

    def listed(self) -> Iterator[PlatformOrder]:
        """Walk through every page."""
        cursor = ""
        for _ in range(500):
            page = self.client.list_orders(OrderQuery(cursor=cursor, limit=25))
            yield from page.orders
            if not (cursor := page.cursor):
                return
        raise AssertionError("the list has no end")

    def truth(self, unit: Unit) -> Status:
        """Return what is true at the platform, whatever it says."""
        document = self.world.get(unit.order_key)
        assert document is not None
        if unit.item_ref:
            rows = itertools.chain.from_iterable(one for one in document.values() if isinstance(one, list))
            document = next(one for one in rows if isinstance(one, dict) and unit.item_ref in one.values())
        return self.provider.sandbox.truth(document)

    def events(self, unit: Unit, event: str) -> int:
        return [(key, what) for key, what, _at in self.world.ledger()].count((unit.key, event))


@cache
def _documents(slug: str, count: int) -> tuple[tuple[str, dict[str, Any]], ...]:
    made = World(slug, now=lambda: NOW)
    PROVIDERS[slug].sandbox.seed(made, count)
    return tuple(made.all())


@cache
def cancellable(variant: Variant, most: int = 3) -> tuple[Unit, ...]:
    """Return a few ordinary units that the platform does cancel, found out in a world of their own."""
    probe, found = Stand(variant), []
    for row in probe.rows():
        if row["status"] == Status.OPEN and _PLAIN_NUMBER.match(row["order_number"]):
            found += [unit for unit in probe.units(row)[:1] if isinstance(probe.cancel(unit), Receipt)]
        if len(found) == most:
            return tuple(found)
    raise AssertionError(f"{variant}: the pretend world holds too few orders that can be cancelled")


@cache
def refused(variant: Variant) -> Unit:
    """Return the unit whose number says that its cancel is to be refused."""
    probe = Stand(variant)
    row = next(row for row in probe.rows() if row["order_number"].endswith("-REJECT"))
    return probe.units(row)[0]
