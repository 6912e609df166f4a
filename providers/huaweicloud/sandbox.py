"""Huawei Cloud's billing service as we understand it, answering from a pretend world."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from providers.contract import Status
from providers.huaweicloud.gate import date_of, keep_out, refusal, sign_in, throttled
from providers.huaweicloud.reading import STATUSES
from providers.huaweicloud.seeding import OURS, seed_orders
from providers.huaweicloud.selection import listed, matches, may_ask, page_of
from providers.world import Misbehave, Reply, SandboxRequest, World, refuses

ORDERS = "/v2/orders/customer-orders"


class HuaweiCloudSandbox:
    """The pretend platform: one customer account, its access key and its IAM user.

    Switches of the world, beside the common ones:
        ``lock`` (default true): more than five failures in a row lock the key or the user for five minutes.
        ``stale_token``: how a bad token is refused, ``0301`` (default), ``0307`` or ``text``.
        ``token_seconds``: how long a token is valid; a day by default.
        ``limit_shape``: ``gateway`` (default) or ``api``, the two bodies of a 429. ``throttle``: so many calls get one.
        ``unknown_order``: ``error`` (default, CBC.0100) or ``empty``, a 200 without the order.
        ``pays_first``: the order IDs whose customer pays just before the cancel arrives.
        ``part_filter`` (default true): the list, asked for a part's ID, answers with the combined order.
        ``denied``: ``view`` or ``update``, the permission that is lacking.
        ``api_denied``, ``ip_denied``: the gateway keeps this user, or this address, out.
        ``total``: what every list claims as its total. ``bare``: orders tell their ID and status only.

    A document holds ``info`` (as in ``order_info``), ``lines`` (its line items) and ``parent`` (of a part).
    """

    credential: Mapping[str, str] = {
        "access_key": "SANDBOXACCESSKEY0001",
        "secret_key": "sandbox-secret-key-that-opens-nothing-0001",
    }
    options: Mapping[str, Any] = {"auth": "aksk", "iam_url": "https://iam.myhuaweicloud.com"}
    # For a shop with auth=token; its iam_url is the sandbox's own address, the same as its base URL.
    token_credential: Mapping[str, str] = {
        "domain_name": "sandbox-account",
        "user_name": "sandbox-user",
        "password": "sandbox-Password-0001",
        "project_name": "",
    }
    _account: Mapping[str, str] = {**credential, **token_credential, "project_name": "ap-southeast-1"}

    def respond(self, request: SandboxRequest, world: World) -> Reply:
        """Answer one request as strictly as the platform would."""
        if (request.method, request.path) == ("POST", "/v3/auth/tokens"):
            return sign_in(request, world, self._account)
        if refused := keep_out(request, world, self._account):
            return refused
        try:
            return self._route(request, world)
        except Misbehave as fault:
            if fault.kind == "limit":
                return throttled(world)
            if fault.kind == "error":
                return refusal(world, 500, "CBC.0999", "Other errors.")
            if fault.kind == "auth":
                return refusal(world, 401, "APIGW.0301", "Incorrect IAM authentication information: decrypt token fail")
            raise

    def _route(self, request: SandboxRequest, world: World) -> Reply:
        if (request.method, request.path) == ("PUT", f"{ORDERS}/cancel"):
            return self._cancel(request, world)
        if (request.method, request.path) == ("GET", ORDERS):
            return self._list(request, world)
        order_id = request.path.removeprefix(f"{ORDERS}/details/")
        if request.method == "GET" and order_id != request.path and "/" not in order_id:
            return self._details(unquote(order_id), request, world)
        return refusal(world, 404, "APIGW.0101", "The API does not exist or has not been published.")

    def _cancel(self, request: SandboxRequest, world: World) -> Reply:
        try:
            body = json.loads(request.body)
        except ValueError:
            body = None
        order_id = body.get("order_id") if isinstance(body, dict) else None
        is_json = request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
        if not is_json or not isinstance(order_id, str) or not 0 < len(order_id) <= 64:
            return refusal(world, 400, "CBC.0100", "Parameter error.")
        document = world.get(order_id)
        if document is None:
            return refusal(world, 400, "CBC.0100", "Parameter error.")
        if document["info"]["customer_id"] != OURS:
            return refusal(world, 403, "CBC.0151", "Access denied.")
        if world.switches.get("denied") == "update":
            return _lacks(world, "bss:order:update")
        if document["parent"]:
            message = "Operation failed. Sub orders of a combine order cannot be processed independently."
            return refusal(world, 400, "CBC.99000089", message)
        if order_id in world.switches.get("pays_first", ()) and document["info"]["status"] == 6:
            document["info"] |= {"status": 3, "payment_time": _text(world.now())}
            world.put(order_id, document)
        if document["info"]["status"] != 6 or refuses(order_id):
            return refusal(world, 400, "CBC.99005010", "Orders in this state cannot be canceled.")
        with world.performing(order_id, order_id):
            self._take_effect(order_id, document, world)
        # The documented example carries these headers although there is no body.
        return Reply(204, b"", {"content-type": "application/json;charset=UTF-8", "date": date_of(world)})

    @staticmethod
    def _take_effect(order_id: str, document: dict[str, Any], world: World) -> None:
        document["info"]["status"] = 4
        for part in document["info"].get("sub_order_infos") or ():
            part["status"] = 4
            inner = world.get(part["order_id"])
            if inner:
                inner["info"]["status"] = 4
                world.put(part["order_id"], inner)
        world.put(order_id, document)

    def _details(self, order_id: str, request: SandboxRequest, world: World) -> Reply:
        page = page_of(request.args())
        document = world.get(order_id)
        if world.switches.get("denied") == "view":
            return _lacks(world, "billing:order:view")
        if page is None or (document is None and world.switches.get("unknown_order", "error") == "error"):
            return refusal(world, 400, "CBC.0100", "Parameter error.")
        if document is None:
            return _ok(world, {"total_count": 0, "order_info": None, "order_line_items": []})
        if document["info"]["customer_id"] != OURS:
            return refusal(world, 403, "CBC.0151", "Access denied.")
        limit, offset = page
        lines = document["lines"]
        value = {
            "total_count": len(lines),
            "order_info": _shown(document["info"], world),
            "order_line_items": lines[offset : offset + limit],
        }
        return _ok(world, value)

    def _list(self, request: SandboxRequest, world: World) -> Reply:
        if world.switches.get("denied") == "view":
            return _lacks(world, "billing:order:view")
        args = request.args()
        page = page_of(args)
        if page is None or not may_ask(args):
            return refusal(world, 400, "CBC.0100", "Parameter error.")
        found = [info for info in listed(world) if matches(info, args, bool(world.switches.get("part_filter", True)))]
        found.sort(
            key=lambda info: (info["create_time"], info["order_id"]), reverse=args.get("order_by") != "createTime"
        )
        limit, offset = page
        rows = [_shown(info, world) for info in found[offset : offset + limit]]
        return _ok(world, {"total_count": world.switches.get("total", len(found)), "order_infos": rows})

    def seed(self, world: World, count: int) -> None:
        """Fill an empty world with so many orders."""
        seed_orders(world, count)

    def rows(self, world: World) -> Iterable[Mapping[str, str]]:
        """Yield every order of the account as a row of an import file."""
        for order_id, document in world.all():
            info = document["info"]
            if info["customer_id"] == OURS:
                yield {
                    "order_id": order_id,
                    "order_number": order_id,
                    "placed_at": info["create_time"],
                    "status": self.truth(document).value,
                    "amount": str(info["amount_after_discount"]),
                    "currency": info["currency"],
                    "buyer_name": info["user_name"],
                    "buyer_email": "",
                    "buyer_phone": "",
                }

    def truth(self, document: Mapping[str, Any]) -> Status:
        """Return what an order really is."""
        number = document["info"]["status"]
        return STATUSES[number][1] if number in STATUSES else Status.UNKNOWN


def _ok(world: World, value: Any) -> Reply:
    return Reply.json(200, value, date=date_of(world))


def _lacks(world: World, permission: str) -> Reply:
    message = f"user access denied.checkCustomerPermission,correct permission code is {permission}"
    return refusal(world, 403, "CBC.0151", message)


def _shown(info: dict[str, Any], world: World) -> dict[str, Any]:
    if not world.switches.get("bare"):
        return info
    return {"order_id": info["order_id"], "status": info["status"], "currency": None, "amount_info": None}


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


SANDBOX = HuaweiCloudSandbox()
