"""The way out, over real sockets: what left is known for certain, and nothing but a checked address is reached."""

import socket
import threading
import time
from contextlib import ExitStack

import httpcore
import httpx
import pytest
from django.core.exceptions import ValidationError

from cancellations.shops.hosts import check_base_url
from providers.errors import AuthFailed, Cause, OutcomeUnknown, ProviderError, Unreachable
from providers.network import NetworkTransport, is_public, transport_for_thread
from providers.registry import PROVIDERS
from providers.wire import wire_for
from tests.unit.loopback import OK, Server, closed_port, full_port, tls_pair

BIG = b"x" * (24 * 1024 * 1024)  # more than the kernel takes at once, so that a send is under way for a while


@pytest.fixture
def call():
    """Send something to a base URL; returns (error or ``None``, the exchange, seconds)."""
    transports = []

    def made(base, *, write, local=frozenset(), content=b'{"a": 1}', seconds=0.6, tls=None):
        transport = NetworkTransport(local, tls or httpx.create_ssl_context(trust_env=False))
        transports.append(transport)
        wire = wire_for(base, [], [], transport=transport, local=local, total_seconds=seconds)
        begun = time.monotonic()
        error = None
        try:
            (wire.write if write else wire.read)("POST", "/cancel", content=content)
        except ProviderError as problem:
            error = problem
        return error, wire.exchanges[-1], time.monotonic() - begun

    yield made
    for one in transports:
        one.close()


def resets_at_once(visit):
    visit.reset()


def resets_midway(visit):
    visit.hear(1000)
    visit.reset()


def resets_after(visit):
    visit.request()
    visit.reset()


def closes_after(visit):
    visit.request()


def hangs_after(visit):
    visit.request()
    visit.wait()


def stops_in_headers(visit):
    visit.request()
    visit.say(b"HTTP/1.1 200 OK\r\ncontent-le")


