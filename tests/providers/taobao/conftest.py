"""A shop to test against: the pretend gateway, or one that gives the answers a test dictates."""

import pytest

from providers.contract import Cancel
from providers.errors import ProviderError
from providers.taobao.sandbox import SANDBOX
from providers.world import SandboxTransport, World
from tests.providers.taobao.answers import REF
from tests.providers.taobao.shop import NOW, Dictated, open_client


@pytest.fixture
def dictated():
    """Open a client that gets dictated answers."""
    return lambda *answers, **options: open_client(Dictated(*answers), **options)[0]


@pytest.fixture
def world():
    made = World("taobao", now=lambda: NOW)
    SANDBOX.seed(made, 60)
    return made


@pytest.fixture
def shop(world):
    """Open a client of the pretend gateway and its wire; orders can be read and listed unless told otherwise."""
    transport = SandboxTransport(world, SANDBOX.respond)
    return lambda **more: open_client(transport, **{"detail": True, "list": True, **more})


@pytest.fixture
def cancel(dictated):
    """Cancel an order and get this answer."""
    return lambda answer, **options: dictated(answer, **options).cancel(Cancel(REF))


@pytest.fixture
def error_of(cancel):
    """Cancel an order, get this answer, and return the error it means."""

    def ask(answer, **options):
        with pytest.raises(ProviderError) as caught:
            cancel(answer, **options)
        return caught.value

    return ask
