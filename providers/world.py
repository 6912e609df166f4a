"""The pretend world: the five platforms as we understand them, keeping state and misbehaving when told to.

In process, :class:`SandboxTransport` takes the place of the network; ``sandbox.py`` serves the same over HTTP.

A platform's ``sandbox.py`` answers one request at a time (the world's lock is held) and calls
:meth:`World.performing` around the moment a cancel takes effect, so that every fault can strike before or after it.

How an order is told to misbehave: a ``fault`` planned with :meth:`World.plan` (or the control address), or a word at
the end of its number, for everyone to try: ``…-REJECT``, ``…-TIMEOUT``, ``…-DROP``, ``…-GARBAGE``.
"""

import gzip
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import httpx

Respond = Callable[["SandboxRequest", "World"], "Reply"]

# What each fault looks like on the wire. "-after" is added for one that strikes once the cancel has taken effect.
FAULTS = (
    "hang", "drip", "drop", "error", "html", "garbage", "truncated", "empty", "huge", "bomb", "redirect", "limit",
    "auth",
)  # fmt: skip
_JSON = {"content-type": "application/json"}
_NUMBER_WORDS = {"TIMEOUT": "hang-after", "HANG": "hang", "DROP": "drop-after", "GARBAGE": "garbage-after"}


@dataclass(frozen=True)
class SandboxRequest:
    """One request as it stood on the wire.

    Attributes:
        prefix: What stands before the platform's own path (the server's first segment), or "".
        path: The platform's own path, still percent-encoded, as sent.
        query: Raw text after ``?``.
        headers: Names in lower case.
    """

    method: str
    prefix: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    def args(self) -> dict[str, str]:
        """The query's parameters; of repeated ones the last."""
        return dict(parse_qsl(self.query, keep_blank_values=True))


