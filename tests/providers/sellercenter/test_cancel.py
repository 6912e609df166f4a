"""One item, one call: what the platform says and what it did agree."""

import httpx
import pytest

from providers.contract import Cancel, Status
from providers.errors import (
    AuthFailed,
    Cause,
    Rejected,
)
from providers.world import Reply
from tests.providers.sellercenter.answers import CANCEL, coded, items
from tests.providers.sellercenter.desk import (
    BY_MARKETPLACE,
    MIXED,
    PACKAGE,
    REF,
    STYLES,
    command,
    events,
    item_of,
    state,
)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("body", ["empty", "items"])
def test_one_item_is_cancelled_by_one_call_and_no_other_item_with_it(dial, world, style, body):
    world.switches["success_body"] = body
    client, _wire, line = dial(format=style)
    receipt = client.cancel(command(world, PACKAGE))
    assert (receipt.final, receipt.already) == (True, False)
    assert [state(world, PACKAGE, place) for place in (0, 1)] == ["canceled", "pending"]
    assert len(line.seen) == 1
    assert line.seen[0].read() == b""
    assert line.seen[0].headers["content-length"] == "0"


def test_siblings_that_went_with_a_package_are_seen_at_the_next_reading(dial, world):
    world.switches["cancel_scope"] = "package"
    client, _wire, _line = dial()
    client.cancel(command(world, PACKAGE))
    assert client.get_order(PACKAGE).status is Status.CANCELLED
    receipt = client.cancel(command(world, PACKAGE, 1))
    assert receipt.already
    assert events(world, item_of(world, PACKAGE, 1)) == []


def test_reason_and_note_arrive_as_given(dial, world):
    detail = "Produto indisponível: 仓库缺货 1+1=2 & 100% ~*'()#"
    dial()[0].cancel(command(world, detail=detail))
    item = world.get("1130003")["Items"][0]
    assert (item["Reason"], item["ReasonDetail"]) == ("SHORTAGE", detail)


def test_a_long_note_is_cut_and_an_empty_one_not_sent(dial, world):
    client, _wire, line = dial()
    client.cancel(command(world, PACKAGE, 0, detail="ñ" * 400))
    client.cancel(command(world, PACKAGE, 1))
    assert len(line.seen[0].url.params["ReasonDetail"]) == 255
    assert "ReasonDetail" not in line.seen[1].url.params


def test_a_cancel_without_item_or_reason_never_leaves(dial, world):
    client, wire, _line = dial()
    for incomplete in (Cancel(REF, "", "SHORTAGE"), Cancel(REF, item_of(world), "")):
        with pytest.raises(Rejected):
            client.cancel(incomplete)
    assert (wire.exchanges, wire.writing) == ([], False)


@pytest.mark.parametrize("missing", ["user_id", "api_key"])
def test_a_shop_without_keys_never_sends(dial, world, missing):
    client, wire, _line = dial(credential={missing: ""})
    with pytest.raises(AuthFailed) as raised:
        client.cancel(command(world))
    assert raised.value.cause is Cause.KEYS
    assert wire.exchanges == []


@pytest.mark.parametrize("style", STYLES)
def test_an_item_cancelled_before_is_no_refusal(dial, world, style):
    client, _wire, line = dial(format=style)
    receipt = client.cancel(command(world, MIXED, 2))
    assert (receipt.final, receipt.already, receipt.code) == (True, True, "E028")
    assert [one.method for one in line.seen] == ["POST", "GET"]


def test_an_operator_that_says_yes_twice_is_believed(dial, world):
    world.switches["second_cancel"] = "success"
    assert dial()[0].cancel(command(world, MIXED, 2)).final
    assert events(world, item_of(world, MIXED, 2)) == []


@pytest.mark.parametrize(
    ("ref", "place", "word"),
    [(MIXED, 1, "on its way"), (BY_MARKETPLACE, 0, "marketplace"), ({"order_id": "1990000"}, 0, "past")],
)
def test_a_state_that_forbids_it_is_a_refusal_that_says_which(dial, world, ref, place, word):
    before = state(world, ref, place)
    with pytest.raises(Rejected) as raised:
        dial()[0].cancel(command(world, ref, place))
    assert raised.value.code == "E028"
    assert word in raised.value.advice.agent
    assert state(world, ref, place) == before


@pytest.mark.parametrize(
    "second",
    [
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("gone"),
        Reply(500, b"", {}),
        Reply(200, b"{", {}),
        Reply(401, b"", {}),
    ],
)
def test_a_definite_refusal_stands_though_the_reading_after_it_fails(told, second):
    body = (
        b'{"ErrorResponse": {"Head": {"RequestAction": "SetStatusToCanceled", "ErrorType": "Sender", '
        b'"ErrorCode": "28", "ErrorMessage": "E028: no"}, "Body": ""}}'
    )
    client, wire, _line = told(Reply(200, body, {"content-type": "application/json"}), second)
    with pytest.raises(Rejected) as raised:
        client.cancel(Cancel({"order_id": "5"}, "7", "SHORTAGE"))
    assert (raised.value.code, len(wire.exchanges)) == ("E028", 2)


def test_an_item_of_another_seller_is_refused_and_says_nothing_of_the_shop(dial, world):
    world.switches["foreign"] = [REF["order_id"]]
    client, _wire, line = dial()
    with pytest.raises(Rejected) as raised:
        client.cancel(command(world))
    assert raised.value.code == "E009"
    assert "another seller" in raised.value.advice.agent
    assert [one.url.params["Action"] for one in line.seen] == ["SetStatusToCanceled", "GetOrderItems", "GetOrders"]
    assert client.cancel(command(world, PACKAGE)).final


@pytest.mark.parametrize("role", ["none", "read"])
def test_a_lacking_role_is_no_refusal_of_one_item(dial, world, role):
    world.switches["role"] = role
    with pytest.raises(AuthFailed) as raised:
        dial()[0].cancel(command(world))
    assert (raised.value.code, raised.value.cause) == ("E009", Cause.PERMISSION)


@pytest.mark.parametrize(
    ("reads", "kind"),
    [
        ([coded(16, action="GetOrderItems")], Rejected),
        ([items("8")], Rejected),
        ([items("7")], AuthFailed),
        ([coded(6, "Platform", action="GetOrderItems")], AuthFailed),
        ([httpx.ReadTimeout("slow")], AuthFailed),
        ([coded(9, action="GetOrderItems"), coded(9, action="GetOrders")], AuthFailed),
        ([coded(9, action="GetOrderItems"), httpx.ReadTimeout("slow")], AuthFailed),
    ],
)
def test_whose_an_item_is_that_access_is_denied_to_is_told_by_reading_its_order(told, reads, kind):
    client, wire, _line = told(coded(9), *reads)
    with pytest.raises(kind) as raised:
        client.cancel(CANCEL)
    assert raised.value.code == "E009"
    assert [one.write for one in wire.exchanges] == [True, *(False for _read in reads)]


def test_an_unknown_item_and_an_unknown_reason_are_refusals(dial, world):
    client, _wire, _line = dial()
    for wrong, code in ((Cancel(REF, "1", "SHORTAGE"), "E020"), (command(world, reason="BORED"), "E022")):
        with pytest.raises(Rejected) as raised:
            client.cancel(wrong)
        assert raised.value.code == code
    assert state(world) == "pending"
