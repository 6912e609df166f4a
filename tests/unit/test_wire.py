"""The wire: a call ends by its deadline, costs little memory, is sent once and kept as evidence."""

import gzip
import subprocess
import sys
import time
import zlib
from datetime import UTC, datetime

import httpx
import pytest

from providers.answer import MOST_BYTES
from providers.errors import Cause, OutcomeUnknown, ProtocolError, ProviderError, Unreachable
from providers.network import NetworkTransport
from providers.wire import Answer, Wire, undocumented, wire_for
from tests.unit.loopback import OK, Server

TOTAL = 0.6


def _seconds_of(script, *, write, content=b"{}"):
    with Server(script) as server:
        transport = NetworkTransport(server.local, httpx.create_ssl_context(trust_env=False))
        wire = wire_for(f"http://{server.name}", [], [], transport=transport, total_seconds=TOTAL)
        begun = time.monotonic()
        with pytest.raises(ProviderError) as caught:
            (wire.write if write else wire.read)("POST", "/x", content=content)
        seconds = time.monotonic() - begun
        transport.close()
        return caught.value, seconds, wire.exchanges


def _drip(visit, begin, drop):
    visit.request()
    visit.say(begin)
    for _ in range(200):
        visit.say(drop)
        time.sleep(0.05)


def drips_status(visit):
    visit.request()
    for one in b"HTTP/1.1 200 OK and so on and so forth and never an end to it whatever happens":
        visit.say(bytes([one]))
        time.sleep(0.05)


def drips_headers(visit):
    _drip(visit, b"HTTP/1.1 200 OK\r\n", b"x-more: 1\r\n")