def stops_after_headers(visit):
    visit.request()
    visit.say(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n")


def stops_in_body(visit):
    visit.request()
    visit.say(b'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"half": ')


def breaks_a_chunk(visit):
    visit.request()
    visit.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{}zzz\r\nnot-hex\r\n")


def talks_nonsense(visit):
    visit.request()
    visit.say(b"\x00\x01\x02 this is no HTTP\r\n\r\n")


def hangs_up_on_tls(visit):
    visit.line.recv(5)
    visit.line.close()


def speaks_no_tls(visit):
    visit.line.recv(5)
    visit.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")


# -- R05: in twelve stages and more, the verdict is whether a byte of the request left

LEFT = [
    resets_midway, resets_after, closes_after, hangs_after, stops_in_headers, stops_after_headers, stops_in_body,
    breaks_a_chunk, talks_nonsense,
]  # fmt: skip


def verdict(error, exchange, *, write, left):
    assert isinstance(error, ProviderError)
    assert type(error) is (OutcomeUnknown if write and left else Unreachable), repr(error)
    assert error.cause is Cause.NETWORK
    assert exchange.sent is left
    assert exchange.fault


@pytest.mark.parametrize("write", [True, False])
@pytest.mark.parametrize("script", LEFT)
def test_R05_once_a_byte_of_the_request_left_a_write_is_in_doubt(call, script, write):
    with Server(script) as server:
        content = BIG if script is resets_midway else b"{}"
        error, exchange, seconds = call(f"http://{server.name}", write=write, local=server.local, content=content)
        verdict(error, exchange, write=write, left=True)
        assert seconds < 1.6
        assert any(server.settled())


@pytest.mark.parametrize("write", [True, False])
@pytest.mark.parametrize("stage", ["refused", "queue", "forbidden"])
def test_R05_a_connection_that_was_not_made_sent_nothing(call, stage, write):
    with ExitStack() as stack:
        if stage == "forbidden":
            server = stack.enter_context(Server(closes_after))
            port, local = server.port, frozenset()
        else:
            port = stack.enter_context(closed_port() if stage == "refused" else full_port())
            local = frozenset({f"127.0.0.1:{port}"})
        error, exchange, seconds = call(f"http://127.0.0.1:{port}", write=write, local=local)
        verdict(error, exchange, write=write, left=False)
        assert seconds < 1.6
        if stage == "forbidden":
            assert server.settled() == []


@pytest.mark.parametrize("write", [True, False])
@pytest.mark.parametrize("problem", [socket.gaierror(-2, "Name or service not known"), UnicodeError("label too long")])
def test_R05_a_name_that_cannot_be_found_sent_nothing(call, monkeypatch, problem, write):
    def unknown(*args, **more):
        raise problem

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error, exchange, _seconds = call("https://nowhere.invalid", write=write)
    verdict(error, exchange, write=write, left=False)


@pytest.mark.parametrize("write", [True, False])
@pytest.mark.parametrize("script", [hangs_up_on_tls, speaks_no_tls, lambda visit: visit.wait()])
def test_R05_a_handshake_that_fails_sent_nothing_of_the_request(call, script, write):
    with Server(script) as server:
        error, exchange, seconds = call(f"https://{server.name}", write=write, local=server.local)
        verdict(error, exchange, write=write, left=False)
        assert seconds < 1.6


@pytest.mark.parametrize("write", [True, False])
def test_R05_a_certificate_nobody_vouches_for_gets_nothing_of_the_request(call, tmp_path, write):
    known, _trusting = tls_pair(tmp_path)
    with Server(closes_after, known) as server:
        error, exchange, _seconds = call(f"https://{server.name}", write=write, local=server.local)
        verdict(error, exchange, write=write, left=False)
        assert not any(server.settled())


@pytest.mark.parametrize("script", [resets_after, closes_after, hangs_after, stops_in_body])
def test_R05_over_tls_a_write_that_left_is_in_doubt(call, tmp_path, script):
    known, trusting = tls_pair(tmp_path)
    with Server(script, known) as server:
        error, exchange, _seconds = call(f"https://{server.name}", write=True, local=server.local, tls=trusting)
        verdict(error, exchange, write=True, left=True)
        assert any(server.settled())


def test_an_answer_over_tls_is_read_whole(call, tmp_path):
    known, trusting = tls_pair(tmp_path)
    with Server(lambda visit: (visit.request(), visit.say(OK)), known) as server:
        error, exchange, _seconds = call(f"https://{server.name}", write=True, local=server.local, tls=trusting)
        assert error is None
        assert (exchange.status, exchange.sent) == (200, True)


@pytest.mark.parametrize("write", [True, False])
def test_R05_a_connection_reset_before_the_first_byte_sent_nothing(call, monkeypatch, write):
    connect = socket.create_connection

    def slow(*args, **more):
        line = connect(*args, **more)
        time.sleep(0.2)  # long enough for the reset to arrive
        return line

    monkeypatch.setattr(socket, "create_connection", slow)
    with Server(resets_at_once) as server:
        error, exchange, _seconds = call(f"http://{server.name}", write=write, local=server.local)
        verdict(error, exchange, write=write, left=False)
        assert server.settled() == [b""]


@pytest.mark.parametrize("write", [True, False])
def test_R05_a_deadline_that_passes_while_connecting_sent_nothing(call, monkeypatch, write):
    connect = socket.create_connection

    def slow(*args, **more):
        line = connect(*args, **more)
        time.sleep(0.5)
        return line

    monkeypatch.setattr(socket, "create_connection", slow)
    with Server(hangs_after) as server:
        error, exchange, _seconds = call(f"http://{server.name}", write=write, local=server.local, seconds=0.3)
        verdict(error, exchange, write=write, left=False)


# -- R14: a name look-up is bounded, too


def test_R14_a_look_up_that_hangs_ends_by_the_deadline(call, monkeypatch):
    over = threading.Event()

    def stuck(*args, **more):
        over.wait(10)
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", stuck)
    error, exchange, seconds = call("https://slow.invalid", write=True)
    over.set()
    verdict(error, exchange, write=True, left=False)
    assert error.code == "connect-timeout"
    assert seconds < 1.6


# -- keep-alive


def answers_each(visit):
    while visit.request():
        visit.say(OK)


def test_a_warm_connection_is_used_again_and_an_idle_one_is_not(monkeypatch):
    with Server(answers_each) as server:
        transport = NetworkTransport(server.local, httpx.create_ssl_context(trust_env=False))
        wire = wire_for(f"http://{server.name}", [], [], transport=transport)
        wire.read("GET", "/a")
        wire.write("PUT", "/b")
        assert len(server.visits) == 1
        time.sleep(2.1)
        wire.write("PUT", "/c")
        assert len(server.visits) == 2
        transport.close()


def test_a_connection_the_server_closed_between_two_calls_does_not_pose_as_doubt():
    def once(visit):
        visit.request()
        visit.say(OK)

    with Server(once) as server:
        transport = NetworkTransport(server.local, httpx.create_ssl_context(trust_env=False))
        wire = wire_for(f"http://{server.name}", [], [], transport=transport)
        for _ in range(3):
            assert wire.write("PUT", "/cancel", content=b"{}").status == 200
            server.settled()
        assert len(server.visits) == 3
        transport.close()


def test_R06_an_answer_that_was_there_before_the_request_is_nobodys_answer():
    def eager(visit):
        visit.request()
        visit.say(OK + b"HTTP/1.1 204 No Content\r\n\r\n")
        visit.wait()

    with Server(eager) as server:
        transport = NetworkTransport(server.local, httpx.create_ssl_context(trust_env=False))
        wire = wire_for(f"http://{server.name}", [], [], transport=transport)
        assert wire.read("GET", "/orders").status == 200
        with pytest.raises(OutcomeUnknown):
            wire.write("PUT", "/cancel")
        assert wire.exchanges[-1].status is None
        transport.close()


def test_each_thread_has_its_own_transport_and_keeps_it():
    mine, theirs = transport_for_thread(frozenset()), []
    other = threading.Thread(target=lambda: theirs.append(transport_for_thread(frozenset())))
    other.start()
    other.join()
    assert transport_for_thread(frozenset()) is mine
    assert theirs[0] is not mine
    assert transport_for_thread(frozenset({"127.0.0.1:1"})) is not mine


def test_nothing_sleeps_on_the_wire():
    with pytest.raises(RuntimeError):
        NetworkTransport(frozenset(), httpx.create_ssl_context(trust_env=False))._pool._network_backend.sleep(1)


# -- S07: no address but a platform's

HOSTILE = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001",
    "127.0.0.1.", "0.0.0.0", "0",  # noqa: S104 - a target here, nothing binds to it
     "00000", "localhost", "LOCALHOST", "１２７.0.0.1", "①②⑦.0.0.1", "127。0。0。1",
    "127.255.255.254", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255",
    "100.64.0.1", "169.254.169.254", "169.254.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.7",
    "203.0.113.9", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.88.99.1", "0xA9FEA9FE", "2852039166",
    "0251.0376.0251.0376", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[::ffff:169.254.169.254]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b::169.254.169.254]", "[64:ff9b:1::1]",
    "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]", "[2001::1]", "[2001:db8::1]", "[fc00::1]", "[fd12:3456::1]", "[fe80::1]",
    "[fe80::1%25lo]", "[fe80::1%25eth0]", "[fec0::1]", "[ff02::1]", "[100::1]", "[::ffff:0:127.0.0.1]",
    "internal.example", "rebinding.example", "metadata.example", "[3fff::1]", "[4000::1]", "[::2]", "[5f00::1]",
]  # fmt: skip
PRIVATE_NAMES = {
    "internal.example": ["10.1.2.3"],
    "rebinding.example": ["93.184.216.34", "127.0.0.1"],  # one good address among them does not help
    "metadata.example": ["169.254.169.254"],
}


