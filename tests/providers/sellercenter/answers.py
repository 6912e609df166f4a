"""Answers the platform might give, well formed and odd."""

import json

from providers.contract import Cancel
from providers.world import Reply

CANCEL = Cancel({"order_id": "5"}, "7", "SHORTAGE", "")
ACTION = "SetStatusToCanceled"


def head(**changes):
    fields = {"RequestAction": ACTION, "ErrorType": "Sender", "ErrorCode": "22", "ErrorMessage": "E022: Invalid Reason"}
    return {name: value for name, value in {**fields, **changes}.items() if value is not ...}


def refusal(status=200, content_type="application/json", headers=None, **changes):
    body = json.dumps({"ErrorResponse": {"Head": head(**changes), "Body": ""}}).encode()
    return Reply(status, body, {"content-type": content_type, **(headers or {})})


def coded(code, kind="Sender", action=ACTION, **more):
    message = f"E{code:03d}: said so"
    return refusal(RequestAction=action, ErrorType=kind, ErrorCode=str(code), ErrorMessage=message, **more)


def accepted(body='""', head='"RequestAction": "SetStatusToCanceled"', **changes):
    text = f'{{"SuccessResponse": {{"Head": {{{head}}}, "Body": {body}}}}}'
    given = {"status": 200, "content-type": "application/json", **changes}
    return Reply(given["status"], text.encode(), {"content-type": given["content-type"]})


def items(*refs):
    """The answer to GetOrderItems that shows these items of the order above."""
    rows = [{"OrderItemId": ref, "OrderId": "5", "Status": "pending"} for ref in refs]
    return accepted(ITEMS % json.dumps(rows), head='"RequestAction": "GetOrderItems"')


def xml(text, content_type="application/xml"):
    return Reply(200, text.encode() if isinstance(text, str) else text, {"content-type": content_type})