def drips_body(visit):
    _drip(visit, b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n", b"x")


def drips_chunks(visit):
    _drip(visit, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n")


def drips_without_a_length(visit):
    _drip(visit, b"HTTP/1.1 200 OK\r\n\r\n", b"x")


def goes_on_continuing(visit):
    _drip(visit, b"", b"HTTP/1.1 100 Continue\r\n\r\n")


def sips_the_request(visit):
    for _ in range(200):
        visit.hear(200_000)
        time.sleep(0.05)


def stalls_before_reading(visit):
    time.sleep(2)


def stalls_before_the_body(visit):
    visit.request()
    visit.say(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n")
    visit.wait()


@pytest.mark.parametrize("write", [True, False])
@pytest.mark.parametrize(
    "script",
    [drips_status, drips_headers, drips_body, drips_chunks, drips_without_a_length, goes_on_continuing,
     sips_the_request, stalls_before_reading, stalls_before_the_body],
)  # fmt: skip
def test_R14_a_call_ends_by_its_deadline_however_slowly_the_platform_moves(script, write):
    content = b"x" * (64 * 1024 * 1024) if script is sips_the_request else b"{}"
    error, seconds, exchanges = _seconds_of(script, write=write, content=content)
    assert seconds < TOTAL + 1
    assert type(error) is (OutcomeUnknown if write else Unreachable)
    assert error.code == "timeout"
    assert exchanges[-1].sent is True


def test_R14_all_calls_of_a_wire_together_get_twice_the_deadline():
    with Server(stalls_before_the_body) as server:
        transport = NetworkTransport(server.local, httpx.create_ssl_context(trust_env=False))
        wire = wire_for(f"http://{server.name}", [], [], transport=transport, total_seconds=0.3)
        begun = time.monotonic()
        for _ in range(5):
            with pytest.raises(Unreachable):
                wire.read("GET", "/x")
        with pytest.raises(Unreachable) as caught:
            wire.write("PUT", "/x")
        assert time.monotonic() - begun < 0.6 + 1
        assert caught.value.cause is Cause.NETWORK
        assert not any(one.write for one in wire.exchanges)
        transport.close()


# -- R14: memory

PROGRAM = """
import resource, sys
import httpx
from providers.errors import OutcomeUnknown, Unreachable
from providers.network import NetworkTransport
from providers.wire import wire_for
name, kind = sys.argv[1:]
transport = NetworkTransport(frozenset({name}), httpx.create_ssl_context(trust_env=False))
def ask(path):
    wire = wire_for(f"http://{name}", ["secret-of-tests"], ["phone"], transport=transport, total_seconds=30)
    try:
        wire.write("PUT", path)
    except OutcomeUnknown as error:
        return error.code
    return "answered"
assert ask("/small") == "answered"
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
code = ask("/" + kind)
print(code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def _bomb(size):
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    block = b"\0" * (1024 * 1024)
    return b"".join(packer.compress(block) for _ in range(size)) + packer.flush()


def floods(visit):
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
    block = b"x" * (1024 * 1024)
    while asked := visit.request():
        if b"/small" in asked:
            visit.say(OK)
        elif b"/bomb" in asked:
            packed = _bomb(512)
            visit.say(head + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed) + packed)
        elif b"/tail" in asked:
            visit.say(head + b"content-encoding: gzip\r\n\r\n" + gzip.compress(b"{}"))
            for _ in range(512):
                visit.say(block)
        else:
            visit.say(head + b"content-length: %d\r\n\r\n" % (512 * len(block)))
            for _ in range(512):
                visit.say(block)


@pytest.mark.parametrize(("kind", "code"), [("flood", "too-large"), ("bomb", "too-large"), ("tail", "unreadable")])
def test_R14_a_huge_answer_costs_at_most_8_megabytes(kind, code):
    with Server(floods) as server:
        run = subprocess.run(
            [sys.executable, "-c", PROGRAM, server.name, kind], capture_output=True, text=True, check=True, timeout=60
        )
    said, kilobytes = run.stdout.split()
    assert said == code
    assert int(kilobytes) <= 8 * 1024


# -- what counts as an answer


class Told(httpx.BaseTransport):
    """Gives one answer, in pieces."""

    def __init__(self, *parts, status=200, **headers):
        self.parts, self.status, self.headers = parts, status, headers
        self.seen = []

    def handle_request(self, request):
        self.seen.append(request)
        headers = {name.replace("_", "-"): value for name, value in self.headers.items()}
        stream = _Parts(self.parts)
        return httpx.Response(self.status, headers=headers, stream=stream)


class _Parts(httpx.SyncByteStream):
    def __init__(self, parts):
        self.parts = parts

    def __iter__(self):
        for one in self.parts:
            if isinstance(one, Exception):
                raise one
            yield one


def _wire(transport, **more):
    return wire_for("https://api.example/", ["s3cret-of-tests"], ["phone"], transport=transport, **more)


PACKED = gzip.compress(b'{"a": 1}')


@pytest.mark.parametrize(
    ("parts", "body"),
    [((b"",), b""), ((), b""), ((b"ab", b"", b"c"), b"abc"), ((b"x" * MOST_BYTES,), b"x" * MOST_BYTES)],
)
def test_an_answer_up_to_the_limit_is_read_whole(parts, body):
    answer = _wire(Told(*parts)).read("GET", "/x")
    assert answer == Answer(200, {}, body, write=False)


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP", "deflate"])
def test_a_compressed_answer_is_unpacked(coding):
    packed = zlib.compress(b'{"a": 1}') if coding == "deflate" else PACKED
    answer = _wire(Told(packed[:7], packed[7:], content_encoding=coding)).read("GET", "/x")
    assert answer.body == b'{"a": 1}'


def test_an_empty_answer_that_calls_itself_compressed_is_empty():
    assert _wire(Told(status=204, content_encoding="gzip")).write("PUT", "/x").body == b""


@pytest.mark.parametrize(
    "parts",
    [(PACKED[:-4],), (PACKED[:10],), (b"no gzip",), (PACKED + b"more",), (PACKED, b"more"), (PACKED, PACKED),
     (zlib.compress(b"x")[:-1],)],
)  # fmt: skip
@pytest.mark.parametrize("write", [True, False])
def test_R06_a_compressed_answer_that_is_broken_is_no_answer(parts, write):
    wire = _wire(Told(*parts, content_encoding="gzip"))
    with pytest.raises(ProtocolError if write else Unreachable) as caught:
        (wire.write if write else wire.read)("PUT", "/x")
    assert caught.value.code == "unreadable"
    assert wire.exchanges[0].status == 200


@pytest.mark.parametrize("write", [True, False])
def test_R06_what_came_of_an_answer_that_was_given_up_is_kept_capped_and_redacted(write):
    for parts, code in (
        ((b'{"phone": "13800001111", "k": "s3cret-of-tests"', b"x" * MOST_BYTES, b"x"), "too-large"),
        ((b'{"phone": "13800001111", "k": "s3cret-of-te', httpx.ReadError("reset")), "connection-lost"),
    ):
        wire = _wire(Told(*parts, status=202, content_type="application/json"))
        with pytest.raises(OutcomeUnknown if write else Unreachable) as caught:
            (wire.write if write else wire.read)("PUT", "/x")
        assert caught.value.code == code
        (kept,) = wire.exchanges
        assert (kept.status, kept.answer_headers) == (202, {"content-type": "application/json"})
        assert kept.answer_body.startswith('{"phone": "▇▇▇"')
        assert "13800001111" not in kept.answer_body
        assert "s3cret" not in kept.answer_body
        assert len(kept.answer_body) < 17 * 1024
        assert kept.fault


# -- what is sent


def test_a_request_is_sent_exactly_as_given():
    told = Told(b"{}")
    wire = _wire(told, clock=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    wire.write("PUT", "/a%2Fb?x=%E4&y=", headers={"X-Own": "1", "Accept": "text/xml"}, content=b"\x00\xff")
    wire.read("GET", "https://other.example/y")
    first, second = told.seen
    assert str(first.url) == "https://api.example/a%2Fb?x=%E4&y="
    assert first.read() == b"\x00\xff"
    assert (first.headers["x-own"], first.headers["accept"]) == ("1", "text/xml")
    assert first.headers["accept-encoding"] == "identity"
    assert str(second.url) == "https://other.example/y"
    assert wire.exchanges[0].at == "2026-01-02T00:00:00.000+00:00"
    assert (wire.exchanges[0].write, wire.exchanges[1].write) == (True, False)
    assert wire.writing


@pytest.mark.parametrize(
    ("url", "headers"),
    [("/x", {"token": "s3cret\nof-tests"}), ("/x", {"token": "s3crét"}), ("/x", {"token": " s3cret"}),
     ("/x", {"token": "s3cret\x00"}), ("/x", {"token": "鍵"}), ("/\x00", {}), ("/\n", {}), ("https://[::1/", {}),
     ("/\udc80", {}), ("https://" + "a" * 70 + "。" + "é" * 70 + "/", {})],
)  # fmt: skip
def test_R05_what_no_wire_can_carry_is_not_sent_and_not_repeated_in_the_error(url, headers):
    told = Told(b"{}")
    wire = _wire(told)
    with pytest.raises(Unreachable) as caught:
        wire.write("PUT", url, headers=headers)
    assert told.seen == []
    assert caught.value.cause is Cause.SETTINGS
    assert wire.exchanges[0].sent is False
    assert "s3cr" not in repr(caught.value) + repr(caught.value.__cause__) + str(wire.exchanges)


def test_S09_the_words_of_a_broken_connection_are_redacted():
    wire = _wire(Told(httpx.RemoteProtocolError("odd line: s3cret-of-tests")))
    with pytest.raises(OutcomeUnknown) as caught:
        wire.write("PUT", "/x")
    assert "s3cret-of-tests" not in str(caught.value) + str(wire.exchanges)


def test_a_token_learned_on_the_way_is_hidden_from_then_on():
    wire = _wire(Told(b'{"token": "fetched-token-1"}'))
    wire.hide("fetched-token-1")
    wire.read("GET", "/x?token=fetched-token-1", headers={"x-request-id": "fetched-token-1"})
    assert "fetched-token-1" not in str(wire.exchanges[0].as_json())


def test_undocumented_is_doubt_for_a_write_and_a_nuisance_for_a_read():
    assert type(undocumented(Answer(200, {}, b"", write=True), "odd")) is ProtocolError
    assert type(undocumented(Answer(200, {}, b""), "odd")) is Unreachable


def test_a_base_url_loses_its_trailing_slash():
    assert isinstance(_wire(Told()), Wire)
    assert _wire(Told()).base_url == "https://api.example"
