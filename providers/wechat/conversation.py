"""The two ways to WeChat's express calls: straight, or through a cloud function that makes them for us.

Both speak the same language to the client: keys as the HTTPS calls spell them, one :class:`Said` per answer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote

from providers.errors import AuthFailed, Cause
from providers.wechat import advice
from providers.wechat.auth import Tokens
from providers.wechat.errors import STALE, Speaker, judge, raise_for
from providers.wechat.notation import Said, camel, said_by_function, said_in, write_json
from providers.wire import Answer, Wire, undocumented


@dataclass(frozen=True)
class Call:
    """One express call: its path, what a cloud function is asked for, and whether it is fetched with GET."""

    path: str
    action: str
    get: bool = False


CANCEL = Call("/cgi-bin/express/business/order/cancel", "cancelOrder")
GET_ORDER = Call("/cgi-bin/express/business/order/get", "getOrder")
BATCH_GET = Call("/cgi-bin/express/business/order/batchget", "batchGetOrder")
GET_PATH = Call("/cgi-bin/express/business/path/get", "getPath")
COURIERS = Call("/cgi-bin/express/business/delivery/getall", "getAllDelivery", get=True)
ACCOUNTS = Call("/cgi-bin/express/business/account/getall", "ping", get=True)
_INVOKE = "/tcb/invokecloudfunction"


class Way(Protocol):
    """How a call gets there."""

    def ask(self, call: Call, body: Mapping[str, Any], *, write: bool = False) -> tuple[Said, Answer]:
        """Make a call and return what was said, its code 0, with the answer it stood in; else raise."""


@dataclass(frozen=True)
class Door:
    """Sends with the account's token, and once more with a fresh one where the token was definitely refused."""

    wire: Wire
    tokens: Tokens
    now: Callable[[], datetime]

    def send(self, method: str, path: str, query: str = "", content: bytes = b"", *, write: bool = False) -> Answer:
        """Return the answer, whatever it says.

        Raises:
            AuthFailed, RateLimited, Unreachable: There is no token, so nothing else was done.
            OutcomeUnknown: See :meth:`providers.wire.Wire.write`.
        """
        token = self.tokens.current()
        answer = self._once(token, method, path, query, content, write)
        if not _refuses_token(answer):
            return answer
        token = self.tokens.renewed(token)
        answer = self._once(token, method, path, query, content, write)
        if _refuses_token(answer):
            self.tokens.condemn(token)
        return answer

    def _once(self, token: str, method: str, path: str, query: str, content: bytes, write: bool) -> Answer:
        url = f"{path}?access_token={quote(token, safe='')}{query}"
        headers = {"Content-Type": "application/json"} if content else {}
        send = self.wire.write if write else self.wire.read
        return send(method, url, headers=headers, content=content)


def _refuses_token(answer: Answer) -> bool:
    said = said_in(answer)
    return said is not None and said.code in STALE


@dataclass(frozen=True)
class Straight:
    """The express calls themselves."""

    door: Door

    def ask(self, call: Call, body: Mapping[str, Any], *, write: bool = False) -> tuple[Said, Answer]:
        if call.get:
            answer = self.door.send("GET", call.path)
        else:
            answer = self.door.send("POST", call.path, content=write_json(body), write=write)
        clean = self.door.wire.redactor.text
        return raise_for(answer, Speaker.EXPRESS, now=self.door.now(), clean=clean), answer


@dataclass(frozen=True)
class ThroughFunction:
    """A cloud function of the shop's own; what it is asked and answers is told in docs/wechat-cloud-function.

    Source: "invokeCloudFunction"; seed 001, Cloud Call.

    Attributes:
        in_body: The newer form: environment, name and the event (as text) stand in the body.
    """

    door: Door
    env: str
    function: str
    in_body: bool = False

    def ask(self, call: Call, body: Mapping[str, Any], *, write: bool = False) -> tuple[Said, Answer]:
        if not self.env or not self.function:
            raise AuthFailed("no-function", "", advice=advice.NO_FUNCTION, cause=Cause.SETTINGS)
        event = write_json({"action": call.action, **camel(body)})
        query, content = f"&env={quote(self.env, safe='')}&name={quote(self.function, safe='')}", event
        if self.in_body:
            query, content = "", write_json({"env": self.env, "name": self.function, "req_data": event.decode()})
        answer = self.door.send("POST", _INVOKE, query, content, write=write)
        now, clean = self.door.now(), self.door.wire.redactor.text
        outer = raise_for(answer, Speaker.CLOUD, now=now, clean=clean)
        inner = said_by_function(outer, strict=write)
        if inner is not None and _answers_other(inner, call):
            raise undocumented(answer, "other-call", clean(inner.message), inner.request_id)
        return judge(answer, inner, Speaker.FUNCTION, now=now, clean=clean), answer


def _answers_other(inner: Said, call: Call) -> bool:
    """Tell whether a function speaks of a call it was not asked for, as one that ignores the action would, or says
    both 0 and that it failed.
    """
    if not inner.message.startswith("openapi."):
        return False
    name, _, words = inner.message.removeprefix("openapi.logistics.").partition(":")
    return name != call.action or (inner.code == 0 and not words.startswith("ok"))
