"""The promises every platform keeps, one set for all: what a client may return, raise, send and reveal."""

import ast
import importlib
import json
import pkgutil
import time
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import httpx
import pytest

import providers
from providers.contract import Capabilities, Receipt, Status
from providers.errors import (
    Advice,
    AuthFailed,
    Cause,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
    Rejected,
    Unreachable,
)
from providers.world import FAULTS
from tests.providers.stand import NOW, Line, Stand, Tokens, Unit, cancellable, refused, variants

VARIANTS = variants()
DOORS = [one for one in VARIANTS if not one.options]
READABLE = [one for one in VARIANTS if Stand(one, count=0).can.get_order]
NOT_DONE = (Rejected, AuthFailed, RateLimited, Unreachable)
every_variant = pytest.mark.parametrize("variant", VARIANTS, ids=str)
every_readable = pytest.mark.parametrize("variant", READABLE, ids=str)
every_door = pytest.mark.parametrize("variant", DOORS, ids=str)


@pytest.fixture
def stand(variant):
    return Stand(variant)


@pytest.fixture
def unit(variant):
    return cancellable(variant)[0]


@pytest.fixture(autouse=True)
def nobody_sleeps(monkeypatch):
    def asleep(seconds):
        raise AssertionError(f"a client slept for {seconds} s")

    monkeypatch.setattr(time, "sleep", asleep)


def revealed(stand, *errors):
    """Return everything of a stand that is kept or shown."""
    chained = []
    for error in errors:
        while error is not None:
            chained += [repr(error), str(error), repr(getattr(error, "message", "")), repr(error.args)]
            error = error.__cause__ or error.__context__
    return json.dumps([one.as_json() for one in stand.wire.exchanges], ensure_ascii=False) + "\n".join(chained)


# -- the door and the card


@every_door
def test_the_card_is_complete(variant):
    card = variant.provider.card
    assert card.slug == variant.slug
    assert card.slug.isascii()
    assert card.slug.islower()
    assert card.unit in ("order", "item")
    assert card.base_url.startswith("https://")
    assert not card.base_url.endswith("/")
    host = httpx.URL(card.base_url).host
    assert any(host.endswith(one) if one.startswith(".") else host == one for one in card.hosts)
    assert all(one == one.lower() and "/" not in one and ":" not in one for one in card.hosts)
    assert card.lookup
    assert any(one.identity for one in card.lookup)
    assert all(one.required for one in card.lookup if one.identity)
    assert any(one.kind == "secret" and one.required for one in card.credential)
    fields = [*card.options, *card.credential, *card.lookup]
    names = [one.name for one in fields]
    assert len(names) == len(set(names))
    for one in fields:
        assert one.label.strip()
        assert one.name.isidentifier()
        assert one.kind != "choice" or one.default in [value for value, _label in one.choices]
        assert one.when is None or one.when[0] in [option.name for option in card.options]
    assert all(key and key == key.lower() for key in card.private)
    assert card.settle_seconds >= 60
    assert 0 < card.calls_per_second <= 100
    assert card.reason != "listed" or card.reasons
    assert card.reason != "none" or not (card.reasons or card.reason_defaults)
    if card.reason == "listed":
        assert set(card.reason_defaults.values()) <= {one.value for one in card.reasons}


@every_door
def test_every_sentence_of_the_card_is_a_sentence(variant):
    card = variant.provider.card
    helps = [one.help for one in (*card.options, *card.credential, *card.lookup) if one.help]
    assert card.consequences
    for text in [*card.consequences, card.home, *helps]:
        assert text.strip() == text
        assert text[-1] in ".。", text


@every_variant
def test_the_door_is_complete_and_opening_it_touches_no_network(stand):
    provider = stand.provider
    assert isinstance(stand.can, Capabilities)
    for name in ("ping", "list_orders", "get_order", "get_orders", "list_reasons", "choices", "cancel"):
        assert callable(getattr(stand.client, name))
    for name in ("respond", "seed", "rows", "truth"):
        assert callable(getattr(provider.sandbox, name))
    asked = [one for one in stand.card.credential if one.when is None or stand.options[one.when[0]] == one.when[1]]
    assert all(stand.keys.get(one.name) for one in asked if one.required)
    assert set(provider.sandbox.options) <= {one.name for one in stand.card.options}
    assert stand.line.seen == []


