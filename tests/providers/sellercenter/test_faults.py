"""Whatever strikes, before or after: the answer and the ledger agree."""

import httpx
import pytest

from providers.contract import Cancel, Status
from providers.errors import (
    AuthFailed,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
    Rejected,
    Unreachable,
)
from providers.world import FAULTS
from tests.providers.sellercenter.desk import (
    REF,
    STYLES,
    command,
    events,
    item_of,
    sends,
    state,
)

BEFORE = {"limit": RateLimited, "auth": AuthFailed}
STRIKES = [*FAULTS, *(f"{one}-after" for one in FAULTS if one not in BEFORE)]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("fault", STRIKES)
def test_R05_whatever_strikes_the_answer_and_the_ledger_agree(dial, world, fault, style):
    client, wire, line = dial(format=style)
    item = item_of(world)
    world.plan(item, fault)
    with pytest.raises(ProviderError) as raised:
        client.cancel(command(world))
    performed = "performed" in events(world, item)
    assert performed is fault.endswith("-after")
    assert performed is (state(world) == "canceled")
    assert isinstance(raised.value, BEFORE.get(fault, OutcomeUnknown))
    assert len(sends(line)) == 1
    assert len(wire.exchanges) == 1
    # And the next reading tells what became of it.
    assert client.get_order(REF).items[0].status is (Status.CANCELLED if performed else Status.OPEN)


@pytest.mark.parametrize(
    "problem",
    [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.LocalProtocolError],
)
def test_R05_what_provably_never_left_is_no_doubt(told, problem):
    with pytest.raises(Unreachable):
        told(problem("x"))[0].cancel(Cancel({"order_id": "5"}, "7", "SHORTAGE"))


@pytest.mark.parametrize(
    "problem",
    [
        httpx.ReadTimeout,
        httpx.WriteTimeout,
        httpx.ReadError,
        httpx.WriteError,
        httpx.CloseError,
        httpx.RemoteProtocolError,
    ],
)
def test_R05_what_may_have_left_is_a_doubt(told, problem):
    with pytest.raises(OutcomeUnknown):
        told(problem("x"))[0].cancel(Cancel({"order_id": "5"}, "7", "SHORTAGE"))


@pytest.mark.parametrize(
    ("word", "performed"), [("TIMEOUT", True), ("DROP", True), ("GARBAGE", True), ("REJECT", False)]
)
def test_the_demonstration_orders_do_what_their_number_says(dial, world, word, performed):
    key = next(key for key, one in world.all() if one["OrderNumber"].endswith(f"-{word}"))
    with pytest.raises(Rejected if word == "REJECT" else OutcomeUnknown):
        dial()[0].cancel(command(world, {"order_id": key}))
    assert (state(world, {"order_id": key}) == "canceled") is performed
