"""Every platform's own yes and no, spoilt in each place: what is left of a yes is never a no, nor of a no a yes."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import httpx
import pytest

from providers.contract import Receipt
from providers.errors import OutcomeUnknown, Rejected
from tests.providers.stand import Stand, Unit, Variant, cancellable, refused, variants

OTHER = (None, True, False, -1, 7.5, "", "x", "0", [], {}, [[]], [{}])
NO_CODE = 0  # in the place of a refusal's code it says yes, on some platforms
Answer = tuple[int, str, bytes]


def cancel(variant: Variant, unit: Unit, spoilt: Answer | None = None) -> tuple[Any, Answer]:
    """Cancel, and hear something else than what the platform says; return what came of it, and what it did say."""
    stand, said = Stand(variant), list[Answer]()
    whole = stand.line.handle_request

    def hear(request: httpx.Request) -> httpx.Response:
        answer = whole(request)
        status, media, body = answer.status_code, answer.headers.get("content-type", ""), answer.read()
        headers = answer.headers
        if stand.wire.writing and not said:
            said.append((status, media, body))
            status, media, body = spoilt or said[0]
            headers = httpx.Headers({"content-type": media} if media else {})
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))

    stand.line.handle_request = hear  # type: ignore[method-assign]
    return stand.cancel(unit), said[0]


def beginnings(body: bytes) -> Iterator[bytes]:
    whole = re.sub(rb"(<!--.*-->)?\s*$", b"", body)  # Taobao's XML ends in a comment
    for length in range(len(whole)):
        yield whole[:length]


def doubled(body: bytes) -> Iterator[bytes]:
    """Yield it with one of its keys twice, each of them in turn."""
    for found in re.finditer(rb'"[^"]+"\s*:', body):
        for value in (b"null", b'"x"', b"{}"):
            yield body[: found.start()] + found[0] + value + b"," + body[found.start() :]


def otherwise(body: bytes, *more: Any) -> Iterator[bytes]:
    """Yield it with another value in one place, each place in turn, and without it."""
    try:
        whole = json.loads(body)
    except ValueError:  # XML: one of its texts, one of its tags
        for found in re.finditer(rb">([^<]+)<|<(/?\w+)>", body):
            at = 1 if found[1] else 2
            for value in (b"", b"x", b"0"):
                yield body[: found.start(at)] + value + body[found.end(at) :]
        return
    for path in _paths(whole):
        for value in (*OTHER, *more):
            yield _with(whole, path, value)
        if path:
            yield _with(whole, path, ...)


def _paths(value: Any, so_far: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield so_far
    some = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in some:
        yield from _paths(inner, (*so_far, key))


def _with(whole: Any, path: tuple[Any, ...], value: Any) -> bytes:
    made = [deepcopy(whole)]
    place: Any = made
    for key in (0, *path)[:-1]:
        place = place[key]
    last = (0, *path)[-1]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return json.dumps(made[0]).encode()


def encoded(body: bytes) -> Iterator[bytes]:
    """Yield it in encodings nobody agreed on, and with bytes no text has."""
    text = body.decode()
    for name in ("utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        if text:
            yield text.encode(name)
    for at in range(0, len(body) + 1, max(1, len(body) // 20)):
        yield body[:at] + b"\xff\x00" + body[at:]


@pytest.mark.parametrize("variant", variants(), ids=str)
def test_R06_a_spoilt_yes_is_never_a_no_and_what_is_no_whole_yes_is_in_doubt(variant: Variant) -> None:
    unit = cancellable(variant)[0]
    whole, (status, media, body) = cancel(variant, unit)
    assert isinstance(whole, Receipt)
    lies = []
    for spoilt in (*beginnings(body), *doubled(body), *encoded(body)):
        outcome, _said = cancel(variant, unit, (status, media, spoilt))
        if not isinstance(outcome, OutcomeUnknown):
            lies.append((spoilt, outcome))
    for spoilt in otherwise(body, NO_CODE):
        outcome, _said = cancel(variant, unit, (status, media, spoilt))
        if not isinstance(outcome, Receipt | OutcomeUnknown):
            lies.append((spoilt, outcome))
    assert lies == []


@pytest.mark.parametrize("variant", variants(), ids=str)
def test_R06_a_spoilt_no_is_never_a_yes(variant: Variant) -> None:
    unit = refused(variant)
    whole, (status, media, body) = cancel(variant, unit)
    assert isinstance(whole, Rejected)
    lies = []
    for spoilt in (*beginnings(body), *doubled(body), *encoded(body), *otherwise(body)):
        outcome, _said = cancel(variant, unit, (status, media, spoilt))
        if isinstance(outcome, Receipt):
            lies.append((spoilt, outcome))
    assert lies == []


def test_R06_there_are_thousands_of_them() -> None:
    for unit in (lambda variant: cancellable(variant)[0], refused):
        bodies = [cancel(variant, unit(variant))[1][2] for variant in variants()]
        ways = (beginnings, doubled, encoded, otherwise)
        assert sum(len(list(way(body))) for body in bodies for way in ways) >= 4000
