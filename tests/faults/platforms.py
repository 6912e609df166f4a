"""The pretend platforms as a server whose ledger forgets nothing, and which may perform a cancel long after the call.

``python -m tests.faults.platforms --port N --state FILE --orders N``. On top of the sandbox's own ledger (``called``,
``performed``) it notes by its own clock: ``again`` (a cancel of what is cancelled already), ``fault <kind>`` (which
one struck). ``POST /control/<slug>`` also takes ``{"late": {key: seconds}, "forget": true, "spare": true}``.

The later a cancel may take effect, the longer the desk must wait before it believes an order that reads open; so here,
where all times are short, a cancel that a swamped machine kept waiting for longer than that is dropped, not performed.
"""

import argparse
import json
import re
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote

from providers.registry import PROVIDERS
from providers.sandbox import Sandboxes, SandboxServer, _Handler
from providers.world import Misbehave, Reply, SandboxRequest, World
from tests.faults.field import LATE_SECONDS

_came = threading.local()


class LedgerWorld(World):
    """A world whose ledger also knows which fault struck; its times are this machine's, however skewed the world is."""

    def __init__(self, slug: str, path: str) -> None:
        super().__init__(slug, path)
        self._db.execute("PRAGMA synchronous=OFF")  # it is never killed, and a disk that is busy must not hold it up
        self.late: dict[str, float] = {}
        self.is_late = False
        self._known: dict[str, dict[str, Any]] = {}

    def put(self, key: str, document: Mapping[str, Any]) -> None:
        """Put one order."""
        super().put(key, document)
        self._known.pop(key, None)

    def all(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield (key, document) in order of key; read once, for a list of thousands is asked for all the time."""
        rows = self._db.execute("SELECT key FROM orders WHERE slug=? ORDER BY key", (self.slug,)).fetchall()
        if not self._known:
            self._known = dict(super().all())
        for (key,) in rows:
            if key not in self._known:
                self._known[key] = self.get(key) or {}
            yield key, self._known[key]

    def record(self, key: str, event: str) -> None:
        """Note an event, with the machine's own time."""
        if not (self.is_late and event == "called"):
            self._db.execute(
                "INSERT INTO ledger (slug, key, event, at) VALUES (?,?,?,?)",
                (self.slug, key, event, datetime.now(UTC).isoformat()),
            )

    def spare(self) -> None:
        """Take back the planned faults that pause a whole shop, so that what is left gets done."""
        self._db.execute("DELETE FROM faults WHERE slug=? AND kind IN ('limit', 'auth')", (self.slug,))

    def _next_fault(self, key: str, number: str) -> str:
        fault = super()._next_fault(key, number) if time.monotonic() < _came.at + LATE_SECONDS else "drop"
        if fault:
            self.record(key, f"fault {fault}")
        return fault


def cancelled_unit(slug: str, request: SandboxRequest) -> str:
    """Return the key of the unit a request wants cancelled, or "" when it is another kind of request."""
    query, body = parse_qs(request.query), request.body.decode("utf-8", "replace")
    form = {**parse_qs(body), **query}
    if slug == "huaweicloud" and request.path.endswith("/cancel"):
        return _text(body, "order_id")
    if slug == "shoplazza" and (found := re.search(r"/orders/([^/]+)/cancel", request.path)):
        return unquote(found[1])
    if slug == "wechat" and request.path.endswith("/order/cancel"):
        return _text(body, "order_id")
    if slug == "sellercenter" and form.get("Action", [""])[0] == "SetStatusToCanceled":
        return form.get("OrderItemId", [""])[0]
    if slug == "taobao" and form.get("method", [""])[0] == "taobao.pc.order.cancel":
        return _text(form.get("param", ["{}"])[0], "biz_order_id")
    return ""


def _text(body: str, name: str) -> str:
    try:
        return str(json.loads(body).get(name, ""))
    except ValueError:
        return ""


class Ledgered(Sandboxes):
    """Notes every cancel that came in, whatever the platform makes of it."""

    def answer(self, slug: str, request: SandboxRequest) -> Reply:
        """Answer one request; a cancel that is to be late is dropped now and done then."""
        _came.at = time.monotonic()
        unit = cancelled_unit(slug, request)
        world = self.worlds[slug]
        if not unit or not isinstance(world, LedgerWorld):
            return super().answer(slug, request)
        with world.lock:
            seconds = world.late.pop(unit, None)
            if _is_cancelled(world, unit):
                world.record(unit, "again")
            elif seconds is not None:
                world.record(unit, "called")
                world.record(unit, "fault late")
        if seconds is None:
            return super().answer(slug, request)
        threading.Timer(seconds, self._perform_late, (slug, request)).start()
        raise Misbehave("drop")

    def _perform_late(self, slug: str, request: SandboxRequest) -> None:
        world = self.worlds[slug]
        assert isinstance(world, LedgerWorld)
        _came.at = time.monotonic()
        with world.lock:
            skew, world.switches["skew"], world.is_late = world.switches.get("skew", 0), 0, True
            try:
                self.respond[slug](request, world)
            except Misbehave:
                pass
            finally:
                world.is_late, world.switches["skew"] = False, skew


def _is_cancelled(world: World, unit: str) -> bool:
    row = world._db.execute(
        "SELECT 1 FROM ledger WHERE slug=? AND key=? AND event='performed'", (world.slug, unit)
    ).fetchone()
    return row is not None


class _Controlled(_Handler):
    def _control(self, slug: str, body: bytes) -> Reply:
        world = self.sandboxes.worlds.get(slug)
        wanted: dict[str, Any] = json.loads(body or b"{}")
        if isinstance(world, LedgerWorld):
            with world.lock:
                world.late.update(wanted.pop("late", {}))
                if wanted.pop("forget", False):  # every token handed out so far
                    known = world.scratch.get("orders_by_item", {})
                    world.scratch.clear()
                    world.scratch["orders_by_item"] = known
                if wanted.pop("spare", False):
                    world.spare()
                for key, kinds in wanted.get("plan", {}).items():
                    world.plan(key, *kinds)
                world.switches.update(wanted.get("switches", {}))
        return Reply.json(200, {})


class _Server(SandboxServer):
    def __init__(self, address: tuple[str, int], sandboxes: Sandboxes) -> None:
        super(SandboxServer, self).__init__(address, type("Handler", (_Controlled,), {"sandboxes": sandboxes}))


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", required=True)
    parser.add_argument("--orders", type=int, required=True)
    args = parser.parse_args()
    made = Ledgered(
        {slug: LedgerWorld(slug, args.state) for slug in PROVIDERS},
        {slug: provider.sandbox.respond for slug, provider in PROVIDERS.items()},
    )
    for slug, world in made.worlds.items():
        if not world.count():
            PROVIDERS[slug].sandbox.seed(world, args.orders)
    with sqlite3.connect(args.state) as state:
        state.execute("CREATE INDEX IF NOT EXISTS ledger_key ON ledger (slug, key, event)")
    server = _Server(("127.0.0.1", args.port), made)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
