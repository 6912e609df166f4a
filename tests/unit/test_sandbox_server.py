"""The pretend platforms over HTTP: they misbehave on real sockets and forget nothing."""

import json
import re
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager

import httpx
import pytest

from providers.contract import Receipt
from providers.errors import OutcomeUnknown, ProviderError, Rejected
from providers.network import NetworkTransport
from providers.registry import PROVIDERS
from providers.sandbox import SandboxServer, sandboxes
from providers.wire import wire_for
from providers.world import FAULTS, ODD_REPLIES, World
from tests.providers.stand import Stand, Unit, Variant, cancellable

SLUG = "huaweicloud"


@contextmanager
def served(path=":memory:", orders=20):
    """Serve all platforms; yields their base address and the worlds."""
    known = sandboxes(str(path))
    for slug, world in known.worlds.items():
        if not world.count():
            PROVIDERS[slug].sandbox.seed(world, orders)
    server = SandboxServer(("127.0.0.1", 0), known)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", known.worlds
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.fixture
def sandbox():
    with served() as (base, worlds):
        yield base, worlds


@contextmanager
def desk(base, slug=SLUG, seconds=0.6):
    """A shop of the served platform, over the real way out."""
    local = frozenset({base.removeprefix("http://")})
    transport = NetworkTransport(local, httpx.create_ssl_context(trust_env=False))
    provider = PROVIDERS[slug]
    path = httpx.URL(provider.card.base_url).path.rstrip("/")
    wire = wire_for(f"{base}/{slug}{path}", [], [], transport=transport, local=local, total_seconds=seconds)
    stand = Stand(Variant(slug), count=0)
    more = {"options": stand.options, "credential": stand.keys, "tokens": stand.tokens}
    try:
        yield provider.open(wire=wire, now=World(slug).now, **more), wire
    finally:
        transport.close()


def order_of(world, slug=SLUG):
    """Return an ordinary order of the world that can be cancelled, found out with a copy of it."""
    provider = PROVIDERS[slug]
    copy = Stand(Variant(slug), count=0)
    copy.world.put_all(world.all())
    for row in provider.sandbox.rows(world):
        unit = copy.units(row)[0]
        if not re.search(r"-[A-Z]+$", row["order_number"]) and isinstance(copy.cancel(unit), Receipt):
            return unit
    raise AssertionError("nothing there can be cancelled")


def control(base, slug=SLUG, **wanted):
    return httpx.post(f"{base}/control/{slug}", json=wanted, trust_env=False)


@pytest.mark.parametrize("slug", PROVIDERS)
def test_every_platform_answers_under_its_own_first_segment(sandbox, slug):
    base, _worlds = sandbox
    assert httpx.get(base + "/", trust_env=False).json() == {"platforms": sorted(PROVIDERS)}
    with desk(base, slug, seconds=5) as (client, wire):
        client.ping()
        assert all(one.status for one in wire.exchanges)


@pytest.mark.parametrize("after", ["", "-after"])
@pytest.mark.parametrize("fault", FAULTS)
def test_R05_every_fault_is_acted_out_on_the_socket(sandbox, fault, after):
    base, worlds = sandbox
    unit = order_of(worlds[SLUG])
    assert control(base, plan={unit.key: [fault + after]}).status_code == 200
    with desk(base) as (client, wire):
        stand = Stand(Variant(SLUG), count=0)
        with pytest.raises(ProviderError) as caught:
            client.cancel(stand.command(unit))
        write = next(one for one in wire.exchanges if one.write)
    happened = [event for key, event, _at in control(base).json()["ledger"] if key == unit.key]
    is_done = bool(after) and fault not in ("limit", "auth")
    assert happened == (["called", "performed"] if is_done else ["called"])
    assert isinstance(caught.value, OutcomeUnknown) == (fault not in ("limit", "auth"))
    if fault in ("hang", "drop"):
        assert write.status is None
        assert write.sent
        assert caught.value.code == {"hang": "timeout", "drop": "connection-lost"}[fault]
    elif fault == "drip":
        assert caught.value.code == "timeout"
    elif fault in ("huge", "bomb"):
        assert caught.value.code == "too-large"
    else:
        assert write.status


def test_a_refusal_over_http_is_a_refusal(sandbox):
    base, _worlds = sandbox
    with desk(base, seconds=5) as (client, _wire), pytest.raises(Rejected):
        client.cancel(Stand(Variant(SLUG)).command(Unit({"order_id": "CS000000000000XX001"})))