@every_variant
def test_a_world_is_filled_the_same_every_time_and_told_as_rows(variant):
    one, other = Stand(variant), Stand(variant)
    assert one.rows() == other.rows()
    assert len(one.rows()) >= 60
    assert {Status(row["status"]) for row in one.rows()} >= {Status.OPEN, Status.CANCELLED}
    lookup = [each.name for each in one.card.lookup]
    assert all(list(row)[: len(lookup)] == lookup and all(row[name] for name in lookup) for row in one.rows())


# -- the connection


@every_variant
def test_ping_finds_a_good_connection_good_and_changes_nothing(stand):
    stand.client.ping()
    assert stand.line.seen
    assert not any(one.write for one in stand.wire.exchanges)
    assert stand.world.ledger() == []


def asked_for(stand):
    return [
        one.name
        for one in stand.card.credential
        if one.kind == "secret" and one.required and (one.when is None or stand.options[one.when[0]] == one.when[1])
    ]


@every_variant
def test_wrong_keys_are_said_to_be_wrong_keys(variant):
    for name in asked_for(Stand(variant)):
        stand = Stand(variant, {name: "wrong-canary-0000000000000000"})
        for act in (stand.client.ping, lambda stand=stand: stand.client.cancel(stand.command(Unit({})))):
            with pytest.raises(ProviderError) as caught:
                act()
            assert isinstance(caught.value, AuthFailed | Rejected)
            assert "canary" not in revealed(stand, caught.value)
        with pytest.raises(AuthFailed) as caught:
            stand.client.ping()
        assert caught.value.cause is Cause.KEYS
        assert caught.value.advice.admin


@every_variant
def test_wrong_keys_cancel_nothing(variant, unit):
    for name in asked_for(Stand(variant)):
        stand = Stand(variant, {name: "wrong-canary-0000000000000000"})
        assert isinstance(stand.cancel(unit), AuthFailed)
        assert stand.world.ledger() == []


@every_variant
def test_a_clock_that_is_off_is_said_to_be_off_where_time_is_signed(variant, unit):
    one, later = Stand(variant), Stand(variant)
    later.now = NOW.replace(hour=NOW.hour + 1)
    one.client.ping()
    later.client.ping()
    signs_time = without_tokens(one) != without_tokens(later) and not one.tokens.kept
    skewed = Stand(variant)
    skewed.world.switches["skew"] = 1200
    if not signs_time:
        skewed.client.ping()
        return
    with pytest.raises(AuthFailed) as caught:
        skewed.client.ping()
    assert caught.value.cause is Cause.CLOCK
    assert isinstance(skewed.cancel(unit), AuthFailed)
    assert skewed.world.ledger() == []


def without_tokens(stand):
    text = repr(stand.line.seen)
    for token in stand.tokens.kept.values():
        text = text.replace(token, "TOKEN")
    return text


@every_variant
def test_the_same_moment_makes_the_same_request(variant, unit):
    one, other = Stand(variant), Stand(variant)
    for stand in (one, other):
        stand.client.ping()
        stand.cancel(unit)
    assert without_tokens(one) == without_tokens(other)


# -- R05: not sent only when that is certain

NEVER_LEFT = [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.LocalProtocolError]
PERHAPS = [
    httpx.ReadError, httpx.ReadTimeout, httpx.WriteError, httpx.WriteTimeout, httpx.CloseError,
    httpx.RemoteProtocolError, httpx.DecodingError,
]  # fmt: skip


class Dead(httpx.BaseTransport):
    def handle_request(self, request):
        raise httpx.ConnectError("refused")