@pytest.fixture
def names(monkeypatch):
    """Answer for a few names; everything else as the system does."""
    real = socket.getaddrinfo

    def look_up(host, port, *args, **more):
        if host in PRIVATE_NAMES:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in PRIVATE_NAMES[host]]
        return real(host, port, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@pytest.fixture
def connections(monkeypatch):
    """Every address a socket was connected to."""
    made = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: made.append(address))
    return made


@pytest.mark.parametrize("host", HOSTILE)
def test_S07_a_hostile_host_is_never_connected_to(call, names, connections, host):
    with Server(answers_each) as canary:
        for scheme in ("http", "https"):
            error, exchange, _seconds = call(f"{scheme}://{host}:{canary.port}", write=True)
            assert isinstance(error, Unreachable), repr(error)
            assert exchange.sent is False
        assert connections == []
        assert canary.settled() == []


@pytest.mark.parametrize("host", HOSTILE)
@pytest.mark.parametrize("slug", PROVIDERS)
def test_S07_a_hostile_host_is_no_base_url(settings, host, slug):
    settings.PLATFORM_HOSTS = frozenset()
    for address in (f"https://{host}", f"http://{host}", f"https://{host}:8443/router/rest"):
        with pytest.raises(ValidationError):
            check_base_url(PROVIDERS[slug].card, address)


def test_S07_a_name_is_looked_up_once_and_the_address_that_was_checked_is_the_one_connected_to(call, monkeypatch):
    told = iter([["93.184.216.34"], ["127.0.0.1"], ["127.0.0.1"]])
    asked, connected = [], []

    def rebinding(host, port, *args, **more):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in next(told)]

    def connect(self, host, port, *args, **more):
        connected.append(host)
        raise httpcore.ConnectError("enough seen")

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    call("https://platform.example", write=True)
    assert (asked, connected) == (["platform.example"], ["93.184.216.34"])


def test_S07_what_the_operator_named_is_named_with_its_port(call):
    with Server(answers_each) as named, Server(answers_each) as other:
        error, _exchange, _seconds = call(f"http://{named.name}", write=False, local=named.local)
        assert error is None
        error, _exchange, _seconds = call(f"http://{other.name}", write=False, local=named.local)
        assert isinstance(error, Unreachable)
        assert other.settled() == []


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450::5"])
def test_a_public_address_is_public(address):
    assert is_public(address)


def test_S07_the_environments_proxies_are_not_asked(call, monkeypatch):
    with Server(answers_each) as proxy, Server(answers_each) as platform:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://{proxy.name}")
        error, exchange, _seconds = call(f"http://{platform.name}", write=False, local=platform.local | proxy.local)
        assert (error, exchange.status) == (None, 200)
        assert proxy.visits == []


def test_S07_a_redirect_is_an_answer_and_nothing_to_follow(call):
    with Server(answers_each) as elsewhere:

        def redirects(visit):
            visit.request()
            visit.say(f"HTTP/1.1 307 Go\r\nlocation: http://{elsewhere.name}/\r\ncontent-length: 0\r\n\r\n".encode())

        with Server(redirects) as server:
            base, local = f"http://{server.name}", server.local | elsewhere.local
            error, exchange, _seconds = call(base, write=True, local=local)
            assert (error, exchange.status) == (None, 307)
        assert elsewhere.visits == []


def test_an_error_of_the_way_out_is_never_a_matter_of_keys(call):
    error, _exchange, _seconds = call("https://127.0.0.1:1", write=False)
    assert not isinstance(error, AuthFailed)
