"""What is kept of an exchange: no secret in any form, no personal data under any key, and never too much."""

import base64
import html
import json
import re
from urllib.parse import quote, quote_plus

import pytest

from providers.exchange import BLOT, KEPT_BYTES, Exchange, Redactor

SECRETS = [
    "plain-secret-0001", "with/slash+plus=eq", 'quo"te\\back', "<angle>&amp'", "schlüssel-geheim", "密钥是很长的",
    "a b c d e", "percent%41%zz", "tab\tnew\nline", "nul\x00inside", "lone\udc80half",
]  # fmt: skip
KEYS = {"phone", "address", "buyer_name"}


def go_json(text):
    return json.dumps(text)[1:-1].translate({ord(one): f"\\u{ord(one):04x}" for one in "<>&"})


WAYS = {
    "as it is": lambda s: s,
    "percent-encoded": lambda s: quote(s, safe=""),
    "percent-encoded path": lambda s: quote(s),
    "percent-encoded in lower case": lambda s: re.sub("%..", lambda one: one[0].lower(), quote(s, safe="")),
    "as a form value": lambda s: quote_plus(s),
    "encoded twice": lambda s: quote(quote(s, safe=""), safe=""),
    "in JSON": lambda s: json.dumps(s),
    "in JSON as UTF-8": lambda s: json.dumps(s, ensure_ascii=False),
    "in JSON with escaped slashes": lambda s: json.dumps(s).replace("/", "\\/"),
    "in JSON with escaped angles": go_json,
    "in JSON in JSON": lambda s: json.dumps(json.dumps({"k": s})),
    "in JSON in a form": lambda s: "p=" + quote_plus(json.dumps({"k": s})),
    "in XML": lambda s: f"<k>{html.escape(s, quote=False)}</k>",
    "in an XML attribute": lambda s: f'<k v="{html.escape(s)}"/>',
    "in CDATA": lambda s: f"<k><![CDATA[{s}]]></k>",
    "in base64": lambda s: base64.b64encode(s.encode()).decode(),
    "in base64 for addresses": lambda s: base64.urlsafe_b64encode(s.encode()).decode().rstrip("="),
    "in basic authentication": lambda s: base64.b64encode(f"someone:{s}".encode()).decode(),
}


def _traces(secret):
    """What must not be left of a secret: its characteristic middle, raw or as the wire may spell it."""
    storable = secret.encode("utf-8", "replace").decode()
    return {storable, quote(storable, safe=""), json.dumps(storable)[1:-1], html.escape(storable)}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("secret", SECRETS)
def test_S09_a_secret_is_blotted_out_however_it_is_written(secret, way):
    plain = secret.encode("utf-8", "replace").decode()
    written = WAYS[way](plain)
    redactor = Redactor([secret], KEYS)
    for text in (written, f"before {written} after", f'{{"a": "cut", "b": "{written}'):
        for kept in (redactor.text(text), redactor.body(text.encode()), redactor.url("https://h/x?y=" + text)):
            assert BLOT in kept, (text, kept)
            assert not any(trace in kept for trace in _traces(secret) | {written})


@pytest.mark.parametrize("secret", SECRETS)
def test_S09_a_body_that_breaks_off_within_a_secret_keeps_no_half_of_it(secret):
    plain = secret.encode("utf-8", "replace").decode()
    redactor = Redactor([secret], ())
    for size in range(5, len(plain)):
        kept = redactor.body(f"token {plain[:size]}".encode())
        assert kept == f"token {BLOT}", size


@pytest.mark.parametrize("at", range(KEPT_BYTES * 4 - 20, KEPT_BYTES * 4 + 4))
def test_S09_a_secret_at_the_place_where_a_long_body_is_cut_is_not_kept_in_part(at):
    masked = '{"phone": "' + "9" * (at - 14) + '", '
    kept = Redactor(["plain-secret-0001"], KEYS).body((masked + "plain-secret-0001" * 3).encode())
    assert "plai" not in kept
    assert "999" not in kept


def test_a_secret_too_short_to_be_one_blots_out_nothing():
    assert Redactor(["", "1", "abc"], ()).text("abc 1") == "abc 1"


def test_a_secret_that_holds_another_is_blotted_out_whole():
    assert Redactor(["token", "token-longer"], ()).text("token-longer token") == f"{BLOT} {BLOT}"