@every_variant
def test_R05_a_platform_that_cannot_be_reached_is_a_matter_of_the_network(variant, unit):
    stand = Stand(variant, transport=Dead())
    acts = [stand.client.ping, lambda: stand.client.cancel(stand.command(unit))]
    if stand.can.get_order:
        acts.append(lambda: stand.client.get_order(unit.ref))
    for act in acts:
        with pytest.raises(Unreachable) as caught:
            act()
        assert caught.value.cause is Cause.NETWORK
    assert not any(one.sent for one in stand.wire.exchanges)


@pytest.mark.parametrize("failure", [*NEVER_LEFT, *PERHAPS])
@every_variant
def test_R05_a_cancel_that_breaks_is_in_doubt_unless_it_never_left(variant, unit, failure):
    twin = Stand(variant)
    assert isinstance(twin.cancel(unit), Receipt)
    stand = Stand(variant)
    stand.line.cancel_at = twin.line.cancel_at

    def broken(request):
        raise failure("broken on purpose")

    stand.line.before_cancel = broken
    outcome = stand.cancel(unit)
    assert isinstance(outcome, Unreachable if failure in NEVER_LEFT else OutcomeUnknown)
    write = next(one for one in stand.wire.exchanges if one.write)
    assert write.sent == (failure in PERHAPS)
    assert len([one for one in stand.wire.exchanges if one.write]) == 1


# -- reading


@every_readable
def test_R04_one_order_reads_as_it_is(stand):
    for row in stand.rows()[:40]:
        ref = stand.ref(row)
        order = stand.client.get_order(ref)
        assert order.status == stand.truth(Unit(ref)) == Status(row["status"])
        assert stand.card.identity(order.ref) == stand.card.identity(ref)
        assert order.number
        assert order.status_text or order.items or order.status is Status.UNKNOWN
        for item in order.items if stand.card.unit == "item" else ():
            assert item.status == stand.truth(Unit(ref, item.ref))
        assert stand.world.ledger() == []


@every_readable
def test_R04_several_orders_read_as_they_are_and_the_unknown_one_is_left_out(stand):
    known = [stand.ref(row) for row in stand.rows()[:7]]
    found = stand.client.get_orders([*known[:3], unknown(stand, known[0]), *known[3:]])
    told = {stand.card.identity(one.ref): one.status for one in found}
    assert told == {stand.card.identity(ref): stand.truth(Unit(ref)) for ref in known}
    assert stand.client.get_orders([]) == ()


@every_variant
def test_R04_the_list_holds_every_order_as_it_is(stand):
    if not stand.can.list_orders:
        with pytest.raises(NOT_DONE):
            list(stand.listed())
        assert stand.line.seen == []
        return
    told = {stand.card.identity(one.ref): one.status for one in stand.listed()}
    for row in stand.rows():
        ref = stand.ref(row)
        if told.get(stand.card.identity(ref)) is not None:
            assert told[stand.card.identity(ref)] == stand.truth(Unit(ref))
    ordinary = [row for row in stand.rows() if stand.card.identity(stand.ref(row)) in told]
    assert len(ordinary) >= 60


def unknown(stand, ref):
    first = stand.card.lookup[0].name
    value = next(
        one for one in (ref[first][:-4] + str(tail) for tail in range(9990, 10000)) if not stand.world.get(one)
    )
    return {**ref, first: value}


@every_readable
def test_an_order_that_is_not_there_is_refused(stand):
    with pytest.raises(Rejected) as caught:
        stand.client.get_order(unknown(stand, stand.ref(stand.rows()[0])))
    assert caught.value.advice.agent


@every_variant
def test_a_ref_without_its_fields_is_refused_before_the_wire(stand):
    for ref in ({}, {one.name: "" for one in stand.card.lookup}):
        assert isinstance(stand.cancel(Unit(ref, "")), Rejected)
    assert not any(one.write for one in stand.wire.exchanges)


@every_variant
def test_reasons_and_choices_are_values_with_labels(stand):
    for one in stand.client.list_reasons():
        assert one.value
        assert one.label
    for one in stand.card.lookup:
        assert all(value and label for value, label in stand.client.choices(one.name))
    assert stand.client.choices("no-such-field") == ()


