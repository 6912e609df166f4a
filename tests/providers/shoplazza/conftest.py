"""A store to test against: the pretend one, or one that gives the answers a test dictates."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from providers.shoplazza import PROVIDER
from providers.shoplazza.card import CARD
from providers.shoplazza.client import ShoplazzaClient
from providers.shoplazza.sandbox import SANDBOX
from providers.wire import Wire, wire_for
from providers.world import SandboxTransport, World

BASE = "https://linen-and-lamp.myshoplaza.com"
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


class NoTokens:
    """A token store nobody should need."""

    def get(self, name: str) -> str | None:
        raise AssertionError("there is no token to fetch")

    def put(self, name: str, value: str, seconds: float) -> None:
        raise AssertionError("there is no token to keep")

    def drop(self, name: str, value: str) -> None:
        raise AssertionError("there is no token to drop")

    def lock(self, name: str) -> Any:
        return nullcontext()


def open_client(
    transport: httpx.BaseTransport, *, base: str = BASE, token: str = "", version: str = "2022-01"
) -> tuple[ShoplazzaClient, Wire]:
    token = token or SANDBOX.credential["access_token"]
    wire = wire_for(base, [token], CARD.private, transport=transport)
    client = PROVIDER.open(
        wire=wire,
        options={"api_version": version},
        credential={"access_token": token},
        tokens=NoTokens(),
        now=lambda: NOW,
    )
    assert isinstance(client, ShoplazzaClient)
    return client, wire


@pytest.fixture
def world() -> World:
    made = World("shoplazza", now=lambda: NOW)
    SANDBOX.seed(made, 60)
    return made


@pytest.fixture
def store(world: World) -> Callable[..., tuple[ShoplazzaClient, Wire]]:
    """Open a client of the pretend store; keywords as in ``open_client``."""
    return lambda **more: open_client(SandboxTransport(world, SANDBOX.respond), **more)


class Dictated(httpx.BaseTransport):
    """Gives one answer after the other, the last for ever, and keeps the requests."""

    def __init__(self, *answers: "Said | Exception") -> None:
        self.answers, self.requests = list(answers), []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status, headers=answer.headers, stream=httpx.ByteStream(answer.body))


@dataclass
class Said:
    status: int
    headers: dict[str, str]
    body: bytes


def said(status: int, body: Any = b"", kind: str = "application/json", **headers: str) -> Said:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    more = {name.replace("_", "-"): one for name, one in headers.items()}
    return Said(status, {"content-type": kind, **more}, content)


@pytest.fixture
def dictated() -> Callable[..., tuple[ShoplazzaClient, Dictated]]:
    """Open a client to which ``said`` answers are dictated, given as tuples or exceptions."""

    def opened(*answers: Any) -> tuple[ShoplazzaClient, Dictated]:
        made = [
            one if isinstance(one, Exception) else said(*one[:3], **(one[3] if len(one) > 3 else {})) for one in answers
        ]
        transport = Dictated(*made)
        return open_client(transport)[0], transport

    return opened
