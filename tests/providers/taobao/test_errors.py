"""What each documented answer means, and each code."""

import json

import pytest

from providers.contract import OrderQuery, Receipt
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
from providers.taobao.meanings import CODES
from tests.providers.taobao.answers import JSON, REF, SEED_ERROR_XML, SEED_RESULT, SEED_XML, XML, body, refusal

# code, sub-code, error on a write, cause
DOCUMENTED = [
    (3, "", Rejected, None),
    *((code, "", RateLimited, Cause.PLATFORM) for code in (4, 5, 6, 7, 8)),
    (7, "accesscontrol.limited-by-app-access-count", RateLimited, Cause.PLATFORM),
    (7, "accesscontrol.limited-by-api-access-count", RateLimited, Cause.PLATFORM),
    (7, "accesscontrol.limited-by-app-api-access-count", RateLimited, Cause.PLATFORM),
    (7, "accesscontrol.limited-by-dynamic-access-count", RateLimited, Cause.PLATFORM),
    (9, "", AuthFailed, Cause.SETTINGS),
    (10, "", OutcomeUnknown, Cause.PLATFORM),
    (11, "", AuthFailed, Cause.PERMISSION),
    (11, "isv.permission-api-package-limit", AuthFailed, Cause.PERMISSION),
    (11, "isv.permission-api-package-empty", AuthFailed, Cause.PERMISSION),
    (11, "isv.permission-api-package-not-allowed", AuthFailed, Cause.PERMISSION),
    (11, "isv.permission-ip-whitelist-limit", AuthFailed, Cause.IP),
    (12, "", AuthFailed, Cause.PERMISSION),
    (13, "", AuthFailed, Cause.PERMISSION),
    (21, "", AuthFailed, Cause.SETTINGS),
    (22, "", AuthFailed, Cause.PERMISSION),
    (23, "", AuthFailed, Cause.SETTINGS),
    (24, "", AuthFailed, Cause.SETTINGS),
    (25, "", AuthFailed, Cause.KEYS),
    (26, "", AuthFailed, Cause.SETTINGS),
    (27, "", AuthFailed, Cause.KEYS),
    (27, "invalid-sessionkey", AuthFailed, Cause.KEYS),
    (27, "sessionkey-not-generated-by-server", AuthFailed, Cause.KEYS),
    (27, "session-expired", AuthFailed, Cause.KEYS),
    (27, "session-is-blank", AuthFailed, Cause.KEYS),
    (28, "", AuthFailed, Cause.KEYS),
    (29, "isv.appkey-not-exists", AuthFailed, Cause.KEYS),
    (30, "", AuthFailed, Cause.CLOCK),
    (31, "", AuthFailed, Cause.CLOCK),
    *((code, "", AuthFailed, Cause.SETTINGS) for code in (32, 33, 34)),
    (40, "", Rejected, None),
    (41, "", Rejected, None),
    (42, "", AuthFailed, Cause.PERMISSION),
    (43, "", Rejected, None),
    *(
        (code, sub_code, error, cause)
        for code in (15, 50, 520)
        for sub_code, error, cause in (
            ("isv.missing-parameter:param", Rejected, None),
            ("isv.invalid-parameter", Rejected, None),
            ("isv.invalid-parameter:biz_order_id", Rejected, None),
            ("isv.order-not-exist:biz_order_id", Rejected, None),
            ("isv.parameters-mismatch:biz_order_id-and-buyer_id", Rejected, None),
            ("isv.something-else", Rejected, None),
            ("isv.invalid-permission", AuthFailed, Cause.PERMISSION),
            ("isv.permission-ip-whitelist-limit", AuthFailed, Cause.IP),
            ("isv.trade-service-error:CLOSED", OutcomeUnknown, Cause.PLATFORM),
            *(
                (f"isp.{name}", OutcomeUnknown, Cause.PLATFORM)
                for name in (
                    "trade-service-unavailable",
                    "remote-service-error",
                    "remote-service-timeout",
                    "remote-connection-error",
                    "top-remote-connection-timeout",
                    "top-remote-connection-timeout-tmall",
                    "top-remote-connection-error",
                    "top-remote-service-unavailable",
                    "top-remote-unknown-error",
                    "unknown-error",
                    "call-limited",
                    "null-pointer-exception",
                    "top-parse-error",
                    "top-mapping-parse-error",
                )
            ),
            ("9100", OutcomeUnknown, Cause.PLATFORM),
        )
    ),
]


@pytest.mark.parametrize(("code", "sub_code", "kind", "cause"), DOCUMENTED)
def test_every_documented_code_is_one_error_with_a_sentence(error_of, code, sub_code, kind, cause):
    error = error_of(refusal(code, sub_code, "原话"))
    assert type(error) is kind
    assert error.cause == cause
    assert error.code == f"{code} {sub_code}".strip()[:64]
    assert (error.message, error.request_id) == ("原话", "109wcmcgllsj1")
    assert len(error.advice.agent) > 40
    assert error.advice is not kind.default_advice
    assert bool(error.advice.admin) or kind in (Rejected, OutcomeUnknown)


def test_no_code_of_the_table_is_left_out_above():
    assert {code for code, *_ in DOCUMENTED} == set(CODES) | {15, 50, 520}


