"""What every platform promises: a door with a card, and a client a few calls wide.

Everything here is a frozen value or a protocol. Platforms and the desk import the card's and the orders' values from
here, too: this is the one face of the floor.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from providers.card import Capabilities, Card, Field, PlatformReason, Ref
from providers.orders import (
    CANNOT_TELL,
    Buyer,
    OrderQuery,
    Page,
    PlatformItem,
    PlatformOrder,
    Standing,
    Status,
    Trace,
)

if TYPE_CHECKING:
    from providers.wire import Wire
    from providers.world import Reply, SandboxRequest, World

__all__ = [
    "CANNOT_TELL",
    "Buyer",
    "Cancel",
    "Capabilities",
    "Card",
    "Client",
    "Field",
    "Open",
    "OrderQuery",
    "Page",
    "PlatformItem",
    "PlatformOrder",
    "PlatformReason",
    "Provider",
    "Receipt",
    "Ref",
    "Sandbox",
    "Standing",
    "Status",
    "TokenStore",
    "Trace",
]


@dataclass(frozen=True)
class Cancel:
    """The command: one unit, one platform call.

    Attributes:
        ref: The order.
        item_ref: The item, where the card's unit is ``item``; else "".
        reason: The platform's own value or free text, where the card takes one; else "".
        detail: The agent's note, where the platform has a field for it beside the reason.
    """

    ref: Ref
    item_ref: str = ""
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Receipt:
    """The platform said yes.

    Attributes:
        final: Done; ``False`` means taken, not finished.
        already: It was cancelled before we asked (then ``final`` is true).
        code, message: The platform's own words.
        advice: A sentence, marked for translation, where there is more to say than "cancelled".
    """

    final: bool = True
    already: bool = False
    code: str = ""
    message: str = ""
    advice: str = ""
    request_id: str = ""


class TokenStore(Protocol):
    """Where access tokens live, shared by all processes of one shop, or of one app's shops (``Card.shared_by``).

    Tokens are stored sealed. ``lock`` is held while one caller refreshes; the others wait and read again.
    """

    def get(self, name: str) -> str | None: ...
    def put(self, name: str, value: str, seconds: float) -> None: ...
    def drop(self, name: str, value: str) -> None:
        """Forget it, unless somebody already put a newer one."""

    def lock(self, name: str) -> AbstractContextManager[None]:
        """Return a context manager; entering waits up to 15 s, then raises ``TimeoutError``."""


class Client(Protocol):
    """The whole contract. Every call returns a value or raises one :class:`~providers.errors.ProviderError`.

    A client never sleeps and never logs. The one repetition it may make is after a *definite* refusal of a stale
    token, with a fresh one, once.
    """

    def ping(self) -> None:
        """Make the cheapest authenticated read; its error's ``cause`` says what is wrong."""

    def list_orders(self, query: OrderQuery) -> Page: ...
    def get_order(self, ref: Ref) -> PlatformOrder:
        """Read one order fresh. Raises :class:`~providers.errors.Rejected` when there is none."""

    def get_orders(self, refs: Sequence[Ref]) -> tuple[PlatformOrder, ...]: ...
    def list_reasons(self) -> tuple[PlatformReason, ...]: ...
    def choices(self, field_name: str) -> tuple[tuple[str, str], ...]:
        """Return (value, label) pairs the platform lists for one of the look-up fields; () where it lists none."""

    def cancel(self, command: Cancel) -> Receipt: ...


class Open(Protocol):
    """Make a client: ``open(wire, options, credential, tokens, now)``; no network is touched."""

    def __call__(
        self,
        *,
        wire: "Wire",
        options: Mapping[str, Any],
        credential: Mapping[str, str],
        tokens: TokenStore,
        now: Callable[[], datetime],
    ) -> Client: ...


class Sandbox(Protocol):
    """The platform as we understand it, answering from a :class:`~providers.world.World`.

    Attributes:
        credential, options: Of the one pretend account; what a sandbox shop is configured with.
    """

    credential: Mapping[str, str]
    options: Mapping[str, Any]

    def respond(self, request: "SandboxRequest", world: "World") -> "Reply":
        """Answer one request as strictly as the platform would."""

    def seed(self, world: "World", count: int) -> None:
        """Fill an empty world with so many orders: mixed states, accents and Chinese, the same every time."""

    def rows(self, world: "World") -> Iterable[Mapping[str, str]]:
        """Yield every order as a row of an import file (look-up fields first); for platforms that cannot list."""

    def truth(self, document: Mapping[str, Any]) -> Status:
        """Return what an order (or item) document of the world really is."""


@dataclass(frozen=True)
class Provider:
    """The door of a platform folder."""

    card: Card
    open: Open
    capabilities: Callable[[Mapping[str, Any]], Capabilities]
    sandbox: Sandbox
