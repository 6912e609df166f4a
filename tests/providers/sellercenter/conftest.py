"""A seeded pretend Seller Center under a fixed clock, and ways to it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from providers.contract import Client
from providers.sellercenter import PROVIDER
from providers.wire import Wire, wire_for
from providers.world import Reply, SandboxTransport, World

NOW = datetime(2030, 4, 1, 8, 0, tzinfo=UTC)


class Line(SandboxTransport):
    """The way to the pretend platform; remembers what stood on the wire."""

    def __init__(self, world: World) -> None:
        super().__init__(world, PROVIDER.sandbox.respond)
        self.seen: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        return super().handle_request(request)


class Canned(httpx.BaseTransport):
    """Answers with given replies one after the other, or raises a given error."""

    def __init__(self, answers: Sequence[Reply | Exception]) -> None:
        self.answers, self.seen = list(answers), []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        stream = httpx.ByteStream(answer.body)
        return httpx.Response(answer.status, headers=dict(answer.headers), stream=stream, request=request)


class Tokens:
    """No tokens: this platform has none, and whoever asks for one is wrong."""


Opened = tuple[Client, Wire, Any]


def _open(transport: httpx.BaseTransport, credential: dict[str, str], options: dict[str, Any]) -> Opened:
    account = {**PROVIDER.sandbox.credential, **credential}
    wire = wire_for(PROVIDER.card.base_url, [account["api_key"]], PROVIDER.card.private, transport=transport)
    client = PROVIDER.open(
        wire=wire,
        options={**PROVIDER.sandbox.options, **options},
        credential=account,
        tokens=Tokens(),  # type: ignore[arg-type]
        now=lambda: NOW,
    )
    return client, wire, transport


@pytest.fixture
def world() -> World:
    """Twelve orders and the demonstration ones."""
    made = World("sellercenter", now=lambda: NOW)
    PROVIDER.sandbox.seed(made, 12)
    return made


@pytest.fixture
def dial(world: World) -> Callable[..., Opened]:
    """``dial(credential={…}, **options)`` opens a client to the pretend platform."""

    def dialled(credential: dict[str, str] | None = None, **options: Any) -> Opened:
        return _open(Line(world), credential or {}, options)

    return dialled


@pytest.fixture
def told() -> Callable[..., Opened]:
    """``told(reply, …, **options)`` opens a client that gets these answers."""

    def opened(*answers: Reply | Exception, **options: Any) -> Opened:
        return _open(Canned(answers), {}, options)

    return opened