@pytest.mark.parametrize(("code", "sub_code", "kind", "cause"), DOCUMENTED)
def test_a_read_never_leaves_doubt(dictated, code, sub_code, kind, cause):
    with pytest.raises(ProviderError) as caught:
        dictated(refusal(code, sub_code), detail=True).get_order(REF)
    assert not isinstance(caught.value, OutcomeUnknown)
    assert isinstance(caught.value, Unreachable if kind is OutcomeUnknown else kind)


@pytest.mark.parametrize("code", [11, 22, 26])
def test_reading_that_is_not_granted_is_a_lack_of_permission_and_says_how_to_live_without(dictated, code):
    client = dictated(refusal(code), detail=True, list=True)
    for read in (client.ping, lambda: client.get_order(REF), lambda: client.list_orders(OrderQuery())):
        with pytest.raises(AuthFailed) as caught:
            read()
        assert caught.value.cause is Cause.PERMISSION
        assert "switch that off" in caught.value.advice.admin


def test_a_cancel_that_misses_a_session_says_what_to_enter(error_of):
    error = error_of(refusal(26))
    assert error.cause is Cause.SETTINGS
    assert "switch that off" not in error.advice.admin


@pytest.mark.parametrize("code", [14, 16, 20, 35, 39, 44, 49, 51, 99, 100, 199, 200, 499])
def test_an_unlisted_code_proves_nothing(error_of, code):
    assert type(error_of(refusal(code))) is ProtocolError
    assert type(error_of(refusal(code, "isv.invalid-parameter"))) is ProtocolError


@pytest.mark.parametrize("sub_code", ["", "ism.json-decode", "weird", "isv", "isv.", "ISV.INVALID", "9100x"])
def test_a_failed_service_without_a_known_sub_code_proves_nothing(error_of, sub_code):
    for code in (15, 50, 503):
        assert type(error_of(refusal(code, sub_code))) is ProtocolError


def test_a_gateway_check_that_also_names_a_failure_behind_it_proves_nothing(error_of):
    assert isinstance(error_of(refusal(25, "isp.remote-service-timeout")), OutcomeUnknown)


def test_a_code_in_text_counts_as_its_number(error_of):
    assert type(error_of(refusal("25"))) is AuthFailed


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("This ban will last for 1 more seconds", 2),
        ("This ban will last for 31062 more seconds", 31063),
        ("", None),
        ("last for ever", None),
    ],
)
def test_the_length_of_a_ban_is_honoured(error_of, words, seconds):
    assert error_of(refusal(7, "accesscontrol.limited-by-app-access-count", words)).retry_after == seconds


def test_the_documented_success_samples_are_successes(cancel):
    for receipt in (
        cancel((200, body(SEED_RESULT), JSON)),
        cancel((200, json.dumps({"result": SEED_RESULT}).encode(), JSON), simplify=True),
        cancel((200, SEED_XML.encode(), XML), format="xml"),
        cancel((200, SEED_XML.encode() + b"<!--top0119-->", XML), format="xml"),
    ):
        assert (receipt.final, receipt.already, receipt.code, receipt.message) == (True, False, "200", "")


def test_the_documented_error_sample_is_a_refusal_in_either_format(error_of):
    for form in ("json", "xml"):
        error = error_of((200, SEED_ERROR_XML.encode(), XML), format=form)
        assert (type(error), error.code) == (Rejected, "50 isv.invalid-parameter")


@pytest.mark.parametrize("code", [None, "", "0", 0, "200", 200, "SUCCESS"])
@pytest.mark.parametrize("success", [True, "true"])
def test_success_with_a_good_code_is_a_receipt(cancel, success, code):
    assert isinstance(cancel((200, body({"success": success, "error_code": code}), JSON)), Receipt)


def test_raw_control_characters_in_a_message_do_no_harm(cancel):
    raw = b'{"pc_order_cancel_response":{"result":{"success":true,"error_msg":"a\tb\nc"}}}'
    assert isinstance(cancel((200, raw, JSON)), Receipt)


def test_success_with_another_code_is_doubt(error_of):
    error = error_of((200, body({"success": True, "error_code": "500"}), JSON))
    assert isinstance(error, OutcomeUnknown)
    assert "500" in error.code


@pytest.mark.parametrize("code", ["0", "200", "SUCCESS"])
def test_a_refusal_with_a_good_code_is_doubt(error_of, code):
    assert isinstance(error_of((200, body({"success": False, "error_code": code}), JSON)), OutcomeUnknown)


@pytest.mark.parametrize("code", ["ORDER_SHIPPED", "", None, 1234])
def test_a_refused_result_is_rejected_with_the_platforms_words(error_of, code):
    error = error_of((200, body({"success": False, "error_code": code, "error_msg": "订单已发货"}), JSON))
    assert type(error) is Rejected
    assert (error.code, error.message) == (str(code) if code else "refused", "订单已发货")
    assert error.advice.agent


def test_a_refused_result_that_names_a_platform_failure_is_doubt(error_of):
    assert isinstance(
        error_of((200, body({"success": False, "error_code": "isp.unknown-error"}), JSON)), OutcomeUnknown
    )
