"""A mini program to test against: the pretend one, or one that gives the answers a test dictates."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from providers.contract import Cancel
from providers.wechat import PROVIDER
from providers.wechat.card import CARD
from providers.wechat.client import WechatClient
from providers.wechat.sandbox import SANDBOX
from providers.wire import Wire, wire_for
from providers.world import World

BASE = "https://api.weixin.qq.com"
TOKEN = "88_dictated-token-of-many-characters-0123456789"
REF = {
    "order_id": "01234567890123456789",
    "openid": "oABC123456",
    "delivery_id": "SF",
    "waybill_id": "123456789",
}

WAYS = [
    {"token": "stable", "route": "https"},
    {"token": "plain", "route": "https"},
    {"token": "stable", "route": "cloud"},
    {"token": "plain", "route": "cloud", "invoke": "body"},
]
ways = pytest.mark.parametrize("way", WAYS, ids=["stable", "plain", "cloud", "cloud-body"])


class Clock:
    """The time of a test."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Tokens:
    """A token store in memory that knows whether its lock is held when somebody writes."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.kept, self.locked, self.busy = clock, {}, False, False
        self.before_lock: Callable[[], None] = lambda: None
        self.unlocked_writes: list[str] = []

    def get(self, name: str) -> str | None:
        value, ends = self.kept.get(name, (None, self.clock()))
        return value if ends > self.clock() else None

    def put(self, name: str, value: str, seconds: float) -> None:
        if not self.locked:
            self.unlocked_writes.append(name)
        self.kept[name] = (value, self.clock() + timedelta(seconds=seconds))

    def drop(self, name: str, value: str) -> None:
        if self.get(name) == value:
            del self.kept[name]

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        if self.busy:
            raise TimeoutError("held by somebody else")
        self.before_lock()
        self.locked = True
        try:
            yield
        finally:
            self.locked = False


class Shop:
    """A client, its wire, its store of tokens, and the world behind it."""

    def __init__(self, transport: httpx.BaseTransport, clock: Clock, tokens: Tokens, credential=None, **options: Any):
        credential = dict(credential or SANDBOX.credential)
        self.tokens = tokens
        self.wire: Wire = wire_for(BASE, [credential["secret"]], CARD.private, transport=transport)
        defaults = {one.name: one.default for one in CARD.options}
        if options.get("route") == "cloud":
            defaults |= {name: SANDBOX.options[name] for name in ("env", "function")}
        client = PROVIDER.open(
            wire=self.wire, options={**defaults, **options}, credential=credential, tokens=tokens, now=clock
        )
        assert isinstance(client, WechatClient)
        self.client = client

    def paths(self) -> list[str]:
        """The last steps of the paths called, in order."""
        return [one.url.partition("?")[0].removeprefix(BASE).rsplit("/", 2)[-1] for one in self.wire.exchanges]


def order_in(world: World, state: str = "NEW", courier: str = "SF", *, word: str = "") -> dict[str, Any]:
    """Return an order of the world in this state; with a word the demonstration order that ends in it."""
    for _, order in world.all():
        last = order["order_id"].rpartition("-")[2] if "-" in order["order_id"] else ""
        if (order["state"], order["delivery_id"], last) == (state, courier, word):
            return order
    raise AssertionError(f"no {state} order of {courier} with {word!r}")


def ref_of(order: dict[str, Any]) -> dict[str, str]:
    return {name: order[name] for name in ("order_id", "delivery_id", "waybill_id", "openid")}


def cancel_of(order: dict[str, Any]) -> Cancel:
    return Cancel(ref=ref_of(order))


def events(world: World, order: dict[str, Any]) -> list[str]:
    return [event for key, event, _ in world.ledger() if key == order["order_id"]]


@dataclass(frozen=True)
class Told:
    """An answer a test dictates."""

    status: int
    headers: dict[str, str]
    content: bytes


def said(body: Any, status: int = 200, kind: str = "application/json; encoding=utf-8", **headers: str) -> Told:
    content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return Told(status, {"content-type": kind, **headers}, content)


class Dictated(httpx.BaseTransport):
    """Answers the token call with a token and all others as dictated, the last answer for ever."""

    def __init__(self, *answers: Any) -> None:
        self.answers = [one if isinstance(one, (Exception, Told)) else said(one) for one in answers]
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.tells_tokens() and request.url.path in ("/cgi-bin/stable_token", "/cgi-bin/token"):
            return _response(said({"access_token": TOKEN, "expires_in": 7200}))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return _response(answer)

    def tells_tokens(self) -> bool:
        """Whether token calls are answered well."""
        return True


class Refusing(Dictated):
    """Answers token calls, too, as dictated."""

    def tells_tokens(self) -> bool:
        return False


def _response(told: Told) -> httpx.Response:
    # As a stream, so that httpx does not unpack what the wire is to unpack.
    return httpx.Response(told.status, headers=told.headers, stream=httpx.ByteStream(told.content))