# -- cancelling


@every_variant
def test_R02_a_cancel_is_sent_once_and_takes_effect_once(stand, unit):
    outcome = stand.cancel(unit)
    assert isinstance(outcome, Receipt), outcome
    assert not outcome.already
    assert (stand.events(unit, "called"), stand.events(unit, "performed")) == (1, 1)
    assert stand.truth(unit) is Status.CANCELLED
    assert len([one for one in stand.wire.exchanges if one.write]) == 1
    if stand.can.get_order:
        order = stand.client.get_order(unit.ref)
        items = [one for one in order.items if one.ref == unit.item_ref]
        assert (items[0].status if unit.item_ref else order.status) is Status.CANCELLED


@every_variant
def test_R02_a_second_cancel_has_no_second_effect(stand, unit):
    stand.cancel(unit)
    again = stand.cancel(unit)
    assert isinstance(again, Receipt | Rejected | OutcomeUnknown)
    assert not isinstance(again, Receipt) or (again.already and again.final)
    assert not isinstance(again, OutcomeUnknown) or not stand.can.get_order
    assert stand.events(unit, "performed") == 1


@every_variant
def test_a_cancel_of_what_is_not_there_is_refused(stand, unit):
    gone = replace(unit, ref=unknown(stand, unit.ref), item_ref=unit.item_ref and unit.item_ref + "99")
    outcome = stand.cancel(gone)
    assert isinstance(outcome, Rejected), repr(outcome)
    assert stand.world.ledger() == []


@every_variant
def test_a_refusal_is_a_refusal(stand, variant):
    unit = refused(variant)
    before = stand.truth(unit)
    outcome = stand.cancel(unit)
    assert isinstance(outcome, Rejected)
    assert outcome.code
    assert outcome.advice.agent
    assert stand.truth(unit) is before is not Status.CANCELLED


@pytest.mark.parametrize("after", ["", "-after"])
@pytest.mark.parametrize("fault", FAULTS)
@every_variant
def test_R06_whatever_goes_wrong_the_outcome_never_contradicts_the_ledger(stand, unit, fault, after):
    stand.world.plan(unit.key, fault + after)
    outcome = stand.cancel(unit)
    performed = stand.events(unit, "performed")
    again = fault == "auth" and stand.tokens.kept  # a definite refusal of a stale token: once more, with a fresh one
    assert 1 <= stand.events(unit, "called") <= (2 if again else 1)
    if again and performed:
        assert isinstance(outcome, Receipt)
        return
    assert performed == (1 if after and fault not in ("limit", "auth") else 0)
    assert isinstance(outcome, NOT_DONE if fault in ("limit", "auth") else OutcomeUnknown), repr(outcome)
    if performed:
        assert isinstance(outcome, OutcomeUnknown)
    write = next(one for one in stand.wire.exchanges if one.write)
    assert write.fault or write.status
    assert len(write.answer_body) <= 17 * 1024


BODIES = (
    b"", b" ", b"{}", b"[]", b"null", b"true", b"0", b'""', b'"ok"', b'"success"', b'{"success": true}',
    b'{"ok": true}', b'{"status": "success"}', b'{"result": true}', b'{"result": null}', b'{"message": "cancelled"}',
    b'{"code": 200}', b'{"data": {}}', b"{" * 5000, b"[" * 5000, b'{"a": NaN}', b'{"a": 1e999}', b"\xff\xfe{\x00",
    b"\xef\xbb\xbf{}", b"{'ok': True}", b'{"result"', b"<?xml version='1.0'?><ok/>", b"1" * 5000,
    b'{"order": null, "order": {}}', b"\x00" * 64, '{"消息": "成功"}'.encode(), b"x" * 1024 * 1024,
)  # fmt: skip
STATUSES = (
    201, 202, 206, 301, 302, 304, 307, 400, 401, 403, 404, 405, 408, 409, 413, 418, 429, 451, 500, 502, 503, 504, 520,
    599,
)  # fmt: skip
PROXY = b"<html><h1>Some proxy</h1></html>"
ODD = {
    "bodies": [(200, "application/json", body) for body in BODIES],
    "media": [
        (200, "text/html", b"<!doctype html><title>Welcome</title>"),
        (200, "text/plain", b"OK"),
        (200, "text/xml", b"<html><body>OK</body></html>"),
        (200, "application/xml", b"<!DOCTYPE x [<!ENTITY a 'aaaa'>]><x>&a;</x>"),
        (200, "", b"done"),
    ],
    "statuses": [
        *((status, "text/html", PROXY) for status in STATUSES),
        *((status, "application/json", b"{}") for status in (201, 202, 302, 409, 418, 500, 503)),
    ],
}


