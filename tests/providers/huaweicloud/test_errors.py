"""Every documented code means one thing, and an answer nobody documented means nothing at all."""

import pytest

from providers.contract import Cancel
from providers.errors import (
    AuthFailed,
    ProviderError,
    RateLimited,
    Rejected,
)
from providers.huaweicloud import advice
from providers.huaweicloud.errors import TABLE

from .codes import CODES, JSON, ORDER
from .conftest import as_json, failing


def test_every_code_of_the_table_is_tested():
    assert {(status, code) for status, code, *_ in CODES} == set(TABLE)


@pytest.mark.parametrize(("status", "code", "on_write", "on_read", "cause"), CODES)
def test_a_documented_code_has_one_meaning_for_a_cancel_and_one_for_a_read(
    dictated, status, code, on_write, on_read, cause
):
    for call, kind in ((lambda one: one.cancel(Cancel(ORDER)), on_write), (lambda one: one.ping(), on_read)):
        client, _, _ = dictated(failing(status, code))
        with pytest.raises(ProviderError) as caught:
            call(client)
        error = caught.value
        assert type(error) is kind
        assert (error.code, error.message, error.request_id) == (code, "said so", "r-1")
        assert error.cause is cause
        assert error.advice.agent
        assert error.advice not in (kind.default_advice, advice.UNLISTED)
        assert bool(error.advice.admin) or not isinstance(error, AuthFailed)


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_a_code_nobody_listed_on_a_4xx_is_a_refusal_in_its_own_words(dictated, status):
    client, _, _ = dictated(failing(status, "CBC.99007777", "Not on a Sunday."))
    with pytest.raises(Rejected) as caught:
        client.cancel(Cancel(ORDER))
    assert (caught.value.code, caught.value.message) == ("CBC.99007777", "Not on a Sunday.")
    assert caught.value.advice is advice.UNLISTED


@pytest.mark.parametrize(("status", "kind"), [(401, AuthFailed), (403, AuthFailed), (429, RateLimited)])
def test_a_gateway_code_nobody_listed_is_known_by_its_status(dictated, status, kind):
    client, _, _ = dictated(failing(status, "APIGW.0399"))
    with pytest.raises(kind):
        client.cancel(Cancel(ORDER))


@pytest.mark.parametrize(
    "body",
    [
        {"error_code": "APIGW.0308", "error_msg": "slow down", "request_id": "r"},
        {"error_code": "APIG.0308", "error_msg": "slow down"},
        {"status_code": 429, "error_code": "APIGW.0308", "error_message": "slow down", "request_id": "r"},
        {"errorCode": "APIGW.0308", "errorMsg": "slow down"},
        {"code": "APIGW.0308", "message": "slow down"},
        {"error": {"error_code": "APIGW.0308", "error_msg": "slow down"}},
    ],
)
def test_every_shape_of_an_error_is_read(dictated, body):
    client, _, _ = dictated(as_json(429, body, retry_after="7"))
    with pytest.raises(RateLimited) as caught:
        client.cancel(Cancel(ORDER))
    assert (caught.value.code, caught.value.message) == ("APIGW.0308", "slow down")
    assert caught.value.retry_after == 7


@pytest.mark.parametrize("text", ["", "soon", "-1", "1e9", "Wed, 04 Mar 2026 05:06:07 GMT", "²"])
def test_a_retry_after_that_is_no_number_of_seconds_is_not_obeyed(dictated, text):
    client, _, _ = dictated((429, {**JSON, "retry-after": text.encode()}, failing(429, "APIGW.0308")[2]))
    with pytest.raises(RateLimited) as caught:
        client.ping()
    assert caught.value.retry_after is None
