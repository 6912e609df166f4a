"""The fixtures of this folder; what they hand out is in ``stage.py``."""

from collections.abc import Callable
from typing import Any

import pytest

from providers.wechat.sandbox import SANDBOX
from providers.world import SandboxTransport, World
from tests.providers.wechat.stage import Clock, Dictated, Shop, Tokens


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(clock: Clock) -> Tokens:
    return Tokens(clock)


@pytest.fixture
def world(clock: Clock) -> World:
    made = World("wechat", now=clock)
    SANDBOX.seed(made, 160)
    return made


@pytest.fixture
def shop(world: World, clock: Clock, tokens: Tokens) -> Callable[..., Shop]:
    """Open a client of the pretend mini program; keywords are options, and ``credential``."""
    return lambda **more: Shop(SandboxTransport(world, SANDBOX.respond), clock, tokens, **more)


@pytest.fixture
def dictated(clock: Clock, tokens: Tokens) -> Callable[..., tuple[Shop, Dictated]]:
    """Open a client to which answers are dictated: bodies, whole answers, or exceptions."""

    def opened(*answers: Any, **options: Any) -> tuple[Shop, Dictated]:
        transport = Dictated(*answers)
        return Shop(transport, clock, tokens, **options), transport

    return opened
