"""Shoplazza as we understand it: one store's Order API over a pretend world."""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from providers.contract import Status
from providers.shoplazza import seeding
from providers.shoplazza.auth import TOKEN_HEADER
from providers.shoplazza.selecting import Malformed, ids_of, newest_first, paged, selected
from providers.world import Misbehave, Reply, SandboxRequest, World, refuses

NOT_FOUND = "Unable to find resource"
VERSIONS = frozenset({"2020-01", "2020-07", "2022-01", "2025-06", "2026-01", "2026-07"})
_TRUTH = {"cancelled": Status.CANCELLED, "finished": Status.CLOSED}
_GONE = frozenset({"shipped", "partially_finished", "finished", "returning", "partially_returned", "returned"})


class ShoplazzaSandbox:
    """The platform behind one private app's token.

    Switches (all in ``world.switches``):
        unauthorized_status: Status for a bad token: 400 (the seed, default), 401.
        scopes: Scopes of the token; default ``["read_order", "write_order"]``.
        active: ``False`` makes the store inactive: 400 for everything.
        error_shape: ``errors`` (a list, default), ``error`` (a text), ``later`` (``code`` and ``message``).
        envelope: ``order`` (default), ``bare``, ``data`` (``code`` and ``data``), ``ok``; of every 200.
        canceled_at: ``True`` sets the time on a cancel; by default it stays null.
        second_cancel: 406 (default), or 200 with the order as it is.
        shown_status: A word shown as every order's status, known or not.
        hidden_fields: Names of fields left out of every order.
        list_count: ``True`` adds ``count`` to lists.
        ignore_page: ``True`` always gives the first page, as a version with cursors would.
        insert_between_pages: ``True`` adds a new order on top after each list.
        cancel_status: A status every cancel is refused with, untouched.
        buckets: The speed of both rate buckets (1 as documented); 0, the default, has none.
        retry_after: Text of that header on 429; ``None`` leaves it out; default ``"1"``.
    """

    credential: Mapping[str, str] = {"access_token": "sandbox-4rT9wQx2LmZk7Vb8-shoplazza"}
    options: Mapping[str, Any] = {"api_version": "2022-01"}

    def seed(self, world: World, count: int) -> None:
        """Fill an empty world; see :func:`providers.shoplazza.seeding.seed`."""
        seeding.seed(world, count)

    def rows(self, world: World) -> Iterable[Mapping[str, str]]:
        """Yield every order as a row of an import file."""
        return (seeding.row_of(document, self.truth(document)) for _, document in world.all())

    def truth(self, document: Mapping[str, Any]) -> Status:
        """Return what an order of the world really is."""
        if document["status"] in ("opened", "placed"):
            return Status.SHIPPED if document["fulfillment_status"] in _GONE else Status.OPEN
        return _TRUTH.get(document["status"], Status.UNKNOWN)

    def respond(self, request: SandboxRequest, world: World) -> Reply:
        """Answer one request; what is odd about it is found in the order a real server would."""
        handle = f"req-{world.scratch.setdefault('requests', 0) + 1:08d}"
        world.scratch["requests"] += 1
        reply = self._answer(request, world)
        return Reply(reply.status, reply.body, {**reply.headers, "request-id": handle})

    def _answer(self, request: SandboxRequest, world: World) -> Reply:
        steps = request.path.split("/")[1:]
        if len(steps) < 3 or steps[0] != "openapi" or steps[1] not in VERSIONS or steps[2] != "orders":
            return _refuse(world, 404, "page not found")
        rest = [unquote(one) for one in steps[3:]]
        if request.headers.get(TOKEN_HEADER) != self.credential["access_token"]:
            return _refuse(world, int(world.switches.get("unauthorized_status", 400)), "Unauthorized")
        if not world.switches.get("active", True):
            return _refuse(world, 400, "store is not active")
        if not seeding.drip(world):
            return _limited(world)
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return _refuse(world, 400, "Bad Request")
        cancels = request.method == "POST" and len(rest) == 2 and rest[1] == "cancel" and rest[0] != ""
        if ("write_order" if cancels else "read_order") not in world.switches.get("scopes", seeding.SCOPES):
            return _refuse(world, 403, "Permission denied")
        if cancels:
            return self._cancel(rest[0], request.body, world)
        if request.method != "GET":
            return _refuse(world, 404 if "" in rest else 405, "Method Not Allowed")
        return self._read(rest, request.args(), world)

    # -- reading

    def _read(self, rest: list[str], args: Mapping[str, str], world: World) -> Reply:
        if not rest:
            return self._list(args, world)
        if rest == ["count"]:
            try:
                return _wrapped(world, {"count": len(selected(world, args))})
            except Malformed:
                return Reply.json(400, {})
        order = world.get(rest[0]) if len(rest) == 1 else None
        if len(rest) == 2 and rest[0] == "number":
            order = next((one for _, one in world.all() if one["number"] == rest[1]), None)
        return _refuse(world, 404, NOT_FOUND) if order is None else _one(world, order)

    def _list(self, args: Mapping[str, str], world: World) -> Reply:
        try:
            found = newest_first(selected(world, args, ids_of(args)))
            page = paged(found, args if not world.switches.get("ignore_page") else {**args, "page": "1"})
        except Malformed as error:
            return _refuse(world, 422, str(error))
        body: dict[str, Any] = {"orders": [_shown(world, one) for one in page]}
        if world.switches.get("list_count"):
            body |= {"count": len(found), "next_token": ""}
        if world.switches.get("insert_between_pages"):
            seeding.insert(world)
        return _wrapped(world, body)

    # -- cancelling

    def _cancel(self, order_id: str, body: bytes, world: World) -> Reply:
        try:
            asked = json.loads(body)
        except ValueError:
            return _refuse(world, 400, "invalid character in request body")
        if not isinstance(asked, dict) or not isinstance(asked.get("reason", ""), str):
            return _refuse(world, 400, "Bad Request")
        order = world.get(order_id)
        if order is None:
            return _refuse(world, 404, NOT_FOUND)
        if status := int(world.switches.get("cancel_status", 0)):
            return _refuse(world, status, "Bad Request" if status == 400 else "refused by a switch")
        if order["status"] == "cancelled" and world.switches.get("second_cancel") == 200:
            return _one(world, order)
        if self.truth(order) is not Status.OPEN or refuses(order["number"]):
            return _refuse(world, 406, "order status does not allow this action")
        try:
            with world.performing(order_id, order["number"]):
                now = seeding.iso(world.now())
                order |= {"status": "cancelled", "cancel_reason": asked.get("reason", ""), "updated_at": now}
                if world.switches.get("canceled_at"):
                    order["canceled_at"] = now
                world.put(order_id, order)
        except Misbehave as fault:
            if fault.kind == "limit":
                return _limited(world)
            if fault.kind == "error":
                return _refuse(world, 500, "StatusInternalServerError: DeadlineExceeded")
            if fault.kind == "auth":
                return _refuse(world, 401, "Unauthorized")
            raise
        return _one(world, order)


