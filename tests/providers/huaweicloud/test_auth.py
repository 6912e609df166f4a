"""The signature equals the official signer's, and the sandbox checks it from the bytes on the wire."""

import json
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from providers.huaweicloud.auth import DATE_FORMAT, canonical_request, host_of, sign
from providers.huaweicloud.sandbox import SANDBOX
from providers.world import SandboxRequest

VECTORS = json.loads((Path(__file__).parent / "vectors" / "signing.json").read_text())


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_signature_equals_the_official_signers(vector):
    at = datetime.strptime(vector["x_sdk_date"], DATE_FORMAT).replace(tzinfo=UTC)
    sent = sign(
        vector["method"],
        vector["url"],
        vector["headers_in"],
        vector["body"].encode(),
        access_key=vector["ak"],
        secret_key=vector["sk"],
        at=at,
    )
    assert sent["Authorization"] == vector["expected_authorization"]
    assert sent["X-Sdk-Date"] == vector["x_sdk_date"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_host_that_is_signed_is_the_host_httpx_sends(vector):
    assert host_of(vector["url"]) == httpx.Request("GET", vector["url"]).headers["host"]


def test_the_port_is_signed_only_where_it_is_not_the_schemes_own():
    assert host_of("https://BSS.example:443/a") == "bss.example"
    assert host_of("http://127.0.0.1:8765/a") == "127.0.0.1:8765"


def test_a_plus_sign_in_a_query_is_a_plus_sign_and_no_blank():
    plus, encoded, blank = (canonical_request("GET", "/a", f"b={value}", {}, [], b"") for value in ("+", "%2B", "%20"))
    assert plus == encoded != blank


def _signed(world, url, **changed):
    parts = {"method": "GET", "url": url, "headers": {"Content-Type": "application/json"}, "body": b""} | changed
    return sign(*parts.values(), **SANDBOX.credential, at=world.now())


def _ask(world, headers, *, prefix="", path="/v2/orders/customer-orders", query="limit=1", body=b"", method="GET"):
    lower = {name.lower(): value for name, value in headers.items()}
    return SANDBOX.respond(SandboxRequest(method, prefix, path, query, lower, body), world)


def test_the_sandbox_lets_in_what_is_signed_over_prefix_path_and_query(world):
    url = "http://127.0.0.1:8765/huaweicloud/v2/orders/customer-orders?limit=1"
    assert _ask(world, _signed(world, url), prefix="/huaweicloud").status == 200
    assert _ask(world, _signed(world, url), prefix="").status == 401


@pytest.mark.parametrize(
    "change",
    [
        {"query": "limit=2"},
        {"path": "/v2/orders/customer-orders/details/CS1"},
        {"method": "PUT"},
        {"body": b"{}"},
    ],
    ids=["query", "path", "method", "body"],
)
def test_the_sandbox_refuses_a_request_that_was_changed_after_signing(world, change):
    headers = _signed(world, "https://bss-intl.myhuaweicloud.com/v2/orders/customer-orders?limit=1")
    assert _ask(world, headers).status == 200
    assert _ask(world, headers, **change).status == 401


@pytest.mark.parametrize("name", ["Host", "X-Sdk-Date", "Content-Type", "Authorization"])
def test_the_sandbox_refuses_a_request_whose_signed_header_is_missing_or_changed(world, name):
    headers = _signed(world, "https://bss-intl.myhuaweicloud.com/v2/orders/customer-orders?limit=1")
    assert _ask(world, {key: value for key, value in headers.items() if key != name}).status == 401
    assert _ask(world, {**headers, name: headers[name] + "x"}).status == 401


def test_a_signature_is_good_for_fifteen_minutes(world, clock):
    headers = _signed(world, "https://bss-intl.myhuaweicloud.com/v2/orders/customer-orders?limit=1")
    clock.wind(minutes=14, seconds=59)
    assert _ask(world, headers).status == 200
    clock.wind(seconds=2)
    assert _ask(world, headers).status == 401


def test_more_than_five_failures_in_a_row_lock_the_key_for_five_minutes(world, clock):
    url = "https://bss-intl.myhuaweicloud.com/v2/orders/customer-orders?limit=1"
    for _ in range(6):
        assert _ask(world, {**_signed(world, url), "X-Sdk-Date": "20200101T000000Z"}).status == 401
    assert b"reach the limit" in _ask(world, _signed(world, url)).body
    clock.wind(minutes=5, seconds=1)
    assert _ask(world, _signed(world, url)).status == 200
