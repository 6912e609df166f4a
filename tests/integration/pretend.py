"""A platform of no company, for tests of the desk: one client whose answers a test decides."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from providers.contract import Capabilities, Card, Field, Page, PlatformReason, Provider

BASE_URL = "https://api.pretend.example"
SECRET = "secret-9f31c0-canary"
CREDENTIAL = {"user": "someone", "secret": SECRET}

CARD = Card(
    slug="pretend",
    name="Pretend",
    unit="order",
    base_url=BASE_URL,
    hosts=("api.pretend.example", ".shops.pretend.example"),
    options=(
        Field("mode", "Mode", kind="choice", default="keys", choices=(("keys", "Keys"), ("token", "Token"))),
        Field("token_url", "Token address", kind="url", required=False, when=("mode", "token")),
        Field("list", "List orders", kind="switch", required=False, default=True),
        Field("reasons", "Reasons", kind="list", required=False, default=()),
        Field("version", "Version", required=False, default="1.0", max_length=8),
    ),
    credential=(
        Field("user", "User", "The user's name."),
        Field("secret", "Secret", "Shown once.", kind="secret", when=("mode", "keys")),
        Field("password", "Password", kind="secret", when=("mode", "token")),
    ),
    lookup=(Field("order_id", "Order ID"),),
    reason="text",
    private=frozenset({"phone"}),
    consequences=("The order is cancelled.",),
    home="In the pretend console.",
)


@dataclass
class PretendPlatform:
    """What the pretend client does; ``error`` is raised by every call named in ``failing``.

    Attributes:
        opened: What each connection was opened with.
    """

    error: Exception | None = None
    failing: tuple[str, ...] = ("ping", "list_orders", "list_reasons")
    opened: list[dict[str, Any]] = field(default_factory=list)

    def open(self, **given: Any) -> "PretendPlatform":
        self.opened.append(given)
        return self

    def _answer(self, name: str, value: Any = None) -> Any:
        if self.error and name in self.failing:
            raise self.error
        return value

    def ping(self) -> None:
        self._answer("ping")

    def list_orders(self, query: Any) -> Page:
        return self._answer("list_orders", Page(()))

    def list_reasons(self) -> tuple[PlatformReason, ...]:
        return self._answer("list_reasons", ())

    def provider(self) -> Provider:
        return Provider(CARD, self.open, _capabilities, sandbox=None)  # type: ignore[arg-type]


def _capabilities(options: Mapping[str, Any]) -> Capabilities:
    return Capabilities(list_orders=bool(options.get("list")), list_reasons=True)