@pytest.mark.parametrize("kind", ODD)
@every_variant
def test_R06_an_odd_answer_to_a_cancel_is_never_taken_for_a_result(variant, unit, kind):
    believed = []
    for status, media, body in ODD[kind]:
        stand = Stand(variant)
        stand.line.after_cancel = lambda _request, status=status, media=media, body=body: httpx.Response(
            status, headers={"content-type": media} if media else {}, stream=httpx.ByteStream(body)
        )
        outcome = stand.cancel(unit)
        write = next(one for one in stand.wire.exchanges if one.write)
        assert stand.events(unit, "performed") == stand.events(unit, "called") == 1
        assert (write.status, write.answer_bytes) == (status, len(body))
        if not isinstance(outcome, OutcomeUnknown) or not outcome.advice.agent:
            believed.append((status, media, body[:40], outcome))
    assert believed == []


# -- nothing leaks


def soup(request):
    """An answer that repeats all it was told, in every platform's words at once."""
    told = f"{request.url} {dict(request.headers)} {request.content.decode()}"
    code = {"code": "77777", "Code": "77777", "error_code": "77777", "errcode": 77777, "ErrorCode": "77777"}
    words = dict.fromkeys(("message", "msg", "error_msg", "errmsg", "ErrorMessage", "sub_msg", "error"), told)
    flat = {**code, **words, "errors": [told], "request_id": "r"}
    body = {**flat, "error_response": flat, "ErrorResponse": {"Head": flat, "Body": ""}, "result": {**flat}}
    return httpx.Response(400, headers={"content-type": "application/json"}, stream=httpx.ByteStream(_json(body)))


def _json(value):
    return json.dumps(value, ensure_ascii=False).encode()


@every_variant
def test_S09_no_secret_is_kept_or_shown_even_when_the_platform_repeats_it(stand, unit):
    stand.client.ping()
    outcomes = []
    for fault in FAULTS:
        stand.world.plan(unit.key, fault)
        outcomes.append(stand.cancel(unit))
    stand.line.after_cancel = soup
    outcomes.append(stand.cancel(unit))

    class Parrot(httpx.BaseTransport):
        def handle_request(self, request):
            request.read()
            return soup(request)

    parrot, wire = stand.open(Parrot())
    for act in (parrot.ping, lambda: parrot.cancel(stand.command(unit))):
        with pytest.raises(ProviderError) as caught:
            act()
        outcomes.append(caught.value)
    stand.wire.exchanges += wire.exchanges
    shown = revealed(stand, *(one for one in outcomes if isinstance(one, ProviderError)))
    assert stand.secrets()
    for secret in stand.secrets():
        assert secret not in shown
        assert secret not in repr(stand.client) + repr(stand.wire)


@every_variant
def test_S09_nothing_that_was_read_of_a_buyer_is_kept(stand, unit):
    rows = stand.rows()
    if stand.can.get_order:
        stand.client.get_orders([stand.ref(row) for row in rows[:20]])
        stand.client.get_order(unit.ref)
    if stand.can.list_orders:
        list(stand.listed())
    stand.cancel(unit)
    kept = revealed(stand)
    assert stand.wire.exchanges
    for row in rows:
        for name in ("buyer_name", "buyer_email", "buyer_phone"):
            for part in row[name].split() if name == "buyer_name" else [row[name]]:
                assert len(part) < 4 or part not in kept, (name, part)


