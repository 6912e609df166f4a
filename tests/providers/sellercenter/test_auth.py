"""The signature is what the platform's own code makes of the same parameters, and covers exactly what is sent."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from providers.contract import Cancel, OrderQuery
from providers.sellercenter import PROVIDER, auth

VECTORS = json.loads((Path(__file__).parent / "vectors" / "sellercenter_signing.json").read_text())


@pytest.mark.parametrize("vector", VECTORS, ids=lambda one: one["name"])
def test_every_vector_gives_its_canonical_string_and_signature(vector):
    assert auth.canonical(vector["params"]) == vector["canonical_string"]
    assert auth.sign(vector["params"], vector["api_key"]) == vector["expected_signature"]


def test_the_published_example_is_reproduced():
    params = {
        "Action": "FeedList",
        "Format": "XML",
        "Timestamp": "2015-07-01T11:11:11+00:00",
        "UserID": "look@me.com",
        "Version": "1.0",
    }
    key = "b1bdb357ced10fe4e9a69840cdd4f0e9c03d77fe"
    assert auth.sign(params, key) == "3ceb8ed91049dfc718b0d2d176fb2ed0e5fd74f76c5971f34cdab48412476041"


def test_a_signature_among_the_parameters_is_not_signed():
    params = {"Action": "GetOrders", "UserID": "a@b.test"}
    assert auth.sign({**params, "Signature": "anything"}, "key") == auth.sign(params, "key")


def test_names_are_sorted_by_case_and_not_by_their_encoded_pairs():
    assert auth.canonical({"endTime": "1", "Search2": "1", "Search": "1", "UserID": "1"}) == (
        "Search=1&Search2=1&UserID=1&endTime=1"
    )


def test_the_stamp_is_utc_in_whole_seconds():
    moment = datetime(2030, 4, 1, 10, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert auth.stamp(moment) == "2030-04-01T08:00:00+00:00"
    assert auth.stamp(datetime(2030, 4, 1, 8, tzinfo=UTC)) == "2030-04-01T08:00:00+00:00"


@pytest.mark.parametrize("detail", ["ni\u00f1o & 100% ~*!'()", "仓库缺货，无法发货", "a+b c/d?e#f\n", "\ud800 lone"])
def test_what_is_signed_is_byte_for_byte_what_is_sent(dial, world, detail):
    client, _wire, line = dial()
    item = world.get("1130003")["Items"][0]["OrderItemId"]
    client.cancel(Cancel({"order_id": "1130003"}, item, "SHORTAGE", detail))
    query = line.seen[-1].url.raw_path.decode().removeprefix("/?")
    signed, _, signature = query.rpartition("&Signature=")
    key = PROVIDER.sandbox.credential["api_key"]
    # Over the wire's own bytes, not over parameters.
    assert signature == hmac.new(key.encode(), signed.encode(), hashlib.sha256).hexdigest()
    assert "+" not in query


def test_every_send_is_stamped_and_signed_anew():
    moments = iter(datetime(2030, 4, 1, 8, 0, second, tzinfo=UTC) for second in range(9))
    seen = []

    class Spy:
        def read(self, method, url, *, headers=None, content=b""):
            seen.append(url)
            raise TimeoutError

        def hide(self, secret): ...

    client = PROVIDER.open(
        wire=Spy(),
        options={},
        credential=PROVIDER.sandbox.credential,
        tokens=None,
        now=lambda: next(moments),
    )
    for _ in range(2):
        with pytest.raises(TimeoutError):
            client.list_orders(OrderQuery())
    assert seen[0] != seen[1]
    assert "08%3A00%3A00%2B" in seen[0]
    assert "08%3A00%3A01%2B" in seen[1]