DOCTYPE = '<!DOCTYPE a [<!ENTITY b "c">]>'
GOOD_XML = "<SuccessResponse><Head><RequestAction>SetStatusToCanceled</RequestAction></Head><Body/></SuccessResponse>"
ITEMS = '{"OrderItems": {"OrderItem": %s}}'
ODD = {
    "an empty body": Reply(200, b"", {"content-type": "application/json"}),
    "no content": Reply(204, b"", {}),
    "a web page": Reply(200, b"<html><body>Welcome</body></html>", {"content-type": "text/html"}),
    "a web page called XML": xml("<html><body>Welcome</body></html>"),
    "a success called a web page": accepted(**{"content-type": "text/html"}),
    "a success called a picture": accepted(**{"content-type": "image/png"}),
    "a success cut short": Reply(200, accepted().body[:-1], {"content-type": "application/json"}),
    "a success with something behind it": Reply(200, accepted().body + b"x", {"content-type": "application/json"}),
    "two successes": Reply(200, accepted().body * 2, {"content-type": "application/json"}),
    "a success that is not UTF-8": Reply(200, accepted('"\xe9"').body.decode().encode("latin-1"), {}),
    "bytes of nothing": Reply(200, b"\x8b\xff{", {"content-type": "application/json"}),
    "a bare null": Reply(200, b"null", {"content-type": "application/json"}),
    "a bare true": Reply(200, b"true", {"content-type": "application/json"}),
    "a bare text": Reply(200, b'"SuccessResponse"', {"content-type": "application/json"}),
    "a list": Reply(200, b"[" + accepted().body + b"]", {"content-type": "application/json"}),
    "an empty object": Reply(200, b"{}", {"content-type": "application/json"}),
    "another platform's yes": Reply(200, b'{"success": true}', {"content-type": "application/json"}),
    "a success of null": Reply(200, b'{"SuccessResponse": null}', {"content-type": "application/json"}),
    "a success of text": Reply(200, b'{"SuccessResponse": "ok"}', {"content-type": "application/json"}),
    "a success without a head": Reply(200, b'{"SuccessResponse": {"Body": ""}}', {"content-type": "application/json"}),
    "a success with an empty head": accepted(head=""),
    "a success with a head of text": Reply(200, b'{"SuccessResponse": {"Head": "", "Body": ""}}', {}),
    "another action's success": accepted(head='"RequestAction": "GetDocument"'),
    "an action of the wrong type": accepted(head='"RequestAction": ["SetStatusToCanceled"]'),
    "a success with an error code": accepted(head='"RequestAction": "SetStatusToCanceled", "ErrorCode": "28"'),
    "a key that stands twice": accepted(head='"RequestAction": "GetOrders", "RequestAction": "SetStatusToCanceled"'),
    "success and error at once": Reply(
        200, accepted().body[:-1] + b', "ErrorResponse": {"Head": {}}}', {"content-type": "application/json"}
    ),
    "a success under 201": accepted(status=201),
    "a success under 202": accepted(status=202),
    "a success under 302": accepted(status=302),
    "a success under 403": accepted(status=403),
    "a success under 500": accepted(status=500),
    "a success for another item": accepted(ITEMS % '{"OrderItemId": "8"}'),
    "a success for other items": accepted(ITEMS % '[{"OrderItemId": "8"}, {"OrderItemId": "9"}]'),
    "a success for another order": accepted(ITEMS % '{"OrderItemId": "7", "OrderId": "6"}'),
    "a success with a body of text": accepted('"maybe"'),
    "a success with a body of numbers": accepted("[1, 2]"),
    "a success with a body of a number": accepted("1"),
    "a success with somebody else's body": accepted('{"Feed": {"FeedId": "5"}}'),
    "not a number": accepted("NaN"),
    "a number without end": accepted("9" * 5000),
    "an exponent without end": accepted("1e" + "9" * 30),
    "a list without end": accepted("[" * 100_000),
    "nested too deeply": accepted("[" * 900 + "]" * 900),
    "a redirect": Reply(302, b"", {"location": "https://elsewhere.invalid/"}),
    "a bare 401": Reply(401, b"", {}),
    "a bare 403": Reply(403, b"denied", {"content-type": "text/plain"}),
    "a bare 404": Reply(404, b"<html></html>", {"content-type": "text/html"}),
    "a bare 429": Reply(429, b"", {"retry-after": "1"}),
    "a bare 500": Reply(500, b"", {}),
    "a gateway's page": Reply(502, b"<html><h1>Bad Gateway</h1></html>", {"content-type": "text/html"}),
    "a refusal under 500": coded(22, status=500),
    "a refusal under 503": coded(28, status=503),
    "a refusal under 302": coded(22, status=302),
    "a refusal under 201": coded(22, status=201),
    "a lock-out called a web page": coded(7, content_type="text/html"),
    "a refusal of nobody's": refusal(ErrorType=...),
    "a refusal of a stranger's": refusal(ErrorType="Gateway"),
    "a refusal without a code": refusal(ErrorCode=..., ErrorMessage="no"),
    "a refusal of code none": refusal(ErrorCode="none"),
    "a refusal of code true": refusal(ErrorCode=True),
    "a refusal of many codes": refusal(ErrorCode=["22", "28"]),
    "a refusal that contradicts itself": refusal(ErrorCode="22", ErrorMessage="E028: not possible"),
    "another action's refusal": refusal(RequestAction="GetDocument"),
    "an error of text": Reply(200, b'{"ErrorResponse": "E022"}', {"content-type": "application/json"}),
    "XML cut short": xml(GOOD_XML[:-3]),
    "XML with a document type": xml(DOCTYPE + GOOD_XML),
    "XML with an entity": xml(DOCTYPE + GOOD_XML.replace("<Body/>", "<Body>&b;</Body>")),
    "XML with two heads": xml(GOOD_XML.replace("<Body/>", "<Head/>")),
    "XML with two actions": xml(GOOD_XML.replace("</Head>", "<RequestAction>GetOrders</RequestAction></Head>")),
    "XML with a body of text": xml(GOOD_XML.replace("<Body/>", "<Body>perhaps</Body>")),
    "XML in Latin-1": xml(GOOD_XML.replace("<Body/>", "<Body>é</Body>").encode("latin-1")),
    "XML of another action": xml(GOOD_XML.replace("SetStatusToCanceled", "GetOrder")),
    "an empty XML success": xml("<SuccessResponse/>"),
}  # fmt: skip
