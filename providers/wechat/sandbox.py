"""WeChat as we understand it: tokens, the express calls and a cloud function over a pretend world."""

import json
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from providers.contract import Status
from providers.wechat import seeding, tokenbook
from providers.wechat.backend import CALLS
from providers.wechat.tokenbook import Refused
from providers.world import Reply, SandboxRequest, World

_TRUTH = {"NEW": Status.OPEN, "MOVING": Status.SHIPPED, "SIGNED": Status.CLOSED, "CANCELLED": Status.CANCELLED}
_INVOKE = "/tcb/invokecloudfunction"
# What the gateway in front of a function says of its own accord; everything else is thrown inside the function.
_OUTSIDE = (45009, 45011, 48001)


class WechatSandbox:
    """The platform behind one mini program.

    Switches (all in ``world.switches``):
        token_life, token_grace: Seconds a token lives; seconds a superseded plain one lives on (300).
        token_call_code: A code every token call is refused with, such as 40164.
        api_code: A code calls are refused with once their token was found good; ``api_path`` (a part of the path)
            says which calls, ``api_times`` how often (counted down; left out: always).
        strict_escapes: ``False`` lets literal ``\\u`` pass; by default it is refused with 40033.
        answers: ``new`` (the courier's own result stands beside 0; default) or ``seed``.
        omit_errcode: ``False`` puts ``errcode`` 0 into every good answer; by default reads leave it out.
        hide_order_status: ``True`` shows only the slip and its data, as the older edition.
        slip_bytes: How much larger every printed slip is.
        no_cancel: Couriers that take no cancellations; default ``["STO"]``.
        cancel_code: A code every cancel is refused with, undone.
        second_cancel: The code for a cancelled waybill (9300524).
        minus_one: ``before`` or ``after``: cancels answer -1, not done or done.
        function_actions: What the cloud function knows; by default what the sample in docs/ knows.
        function_permission: ``False``: the function's config.json names no call (-604101).
        cloud_open: ``False``: cloud development is not opened (85088).
    """

    credential: Mapping[str, str] = {"appid": "wx5a9db0c0ffee1234", "secret": "0f4b5e7c9a1d3826sandbox9b8c7d6e5f"}
    options: Mapping[str, Any] = {
        "token": "stable",
        "route": "https",
        "env": "shop-4g8k2x1c",
        "function": "rescind",
        "invoke": "query",
    }

    def seed(self, world: World, count: int) -> None:
        """Fill an empty world; see :func:`providers.wechat.seeding.seed`."""
        seeding.seed(world, count)

    def rows(self, world: World) -> Iterable[Mapping[str, str]]:
        """Yield every order as a row of an import file."""
        return (seeding.row_of(document, self.truth(document)) for _, document in world.all())

    def truth(self, document: Mapping[str, Any]) -> Status:
        """Return what an order of the world really is."""
        return _TRUTH.get(str(document.get("state")), Status.UNKNOWN)

    def respond(self, request: SandboxRequest, world: World) -> Reply:
        """Answer one request; always HTTP 200, as WeChat does."""
        try:
            told = self._answer(request, world)
        except Refused as refused:
            told = {"errcode": refused.code, "errmsg": _with_handle(refused.words), **refused.more}
        return Reply.json(200, told)

    def _answer(self, request: SandboxRequest, world: World) -> dict[str, Any]:
        if request.path in ("/cgi-bin/token", "/cgi-bin/stable_token"):
            return self._token(request, world)
        if request.path != _INVOKE and request.path not in CALLS:
            raise Refused(40066, "invalid url")
        args = request.args()
        tokenbook.check(world, args.get("access_token", ""))
        method = "POST" if request.path == _INVOKE else CALLS[request.path][0]
        if request.method != method:
            raise Refused(43002 if method == "POST" else 43001, f"require {method} method")
        body = _body(request.body, world) if method == "POST" else {}
        _switched(request.path, world)
        if request.path == _INVOKE:
            return self._invoke(args, body, world)
        return CALLS[request.path][1](body, world)

    # -- tokens

    def _token(self, request: SandboxRequest, world: World) -> dict[str, Any]:
        stable = request.path == "/cgi-bin/stable_token"
        if request.method != ("POST" if stable else "GET"):
            raise Refused(43002 if stable else 43001, f"require {'POST' if stable else 'GET'} method")
        asked: Mapping[str, Any] = _body(request.body, world) if stable else request.args()
        if asked.get("grant_type") != "client_credential":
            raise Refused(40002, "invalid grant_type")
        if not asked.get("appid"):
            raise Refused(41002, "appid missing")
        if not asked.get("secret"):
            raise Refused(41004, "appsecret missing")
        if asked["appid"] != self.credential["appid"]:
            raise Refused(40013, "invalid appid")
        if asked["secret"] != self.credential["secret"]:
            raise Refused(40125, "invalid appsecret")
        if code := int(world.switches.get("token_call_code", 0)):
            raise Refused(code, "invalid ip 203.0.113.7, not in whitelist" if code == 40164 else "refused by a switch")
        if stable:
            return tokenbook.issue_stable(world, force=asked.get("force_refresh") is True)
        return tokenbook.issue_plain(world)

    # -- the cloud function

    def _invoke(self, args: Mapping[str, str], body: Mapping[str, Any], world: World) -> dict[str, Any]:
        env, name, event = args.get("env", ""), args.get("name", ""), body
        if "req_data" in body:
            env, name = str(body.get("env", "")), str(body.get("name", ""))
            event = _body(str(body["req_data"]).encode(), world)
        if not env or not name:
            raise Refused(40101, "missing parameter")
        if not world.switches.get("cloud_open", True):
            raise Refused(85088, "no cloud base")
        if (env, name) != (self.options["env"], self.options["function"]):
            raise Refused(-501000, "function not found")
        told = json.dumps(self._function(event, world), ensure_ascii=False)
        return {"errcode": 0, "errmsg": "ok", "resp_data": told}

    def _function(self, event: Mapping[str, Any], world: World) -> dict[str, Any]:
        """What the sample in docs/ does."""
        action = event.get("action")
        calls = {name: call for _, call, name in CALLS.values() if name}
        if action not in world.switches.get("function_actions", ("ping", *calls)):
            return {"errCode": -2, "errMsg": "unknown action"}
        if action == "ping":
            return {"errCode": 0, "errMsg": "ping:ok"}
        where = f"openapi.logistics.{action}"
        if not world.switches.get("function_permission", True):
            return {"errCode": -604101, "errMsg": f"{where}:fail function has no permission to call this API"}
        snake = {name.removesuffix("Id") + "_id" if name.endswith("Id") else name: one for name, one in event.items()}
        try:
            told = calls[str(action)](snake, world)
        except Refused as refused:
            if refused.code in _OUTSIDE:
                raise
            return {"errCode": refused.code, "errMsg": f"{where}:fail {_with_handle(refused.words)}", **refused.more}
        kept = {
            name: one for name, one in told.items() if name not in ("errcode", "errmsg", "print_html", "waybill_data")
        }
        return {"errCode": 0, "errMsg": f"{where}:ok", **_camel(kept)}


def _body(raw: bytes, world: World) -> dict[str, Any]:
    if not raw:
        raise Refused(44002, "empty post data")
    if b"\\u" in raw and world.switches.get("strict_escapes", True):
        raise Refused(40033, "invalid charset. please check your request, if include \\uxxxx will create fail!")
    try:
        value = json.loads(raw.decode("utf-8"))
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Refused(47001, "data format error")
    return value


def _switched(path: str, world: World) -> None:
    """Refuse a call that a switch says is to be refused."""
    switches = world.switches
    code, times = int(switches.get("api_code", 0)), switches.get("api_times")
    if not code or str(switches.get("api_path", "")) not in path or times == 0:
        return
    if times is not None:
        switches["api_times"] = int(times) - 1
    raise Refused(code, "refused by a switch")


def _with_handle(words: str) -> str:
    handle = uuid.uuid4().hex
    return f"{words} rid: {handle[:8]}-{handle[8:16]}-{handle[16:24]}"


def _camel(value: Any) -> Any:
    if isinstance(value, list):
        return [_camel(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {name[:1] + name.title().replace("_", "")[1:]: _camel(one) for name, one in value.items()}


SANDBOX = WechatSandbox()