SHAPES = {
    "JSON": '{"phone": "13800001111", "id": 7}',
    "a number in JSON": '{"phone": 13800001111, "id": 7}',
    "another case": '{"Phone": "13800001111", "id": 7}',
    "an object": '{"address": {"street": "13800001111", "no": ["13800001111"]}, "id": 7}',
    "a list": '[{"phone": ["13800001111", {"x": "13800001111"}]}, {"id": 7}]',
    "escaped JSON": r'{"phone": "13800001111 \"x\" \\", "id": 7}',
    "JSON in JSON": json.dumps({"data": json.dumps({"phone": "13800001111"}), "id": 7}),
    "JSON in JSON with blanks": json.dumps({"data": " \n" + json.dumps({"phone": "13800001111"}), "id": 7}),
    "JSON in JSON in JSON": json.dumps({"a": json.dumps({"b": json.dumps({"phone": "13800001111"})}), "id": 7}),
    "XML in JSON": json.dumps({"a": "<x><phone>13800001111</phone></x>", "id": 7}),
    "a form in JSON": json.dumps({"a": "b=1&phone=13800001111", "id": 7}),
    "JSON with a raw tab": '{"phone": "1380\t0001111", "id": 7, "x": "13800001111x"}'.replace("13800001111x", ""),
    "JSON behind a mark": '\ufeff{"phone": "13800001111", "id": 7}',
    "JSON in a call": 'callback({"phone":"13800001111","id":7});',
    "JSON with an error": '{"id": 7, "phone": "13800001111", }',
    "cut in the value": '{"id": 7, "phone": "13800001111',
    "cut in the number": '{"id": 7, "phone": 13800001111',
    "cut in the object": '{"id": 7, "address": {"street": "13800001111", "more": [{"no": "13800001111"}',
    "cut behind an object": '{"id": 7, "address": {"street": "} 13800001111", "b": "x]"}, "c": ',
    "cut in JSON in JSON": json.dumps({"id": 7, "data": json.dumps({"phone": "13800001111", "z": 1})})[:-8],
    "cut in an object in JSON in JSON": json.dumps({"id": 7, "data": json.dumps({"address": {"a": "13800001111"}})})[
        :-4
    ],
    "JSON in XML": '<x><id>7</id>{"phone": "13800001111"}</x>',
    "JSON escaped in XML": "<x><id>7</id>{&quot;phone&quot;: &quot;13800001111&quot;}</x>",
    "XML": "<x><id>7</id><phone>13800001111</phone></x>",
    "XML with a name space": "<x><id>7</id><n:phone>13800001111</n:phone></x>",
    "XML with attributes": '<x><id>7</id><phone kind="m">13800001111</phone></x>',
    "CDATA": "<x><id>7</id><phone><![CDATA[13800001111 <b>]]></phone></x>",
    "elements within": "<x><id>7</id><address><street>13800001111</street><b/>13800001111</address></x>",
    "XML cut short": "<x><id>7</id><address><street>13800001111</str",
    "an XML attribute": '<x id="7"><b phone="13800001111"/></x>',
    "XML escaped in XML": "<x><id>7</id>&lt;phone&gt;13800001111&lt;/phone&gt;</x>",
    "a form": "id=7&phone=13800001111&x=",
    "a form with brackets": "id=7&buyer%5Bphone%5D=13800001111",
    "JSON in a form": "id=7&param=" + quote_plus('{"phone": "13800001111"}'),
    "JSON in a form cut short": "id=7&param=" + quote_plus('{"phone": "13800001111", "z": ')[:-3],
    "bytes that are no text": b'\xff\xfe{"id": 7, "phone": "13800001111\xff"}',
}


@pytest.mark.parametrize("shape", SHAPES)
def test_S09_personal_data_is_masked_by_its_key(shape):
    body = SHAPES[shape]
    kept = Redactor((), KEYS).body(body if isinstance(body, bytes) else body.encode())
    assert "0001111" not in kept
    assert "7" in kept
    assert "▇" in kept


@pytest.mark.parametrize(
    "body",
    ['{"phone": "", "address": null, "id": 1}', "<x><phone/><phone></phone><id>13</id></x>", "phone=&id=13", "", "OK",
     '{"telephone": "13"}', "<telephone>13</telephone>", '[1, 2.5, true, null, "a"]', '{"phone": null, "x'],
)  # fmt: skip
def test_what_is_not_personal_stays_as_it_is(body):
    assert Redactor((), KEYS).body(body.encode()) == body


def test_an_address_keeps_no_personal_data():
    redactor = Redactor(["s3cret-of-tests"], {"userid", "signature"})
    kept = redactor.url("https://h/x?UserID=me%40example.test&Action=Get&Signature=abc&t=s3cret-of-tests")
    assert kept == f"https://h/x?UserID={BLOT}&Action=Get&Signature={BLOT}&t={BLOT}"


@pytest.mark.parametrize("size", [0, 1, KEPT_BYTES, KEPT_BYTES + 1, KEPT_BYTES * 4 + 1, 1024 * 1024])
def test_R06_what_is_kept_of_a_body_is_bounded(size):
    for piece in ("x", "好", "\U0001f600"):
        kept = Redactor(["plain-secret-0001"], KEYS).body((piece * size).encode()[: 1024 * 1024])
        assert len(kept) <= KEPT_BYTES + 2
        assert kept[: min(size, 100)] == piece * min(size, 100)


@pytest.mark.parametrize("body", [b"\xff" * 50, b"\x00" * 50, b'{"a": "\\ud800"}', b"[" * 60_000, b'{"a":' * 9_000])
def test_whatever_is_kept_can_be_stored_anywhere(body):
    kept = Redactor(["plain-secret-0001"], KEYS).body(body)
    assert "\x00" not in kept
    assert kept.encode("utf-8").decode() == kept


def test_of_the_headers_only_evidence_is_kept():
    kept = Redactor(["s3cret-of-tests"], ()).headers(
        [("Date", "now"), ("Set-Cookie", "a=b"), ("Authorization", "x"), ("X-Request-Id", "s3cret-of-tests-1")]
    )
    assert kept == {"date": "now", "x-request-id": f"{BLOT}-1"}


def test_an_exchange_is_plain_json():
    one = Exchange("GET", "https://h/", False, "2026-01-01", 0.1, True, {"a": "b"}, "", 0, 200, {}, "{}", 2)
    assert json.loads(json.dumps(one.as_json()))["status"] == 200