def test_switches_are_turned_from_outside(sandbox):
    base, worlds = sandbox
    assert control(base, switches={"latency": 0.01}).json()["switches"] == {"latency": 0.01}
    assert worlds[SLUG].switches == {"latency": 0.01}
    assert worlds["taobao"].switches == {}


@pytest.mark.parametrize(
    "body", ["{", "[]", '"x"', '{"plan": 5}', '{"plan": {"k": ["no-such-fault"]}}', '{"switches": 5}']
)
def test_a_wish_that_cannot_be_understood_is_told_so_and_changes_nothing(sandbox, body):
    base, worlds = sandbox
    answer = httpx.post(f"{base}/control/{SLUG}", content=body, trust_env=False)
    assert answer.status_code == 400
    assert answer.json()["message"]
    assert worlds[SLUG].switches == {}


@pytest.mark.parametrize("path", ["/nobody/x", "/control/nobody", "/control", "/%2e%2e/x"])
def test_what_is_not_there_is_not_found(sandbox, path):
    base, _worlds = sandbox
    assert httpx.get(base + path, trust_env=False).status_code == 404


@pytest.mark.parametrize("length", ["many", "-1", "1e3"])
def test_a_length_that_is_none_is_refused_and_the_server_lives_on(sandbox, length):
    base, _worlds = sandbox
    host, port = base.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as line:
        line.sendall(f"POST /{SLUG}/x HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n".encode())
        assert line.recv(100).startswith(b"HTTP/1.1 411")
    assert httpx.get(base + "/", trust_env=False).status_code == 200


def test_an_unknown_fault_is_no_plan():
    with pytest.raises(ValueError, match="no fault called"):
        World(SLUG).plan("key", "explode")
    assert set(ODD_REPLIES) | {"hang", "drip", "drop"} == set(FAULTS)


def test_orders_are_put_all_or_none():
    world = World(SLUG)

    def rows():
        yield "a", {}
        raise RuntimeError("broken on purpose")

    with pytest.raises(RuntimeError):
        world.put_all(rows())
    assert world.count() == 0
    world.put_all(iter([("a", {})]))
    assert world.count() == 1


def test_a_restart_forgets_nothing(tmp_path):
    state = tmp_path / "state.sqlite"
    with served(state) as (base, worlds):
        unit = order_of(worlds[SLUG])
        with desk(base, seconds=5) as (client, _wire):
            client.cancel(Stand(Variant(SLUG), count=0).command(unit))
        control(base, plan={"another": ["drop"]})
        before = {slug: list(world.all()) for slug, world in worlds.items()}
        ledger = worlds[SLUG].ledger()
        assert len(ledger) == 2
    with served(state) as (base, worlds):
        assert {slug: list(world.all()) for slug, world in worlds.items()} == before
        assert worlds[SLUG].ledger() == ledger
        assert control(base).json()["ledger"] == [list(one) for one in ledger]
        assert worlds[SLUG]._next_fault("another", "") == "drop"


def _started(*args):
    command = [sys.executable, "-m", "providers.sandbox", *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


def _says_one_sentence(run):
    assert run.returncode not in (0, None)
    assert run.stdout == ""
    assert "Traceback" not in run.stderr
    (line,) = run.stderr.strip().splitlines()
    assert line.startswith("The sandbox cannot ")
    assert line.endswith(".")
    return line


def test_a_port_in_use_is_one_clear_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert port in _says_one_sentence(_started("--port", port))


def test_a_port_that_is_none_is_one_clear_sentence():
    assert "99999" in _says_one_sentence(_started("--port", "99999"))


def test_a_state_that_cannot_be_kept_is_one_clear_sentence(tmp_path):
    assert str(tmp_path) in _says_one_sentence(_started("--port", "0", "--state", str(tmp_path)))


def test_it_serves_as_a_program_and_says_where(tmp_path):
    command = [
        sys.executable,
        "-m",
        "providers.sandbox",
        "--port",
        "0",
        "--state",
        str(tmp_path / "s"),
        "--orders",
        "3",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        base = program.stdout.readline().split()[-1]
        assert httpx.get(base, trust_env=False).json() == {"platforms": sorted(PROVIDERS)}
        assert json.loads(httpx.get(f"{base}control/{SLUG}", trust_env=False).text)["ledger"] == []
        program.terminate()
    assert cancellable(Variant(SLUG))