@dataclass(frozen=True)
class Reply:
    """An answer: bytes as they go on the wire."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, status: int, value: Any, **headers: str) -> "Reply":
        """Make a JSON answer; header names with ``_`` for ``-``."""
        more = {name.replace("_", "-"): one for name, one in headers.items()}
        body = json.dumps(value, ensure_ascii=False).encode()
        return cls(status, body, {"content-type": "application/json; charset=utf-8", **more})


class Misbehave(Exception):
    """A planned fault strikes; the transport or server acts it out, or the platform gives its own form of it."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class World:
    """One platform's orders, ledger and switches, kept in SQLite so that a restart forgets nothing.

    Attributes:
        switches: Named modes of a platform's sandbox (``cancel_scope``, ``success_body`` …), settable from outside.
        scratch: Tokens, counters and the like; gone with the process.
    """

    def __init__(self, slug: str, path: str = ":memory:", now: Callable[[], datetime] | None = None) -> None:
        self.slug = slug
        self.lock = threading.RLock()
        self.switches: dict[str, Any] = {}
        self.scratch: dict[str, Any] = {}
        self._now = now or (lambda: datetime.now(UTC))
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(
            """CREATE TABLE IF NOT EXISTS orders (slug TEXT, key TEXT, document TEXT, PRIMARY KEY (slug, key));
            CREATE TABLE IF NOT EXISTS faults (slug TEXT, key TEXT, kind TEXT, id INTEGER PRIMARY KEY);
            CREATE TABLE IF NOT EXISTS ledger (id INTEGER PRIMARY KEY, slug TEXT, key TEXT, event TEXT, at TEXT);"""
        )

    def now(self) -> datetime:
        """The platform's own clock, aware UTC; ``switches["skew"]`` puts it off by so many seconds."""
        return self._now() + timedelta(seconds=float(self.switches.get("skew", 0)))

    # -- orders

    def get(self, key: str) -> dict[str, Any] | None:
        row = self._db.execute("SELECT document FROM orders WHERE slug=? AND key=?", (self.slug, key)).fetchone()
        return json.loads(row[0]) if row else None

    def put(self, key: str, document: Mapping[str, Any]) -> None:
        self._db.execute(
            "INSERT INTO orders VALUES (?,?,?) ON CONFLICT DO UPDATE SET document=excluded.document",
            (self.slug, key, json.dumps(document, ensure_ascii=False)),
        )

    def put_all(self, rows: Iterator[tuple[str, Mapping[str, Any]]]) -> None:
        """Put many in one transaction: all or none."""
        self._db.execute("BEGIN")
        try:
            for key, document in rows:
                self.put(key, document)
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def all(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield (key, document) in order of key."""
        rows = self._db.execute("SELECT key, document FROM orders WHERE slug=? ORDER BY key", (self.slug,)).fetchall()
        for key, document in rows:
            yield key, json.loads(document)

    def count(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM orders WHERE slug=?", (self.slug,)).fetchone()[0])

    # -- the ledger of what was called and what took effect

    def record(self, key: str, event: str) -> None:
        """Note an event: ``called`` (a cancel was received and let in) or ``performed`` (it took effect)."""
        self._db.execute(
            "INSERT INTO ledger (slug, key, event, at) VALUES (?,?,?,?)",
            (self.slug, key, event, self.now().isoformat()),
        )

    def ledger(self) -> list[tuple[str, str, str]]:
        """Return (key, event, ISO time), oldest first."""
        return self._db.execute("SELECT key, event, at FROM ledger WHERE slug=? ORDER BY id", (self.slug,)).fetchall()

    # -- misbehaviour

    def plan(self, key: str, *kinds: str) -> None:
        """Let the next cancels of this unit meet these faults, one each; see :data:`FAULTS`.

        Raises:
            ValueError: There is no such fault.
        """
        for kind in kinds:
            if kind.removesuffix("-after") not in FAULTS:
                raise ValueError(f"there is no fault called {kind!r}; there are {', '.join(FAULTS)}, also with -after")
        self._db.executemany(
            "INSERT INTO faults (slug, key, kind) VALUES (?,?,?)", [(self.slug, key, k) for k in kinds]
        )

    def _next_fault(self, key: str, number: str) -> str:
        row = self._db.execute(
            "SELECT id, kind FROM faults WHERE slug=? AND key=? ORDER BY id LIMIT 1", (self.slug, key)
        ).fetchone()
        if row:
            self._db.execute("DELETE FROM faults WHERE id=?", (row[0],))
            return str(row[1])
        return _NUMBER_WORDS.get(number.rpartition("-")[2], "")

    @contextmanager
    def performing(self, key: str, number: str = "") -> Iterator[None]:
        """Surround the lines that make a cancel take effect.

        Args:
            key: The unit: an order's key, or an item's where the platform cancels items.
            number: The order's number; a word at its end plans a fault.

        Raises:
            Misbehave: Before the body or after it, as planned. ``limit`` and ``auth`` always strike before.
        """
        fault = self._next_fault(key, number)
        self.record(key, "called")
        kind = fault.removesuffix("-after")
        after = fault.endswith("-after") and kind not in ("limit", "auth")
        if kind and not after:
            raise Misbehave(kind)
        yield
        self.record(key, "performed")
        if after:
            raise Misbehave(kind)


def refuses(number: str) -> bool:
    """Tell whether an order's number says that its cancel is to be refused."""
    return number.endswith("-REJECT")


# Made when a fault strikes: every program of the desk loads this module, and a bomb takes a while to pack.
ODD_REPLIES: Mapping[str, Callable[[], Reply]] = {
    "error": lambda: Reply(500, b'{"message": "internal error"}', _JSON),
    "html": lambda: Reply(502, b"<html><body><h1>502 Bad Gateway</h1></body></html>", {"content-type": "text/html"}),
    "garbage": lambda: Reply(200, b'\x8b\xff{"ok": tru', _JSON),
    "truncated": lambda: Reply(200, b'{"result": {"succ', _JSON),
    "empty": lambda: Reply(200, b"", _JSON),
    "huge": lambda: Reply(200, b'"' + b"x" * (2 * 1024 * 1024) + b'"', _JSON),
    "bomb": lambda: Reply(200, gzip.compress(bytes(16 * 1024 * 1024)), {**_JSON, "content-encoding": "gzip"}),
    "redirect": lambda: Reply(302, b"", {"location": "https://elsewhere.invalid/"}),
    "limit": lambda: Reply(429, b"", {"retry-after": "1"}),
    "auth": lambda: Reply(401, b"", {}),
}


class SandboxTransport(httpx.BaseTransport):
    """The in-process way to one pretend platform, for tests."""

    def __init__(self, world: World, respond: Respond) -> None:
        self.world, self._respond = world, respond

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        target = request.url.raw_path.decode("ascii")
        path, _, query = target.partition("?")
        headers = {name.lower(): value for name, value in request.headers.items()}
        seen = SandboxRequest(request.method, "", path, query, headers, request.read())
        try:
            with self.world.lock:
                reply = self._respond(seen, self.world)
        except Misbehave as fault:
            if fault.kind in ("hang", "drip"):
                raise httpx.ReadTimeout("the sandbox hangs", request=request) from None
            if fault.kind == "drop":
                raise httpx.RemoteProtocolError("the sandbox hung up", request=request) from None
            reply = ODD_REPLIES[fault.kind]()
        return httpx.Response(
            reply.status, headers=dict(reply.headers), stream=httpx.ByteStream(reply.body), request=request
        )
