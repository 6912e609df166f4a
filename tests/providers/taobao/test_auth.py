"""The signature, against published and independently computed vectors."""

import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from providers.taobao.auth import sign, signed_form, stamp

VECTORS = json.loads((Path(__file__).parent / "vectors" / "taobao_signing.json").read_text("utf-8"))


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_every_vector_is_signed_as_expected(vector):
    assert sign(vector["params"], vector["secret"], vector["sign_method"]) == vector["expected_sign"]


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_the_order_in_which_parameters_are_given_plays_no_part(vector):
    turned = dict(reversed(vector["params"].items()))
    assert sign(turned, vector["secret"], vector["sign_method"]) == vector["expected_sign"]


def test_all_eight_vectors_are_here():
    assert len(VECTORS) == 8
    assert {vector["sign_method"] for vector in VECTORS} == {"md5", "hmac", "hmac-sha256"}


def test_an_unknown_method_is_refused_before_anything_is_sent():
    with pytest.raises(ValueError, match="sign method"):
        sign({"a": "1"}, "secret", "sha1")


def test_times_are_written_in_the_gateways_zone():
    assert stamp(datetime(2024, 1, 1, 19, 4, 5, 999_999, tzinfo=UTC)) == "2024-01-02 03:04:05"


def test_blanks_are_neither_signed_nor_sent():
    params = {"method": "m", "sign_method": "md5", "session": "", "param": '{"a":"企 /&=+"}'}
    sent = parse_qs(signed_form(params, "secret").decode(), keep_blank_values=True)
    assert set(sent) == {"method", "sign_method", "param", "sign"}
    del params["session"]
    assert sent["sign"] == [sign(params, "secret", "md5")]
    assert sent["param"] == [params["param"]]
