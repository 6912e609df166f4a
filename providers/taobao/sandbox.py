"""The pretend gateway: checks every call as strictly as TOP does, then lets the pretend service answer."""

import gzip
import hmac
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from providers.contract import Status
from providers.taobao.auth import sign
from providers.taobao.backend import APIS, Refusal, timed_out
from providers.taobao.leaves import time_of
from providers.taobao.seeding import TRUTHS, fill, import_rows
from providers.world import Misbehave, Reply, SandboxRequest, World

_ELEMENTS = {
    "biz_order_ids": "string",
    "sub_order_details": "sub_order_detail_item",
    "logistics": "logistics_item",
    "order_list": "order_detail_item",
}
_TOLERANCE = timedelta(minutes=10)


class TaobaoSandbox:
    """One pretend app on a pretend gateway.

    Switches of its world:
        session: ``required``: calls without the right session are refused (26, 27); ``to-read``: all but the cancel.
        deny: {method, or ``*``: sub-code}: calls refused with 11.
        ban: Seconds: every call is refused with 7 and told to wait so long.
        unknown_order: ``refused``: unknown orders answer success=false instead of 50.
        second_cancel: ``success``: a cancelled order says success again instead of success=false.
        busy: ``before`` or ``after``: a cancel answers 10, not done or done.
        answer: Form of a cancel's success: ``null-code``, ``zero-code``, ``text-success``, ``odd-code``, ``control``,
            ``other-order``, ``bare``.
        list_most: Rows a list gives at most (20).
        gzip: True: answers are compressed.
        skew: Seconds the gateway's clock is off.
    """

    credential: Mapping[str, str] = {
        "app_key": "99990001",
        "app_secret": "FAKE-secret-0001-not-real",
        "session": "FAKE6100session0000000000000000000",
    }
    options: Mapping[str, Any] = {
        "sign_method": "md5",
        "format": "json",
        "simplify": False,
        "detail": True,
        "list": True,
    }

    def respond(self, request: SandboxRequest, world: World) -> Reply:
        """Answer one call, refusals and faults in the gateway's own form where it has one."""
        if request.path.rstrip("/") != "/router/rest":
            return Reply(404, b"<html><body>404 Not Found</body></html>", {"content-type": "text/html"})
        params = _params(request)
        number = world.scratch["calls"] = int(world.scratch.get("calls", 0)) + 1
        handle = f"fake{number:09}"
        try:
            method = self._checked(request, params, world)
            inner = {**APIS[method](params, world), "request_id": handle}
            name = method.removeprefix("taobao.").replace(".", "_") + "_response"
        except Refusal as refusal:
            name, inner = _refused(refusal, handle)
        except Misbehave as fault:
            own = _own_form(fault.kind)
            if own is None:
                raise
            name, inner = _refused(own, handle)
        return _rendered(name, inner, params, packed=bool(world.switches.get("gzip")))

    def _checked(self, request: SandboxRequest, params: Mapping[str, str], world: World) -> str:
        """Return the method asked for, if the gateway lets the call in. Assumed: the order of the checks."""
        if request.method not in ("GET", "POST"):
            raise Refusal(9, "Http Action Not Allowed")
        method = params.get("method", "")
        if not method:
            raise Refusal(21, "Missing Method")
        if not params.get("app_key"):
            raise Refusal(28, "Missing App Key")
        if params["app_key"] != self.credential["app_key"]:
            raise Refusal(29, "Invalid app Key", "isv.appkey-not-exists")
        if not params.get("timestamp"):
            raise Refusal(30, "Missing Timestamp")
        at = _time(params["timestamp"])
        if at is None or abs(at - world.now()) > _TOLERANCE:
            raise Refusal(31, "Invalid Timestamp")
        if params.get("v") != "2.0":
            raise Refusal(33 if params.get("v") else 32, "Invalid Version" if params.get("v") else "Missing Version")
        if params.get("format", "xml") not in ("json", "xml"):
            raise Refusal(23, "Invalid Format")
        self._check_signature(params)
        if method not in APIS:
            raise Refusal(22, "Invalid Method")
        denied = world.switches.get("deny", {})
        if method in denied or "*" in denied:
            raise Refusal(11, "Insufficient ISV Permissions", denied.get(method) or denied["*"])
        wanted = world.switches.get("session")
        if wanted == "required" or (wanted == "to-read" and method != "taobao.pc.order.cancel"):
            if not params.get("session"):
                raise Refusal(26, "Missing Session")
            if params["session"] != self.credential["session"]:
                raise Refusal(27, "Invalid Session", "invalid-sessionkey")
        if seconds := world.switches.get("ban"):
            raise _banned(int(seconds))
        return method

    def _check_signature(self, params: Mapping[str, str]) -> None:
        given = params.get("sign", "")
        if not given:
            raise Refusal(24, "Missing Signature")
        received = {name: value for name, value in params.items() if name != "sign"}
        try:
            right = sign(received, self.credential["app_secret"], params.get("sign_method", ""))
        except ValueError:
            raise Refusal(25, "Invalid Signature") from None
        if not hmac.compare_digest(given.encode(), right.encode()):  # a lower-case signature is wrong there, too
            raise Refusal(25, "Invalid Signature")

    def seed(self, world: World, count: int) -> None:
        fill(world, count)

    def rows(self, world: World) -> Iterable[Mapping[str, str]]:
        return import_rows(world)

    def truth(self, document: Mapping[str, Any]) -> Status:
        return TRUTHS.get(str(document["state"]), Status.OPEN)


