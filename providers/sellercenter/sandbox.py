"""The pretend Seller Center: lets a call in as strictly as the platform would, and answers it."""

import hmac
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from providers.contract import Status
from providers.sellercenter.auth import sign
from providers.sellercenter.operations import ACTIONS, REASONS, TEXTS, VERBS, ZONE, Refused, read_moment
from providers.sellercenter.rendering import write_error, write_success
from providers.sellercenter.seeding import seed
from providers.world import Misbehave, Reply, SandboxRequest, World

_TWO = frozenset({"GetOrders", "GetOrder"})  # the actions that know a second version
_MANDATORY = ("Action", "Timestamp", "UserID", "Version", "Signature")
_OWN_FORMS = {"limit": 429, "auth": 7, "error": 1000}


class SellerCenterSandbox:
    """One pretend seller at one pretend operator.

    Switches: ``tolerance`` (seconds, 300) and ``skew``; ``cancel_scope`` (item | package); ``second_cancel``
    (refused | success); ``success_body`` (empty | items); ``error_status`` (HTTP status of refusals, 200);
    ``rate_limited``; ``insecure``; ``role`` (order | read | none); ``foreign`` (list of ids of orders that are another
    seller's, answered with code 9); ``reasons`` (list of names); ``reason_parameter`` (Reason | ReasonId);
    ``json_lists`` (nested | flat); ``unknown_actions`` (list, answered with code 8); ``next_code`` (the next call that
    is let in gets this code, once).

    Assumed, as nowhere documented: the order of the checks, the status of errors, code 5 for a doubled parameter, a
    wrong verb or an unknown format, and code 28 for every state that forbids a cancel.
    """

    def __init__(self) -> None:
        self.credential: Mapping[str, str] = {
            "user_id": "desk@seller.example.test",
            "api_key": "SANDBOX-b1f6c0de5e11e7ce47e7a0f00d",
        }
        self.options: Mapping[str, Any] = {
            "format": "json",
            "user_agent": "SC0001/Python/3.11/PROPIA/FACL",
            "reasons": list(REASONS),
            "reason_parameter": "Reason",
            "version": "1.0",
        }

    def respond(self, request: SandboxRequest, world: World) -> Reply:
        """Answer one request: the query alone counts, whatever the body says."""
        if request.path not in ("", "/"):
            return Reply(404, b"<html><body>Not Found</body></html>", {"content-type": "text/html"})
        pairs = parse_qsl(request.query, keep_blank_values=True)
        params = dict(pairs)
        style = "JSON" if params.get("Format") == "JSON" else "XML"
        action = params.get("Action", "")
        try:
            self._let_in(request, params, len(pairs), world)
            body, total = ACTIONS[action](params, world)
        except Refused as refusal:
            return self._refusal(world, action, refusal.code, refusal.message, style)
        except Misbehave as fault:
            code = _OWN_FORMS.get(fault.kind)
            if code is None:
                raise
            return self._refusal(world, action, code, TEXTS[code], style)
        flat = world.switches.get("json_lists") == "flat"
        at = world.now().astimezone(ZONE).replace(microsecond=0).isoformat()
        return write_success(action, at, body, style=style, flat=flat, total=total)

    def seed(self, world: World, count: int) -> None:
        """Fill an empty world."""
        seed(world, count)

    def rows(self, world: World) -> Iterator[Mapping[str, str]]:
        """Yield every order as a row of an import file."""
        for key, order in world.all():
            address = order["AddressBilling"]
            yield {
                "order_id": key,
                "order_number": order["OrderNumber"],
                "placed_at": order["CreatedAt"],
                "status": str(self.truth(order)),
                "amount": order["GrandTotal"],
                "currency": order["Items"][0]["Currency"],
                "buyer_name": f"{order['CustomerFirstName']} {order['CustomerLastName']}",
                "buyer_email": address["CustomerEmail"],
                "buyer_phone": address["Phone"],
            }

    def truth(self, document: Mapping[str, Any]) -> Status:
        """Return what an order or one of its items really is."""
        found = {one["Status"] for one in document.get("Items", [document])}
        for words, status in (
            ({"pending", "ready_to_ship"}, Status.OPEN),
            ({"shipped"}, Status.SHIPPED),
            ({"delivered", "returned"}, Status.CLOSED),
            ({"canceled"}, Status.CANCELLED),
        ):
            if found & words:
                return status
        return Status.UNKNOWN

    def _refusal(self, world: World, action: str, code: int, message: str, style: str) -> Reply:
        return write_error(action, code, message, style=style, status=int(world.switches.get("error_status", 200)))

    def _let_in(self, request: SandboxRequest, params: Mapping[str, str], given: int, world: World) -> None:
        """Make the checks every call goes through, in the platform's order."""
        switches, action = world.switches, params.get("Action", "")
        if switches.get("insecure"):
            raise Refused(10)
        for name in _MANDATORY:
            if not params.get(name):
                raise Refused(1, f"Parameter {name} is mandatory")
        if given != len(params):
            raise Refused(5, "Invalid Request Format")
        if params["Version"] != "1.0" and not (params["Version"] == "2.0" and action in _TWO):
            raise Refused(2, "Invalid Version")
        at = read_moment(params["Timestamp"], 4, "Invalid Timestamp format")
        if abs((world.now() - at).total_seconds()) > float(switches.get("tolerance", 300)):
            raise Refused(3)
        expected = sign(params, self.credential["api_key"])
        if params["UserID"] != self.credential["user_id"] or not hmac.compare_digest(
            expected.encode(), params["Signature"].encode("utf-8", "replace")
        ):
            raise Refused(7)
        if action not in ACTIONS or action in switches.get("unknown_actions", ()):
            raise Refused(8, "Invalid Action")
        role = switches.get("role", "order")
        if role != "order" and not (role == "read" and VERBS[action] == "GET"):
            raise Refused(9)
        if params.get("Format", "XML") not in ("JSON", "XML") or request.method != VERBS[action]:
            raise Refused(5, "Invalid Request Format")
        if switches.get("rate_limited"):
            raise Refused(429)
        code = switches.pop("next_code", None)
        if code is not None:
            raise Refused(int(code))


SANDBOX = SellerCenterSandbox()