# -- patience and pace


@every_variant
def test_R15_a_refused_cancel_is_repeated_at_most_once_and_only_for_a_stale_token(stand, unit):
    for fault in ("limit", "auth", "drop", "error"):
        stand.world.plan(unit.key, fault)
        before = len([one for one in stand.wire.exchanges if one.write])
        stand.cancel(unit)
        writes = [one for one in stand.wire.exchanges if one.write][before:]
        assert len(writes) <= (2 if fault == "auth" and stand.tokens.kept else 1)
        assert stand.events(unit, "performed") <= 1
        if stand.events(unit, "performed"):
            break


@every_variant
def test_a_limit_tells_how_long_to_wait(stand, unit):
    stand.world.plan(unit.key, "limit")
    outcome = stand.cancel(unit)
    assert isinstance(outcome, RateLimited)
    assert outcome.retry_after is None or 0 < outcome.retry_after <= 24 * 3600


def test_the_line_of_these_tests_tells_a_cancel_from_a_reading():
    stand = Stand(DOORS[0])
    stand.client.ping()
    assert isinstance(stand.line, Line)
    assert stand.line.cancel_at is None
    stand.cancel(cancellable(DOORS[0])[0])
    assert stand.line.cancel_at is not None
    assert isinstance(stand.tokens, Tokens)


# -- words


def _marked(folder):
    """Return every literal that a platform's folder, or the floor below it, marks for translation."""
    files = [*Path(providers.__file__).parent.glob("*.py"), *(Path(providers.__file__).parent / folder).glob("*.py")]
    calls = (node for file in files for node in ast.walk(ast.parse(file.read_text("utf-8"))))
    marks = (node for node in calls if isinstance(node, ast.Call) and isinstance(node.func, ast.Name))
    return {
        argument.value
        for node in marks
        if node.func.id in ("gettext_noop", "_")
        for argument in node.args
        if isinstance(argument, ast.Constant)
    }


def _advice_in(value, seen):
    """Yield every advice that hangs on a value, however deep."""
    if id(value) in seen or isinstance(value, str | bytes | int | float | type(ast)):
        return
    seen.add(id(value))
    if isinstance(value, Advice):
        yield value
        return
    inner = list(value.values()) if isinstance(value, dict) else []
    inner += list(value) if isinstance(value, tuple | list | set | frozenset) else []
    inner += (
        [getattr(value, one.name) for one in fields(value)]
        if is_dataclass(value) and not isinstance(value, type)
        else []
    )
    inner += [value.default_advice] if isinstance(value, type) and issubclass(value, ProviderError) else []
    for one in inner:
        yield from _advice_in(one, seen)


@every_door
def test_every_advice_of_a_platform_is_marked_and_says_something(variant):
    package = importlib.import_module(f"providers.{variant.slug}")
    modules = [
        importlib.import_module(f"{package.__name__}.{one.name}") for one in pkgutil.iter_modules(package.__path__)
    ]
    found = [one for module in modules for one in _advice_in(dict(vars(module)), set())]
    assert len(found) >= 8
    marked = _marked(variant.slug)
    for one in found:
        assert one.agent.strip()
        assert one.agent[-1] in ".。", one
        assert not one.admin or one.admin[-1] in ".。", one
        assert {one.agent, one.admin} - {""} <= marked, one


@every_door
def test_every_sentence_of_the_card_is_marked(variant):
    card = variant.provider.card
    told = [text for one in (*card.options, *card.credential, *card.lookup) for text in (one.label, one.help)]
    assert {*told, *card.consequences, card.home, *(one.label for one in card.reasons)} - {""} <= _marked(variant.slug)


@every_readable
def test_every_standing_says_why_unless_it_is_plainly_yes(stand):
    marked = _marked(stand.card.slug)
    for row in stand.rows():
        order = stand.client.get_order(stand.ref(row))
        for standing in [order.standing, *(item.standing for item in order.items)]:
            assert standing.cancellable is True or standing.why
            assert not standing.why or standing.why in marked