def _params(request: SandboxRequest) -> dict[str, str]:
    """Return query and form as one; of a name that stands twice the first counts, the query's before the form's."""
    pairs = parse_qsl(request.query, keep_blank_values=True)
    if request.headers.get("content-type", "").replace(" ", "").lower().startswith("application/x-www-form-urlencoded"):
        pairs += parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    return dict(reversed(pairs))


def _time(text: str) -> datetime | None:
    """Read the gateway's text form, or milliseconds since the epoch."""
    if text.isascii() and text.isdigit() and len(text) <= 14:
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    return time_of(text)


def _banned(seconds: int) -> Refusal:
    words = f"This ban will last for {seconds} more seconds"
    return Refusal(7, "App Call Limited", "accesscontrol.limited-by-app-access-count", words)


def _own_form(fault: str) -> Refusal | None:
    if fault == "limit":
        return _banned(1)
    if fault == "auth":
        return Refusal(27, "Invalid Session", "session-expired")
    return timed_out() if fault == "error" else None


def _refused(refusal: Refusal, handle: str) -> tuple[str, dict[str, Any]]:
    inner: dict[str, Any] = {"code": refusal.code, "msg": refusal.message}
    if refusal.sub_code:
        inner["sub_code"] = refusal.sub_code
    if refusal.sub_message or refusal.code == 7:
        inner["sub_msg"] = refusal.sub_message
    return "error_response", {**inner, "request_id": handle}


def _rendered(name: str, inner: dict[str, Any], params: Mapping[str, str], *, packed: bool) -> Reply:
    """Put an answer on the wire: XML unless JSON was asked for; slim JSON where wanted, but never of a refusal."""
    if params.get("format") != "json":
        text = '<?xml version="1.0" encoding="utf-8" ?>' + _xml(name, inner) + "<!--top011.fake-->"
        media = "text/xml;charset=UTF-8"
    else:
        slim = params.get("simplify") == "true"
        tree = inner if slim and name != "error_response" else {name: inner if slim else _wrapped(inner)}
        # A raw tab, where one is wanted: the real gateway does not always escape them.
        text, media = json.dumps(tree, ensure_ascii=False).replace("\\t", "\t"), "application/json;charset=UTF-8"
    if packed:
        return Reply(200, gzip.compress(text.encode()), {"content-type": media, "content-encoding": "gzip"})
    return Reply(200, text.encode(), {"content-type": media})


def _wrapped(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _wrapped(one, key) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        return {_ELEMENTS[name]: [_wrapped(one) for one in value]}
    return value


def _xml(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        inner = "".join(_xml(key, one) for key, one in value.items())
    elif isinstance(value, list):
        inner = "".join(_xml(_ELEMENTS[name], one) for one in value)
    elif isinstance(value, bool):
        inner = "true" if value else "false"
    else:
        inner = escape(str(value))
    return f"<{name}>{inner}</{name}>"


SANDBOX = TaobaoSandbox()