def _refuse(world: World, status: int, text: str) -> Reply:
    shape = world.switches.get("error_shape", "errors")
    if shape == "later":
        return Reply.json(status, {"code": "Failed", "message": text})
    return Reply.json(
        status, {"error": text} if shape == "error" or text == "store is not active" else {"errors": [text]}
    )


def _limited(world: World) -> Reply:
    wait = world.switches.get("retry_after", "1")
    reply = _refuse(world, 429, "Too Many Requests")
    return reply if wait is None else Reply(429, reply.body, {**reply.headers, "retry-after": str(wait)})


def _shown(world: World, order: Mapping[str, Any]) -> dict[str, Any]:
    hidden = world.switches.get("hidden_fields", ())
    shown = {key: value for key, value in order.items() if key not in hidden}
    if word := world.switches.get("shown_status"):
        shown["status"] = word
    return shown


def _one(world: World, order: Mapping[str, Any]) -> Reply:
    shown = _shown(world, order)
    bare = world.switches.get("envelope") == "bare"
    return _wrapped(world, shown if bare else {"order": shown})


def _wrapped(world: World, body: Mapping[str, Any]) -> Reply:
    envelope = world.switches.get("envelope")
    if envelope == "data":
        return Reply.json(200, {"code": "Success", "message": "", "data": body})
    if envelope == "ok":
        return Reply.json(200, {"ok": True, "data": body})
    return Reply.json(200, body)


SANDBOX = ShoplazzaSandbox()
