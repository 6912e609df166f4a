"""Every documented code means one thing, told by one error and one sentence."""

import httpx
import pytest

from providers.errors import (
    AuthFailed,
    Cause,
    OutcomeUnknown,
    ProtocolError,
    ProviderError,
    RateLimited,
    Rejected,
    Unreachable,
)
from providers.sellercenter.codes import CODES
from providers.world import Reply
from tests.providers.sellercenter.answers import (
    CANCEL,
    coded,
    refusal,
)

# Written down from the platform's lists, not from the table under test.
LOCKED_OUT = {
    2: Cause.SETTINGS,
    3: Cause.CLOCK,
    7: Cause.KEYS,
    8: Cause.SETTINGS,
    9: Cause.PERMISSION,
    10: Cause.SETTINGS,
}
UNCLEAR = {6, 21, 1000}
REFUSED = {
    1, 4, 5, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 22, 23, 24, 25, 26, 28, 29, 30, 31, 32, 34, 35, 36, 37, 38, 39, 46,
    47, 56, 63, 73, 74, 75, 91, 94, 95, 96, 119, 121, 122,
}  # fmt: skip
DOCUMENTED = sorted({*LOCKED_OUT, *UNCLEAR, *REFUSED, 429})


def kind_of(code):
    if code in LOCKED_OUT:
        return AuthFailed
    return Rejected if code in REFUSED else RateLimited if code == 429 else OutcomeUnknown


def test_the_table_holds_the_documented_codes_and_no_other():
    assert sorted(CODES) == DOCUMENTED


@pytest.mark.parametrize("code", DOCUMENTED)
def test_a_documented_code_on_a_cancel_means_what_the_documents_say(told, code):
    # The re-reading after "the state forbids it" meets a dead line and must not soften the refusal.
    client, _wire, _line = told(coded(code), httpx.ConnectError("gone"))
    with pytest.raises(ProviderError) as raised:
        client.cancel(CANCEL)
    assert type(raised.value) is kind_of(code)
    assert raised.value.code == f"E{code:03d}"
    assert raised.value.advice.agent.endswith(".")
    assert raised.value.message == f"E{code:03d}: said so"
    if code in LOCKED_OUT:
        assert raised.value.cause is LOCKED_OUT[code]
        assert raised.value.advice.admin.endswith(".")


@pytest.mark.parametrize("code", DOCUMENTED)
def test_a_documented_code_on_a_read_leaves_no_doubt(told, code):
    client, _wire, _line = told(coded(code, action="GetOrder"))
    with pytest.raises(ProviderError) as raised:
        client.get_order({"order_id": "5"})
    assert type(raised.value) is (Unreachable if code in UNCLEAR else kind_of(code))


def test_each_code_of_a_cancel_has_a_sentence_of_its_own():
    own = [CODES[code].advice for code in (1, 2, 3, 6, 7, 8, 9, 10, 11, 20, 21, 22, 28, 30, 429, 1000)]
    assert len({(one.agent, one.admin) for one in own}) == len(own)


def test_an_unlisted_code_of_the_sender_is_final_and_shown(told):
    client, _wire, _line = told(coded(4711))
    with pytest.raises(Rejected) as raised:
        client.cancel(CANCEL)
    assert raised.value.code == "E4711"
    assert raised.value.advice.admin


def test_an_unlisted_code_of_the_platform_leaves_the_outcome_unknown(told):
    client, _wire, _line = told(coded(4711, kind="Platform"))
    with pytest.raises(ProtocolError):
        client.cancel(CANCEL)


def test_another_calls_code_as_the_platforms_own_fault_leaves_the_outcome_unknown(told):
    client, _wire, _line = told(coded(35, kind="Platform"))
    with pytest.raises(ProtocolError):
        client.cancel(CANCEL)


@pytest.mark.parametrize("status", [400, 403, 404, 429])
def test_a_refusal_counts_under_a_client_error_too(told, status):
    client, _wire, _line = told(coded(22, status=status))
    with pytest.raises(Rejected):
        client.cancel(CANCEL)


@pytest.mark.parametrize("given", ["22", 22, "E022", "022"])
def test_the_code_is_read_from_its_field_however_written(told, given):
    client, _wire, _line = told(refusal(ErrorCode=given))
    with pytest.raises(Rejected) as raised:
        client.cancel(CANCEL)
    assert raised.value.code == "E022"


def test_the_code_is_read_from_the_message_where_the_field_is_missing(told):
    client, _wire, _line = told(refusal(ErrorCode=...))
    with pytest.raises(Rejected) as raised:
        client.cancel(CANCEL)
    assert raised.value.code == "E022"


@pytest.mark.parametrize(("text", "seconds"), [("7", 7.0), ("", None), ("soon", None), ("-1", None), ("9" * 40, None)])
def test_the_wait_is_what_the_platform_asked_for(told, text, seconds):
    client, _wire, _line = told(coded(429, status=429, headers={"retry-after": text}))
    with pytest.raises(RateLimited) as raised:
        client.cancel(CANCEL)
    assert raised.value.retry_after == seconds


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (Reply(403, b"denied", {"content-type": "text/html"}), Cause.IP),
        (Reply(401, b"", {}), Cause.IP),
        (Reply(404, b"<html></html>", {"content-type": "text/html"}), Cause.SETTINGS),
        (Reply(301, b"", {"location": "https://elsewhere.invalid/"}), Cause.SETTINGS),
        (Reply(200, b"<html></html>", {"content-type": "text/html"}), Cause.SETTINGS),
        (Reply(502, b"<html></html>", {"content-type": "text/html"}), Cause.PLATFORM),
        (httpx.ConnectError("refused"), Cause.NETWORK),
        (httpx.ReadTimeout("slow"), Cause.NETWORK),
    ],
)
def test_ping_tells_a_closed_door_from_a_wrong_address_and_a_dead_line(told, answer, cause):
    client, _wire, _line = told(answer)
    with pytest.raises(Unreachable) as raised:
        client.ping()
    assert raised.value.cause is cause
    assert raised.value.advice.agent
