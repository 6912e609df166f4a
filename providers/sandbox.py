"""Serves the pretend world over HTTP on loopback, each platform under its own first path segment.

python -m providers.sandbox --port 8765 --state FILE --orders 400
"""

import argparse
import json
import sqlite3
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from providers.registry import PROVIDERS
from providers.world import ODD_REPLIES, Misbehave, Reply, Respond, SandboxRequest, World

HANG_SECONDS = 60.0
DRIP_SECONDS = 0.3


@dataclass
class Sandboxes:
    """All pretend platforms of one process, by slug."""

    worlds: dict[str, World]
    respond: Mapping[str, Respond]

    def answer(self, slug: str, request: SandboxRequest) -> Reply:
        """Answer one request.

        Raises:
            Misbehave: The caller acts the fault out.
        """
        world = self.worlds[slug]
        with world.lock:
            delay = float(world.switches.get("latency", 0))
        if delay:
            time.sleep(delay)
        with world.lock:
            return self.respond[slug](request, world)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    sandboxes: Sandboxes

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        _, slug, rest = (parts.path + "/").split("/", 2)
        length = self.headers.get("content-length") or "0"
        if not length.isdecimal() or "transfer-encoding" in self.headers:
            self.close_connection = True
            return self._reply(Reply.json(411, {"message": "say how long the body is in content-length"}))
        body = self.rfile.read(int(length))
        if parts.path == "/":
            return self._reply(Reply.json(200, {"platforms": sorted(self.sandboxes.worlds)}))
        if slug == "control":
            return self._reply(self._control(rest.rstrip("/"), body))
        if slug not in self.sandboxes.worlds:
            return self._reply(Reply.json(404, {"message": "no such platform here"}))
        path = parts.path.removeprefix(f"/{slug}") or "/"
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            reply = self.sandboxes.answer(
                slug, SandboxRequest(self.command, f"/{slug}", path, parts.query, headers, body)
            )
        except Misbehave as fault:
            if fault.kind == "hang":
                self._hang()
            if fault.kind == "drip":
                self._drip()
            if fault.kind in ("hang", "drip", "drop"):
                self.close_connection = True
                return None
            reply = ODD_REPLIES[fault.kind]()
        return self._reply(reply)

    do_GET = do_POST = do_PUT = _serve

    def _hang(self) -> None:
        """Say nothing until the caller gives up."""
        self.connection.settimeout(HANG_SECONDS)
        try:
            self.connection.recv(1)
        except OSError:
            pass

    def _drip(self) -> None:
        """Say a byte now and then, and never the last one, until the caller gives up."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4096\r\n\r\n")
        ends = time.monotonic() + HANG_SECONDS
        while time.monotonic() < ends:
            self.wfile.write(b" ")
            time.sleep(DRIP_SECONDS)

    def _reply(self, reply: Reply) -> None:
        if "date" in reply.headers:  # the pretend platform's own clock, not this machine's
            self.send_response_only(reply.status)
        else:
            self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def _control(self, slug: str, body: bytes) -> Reply:
        """Plan faults and turn switches from outside; also gives back the ledger.

        Body: ``{"plan": {key: [kinds]}, "switches": {name: value}}``.
        """
        world = self.sandboxes.worlds.get(slug)
        if world is None:
            return Reply.json(404, {"message": "no such platform here"})
        with world.lock:
            try:
                wanted = json.loads(body or b"{}")
                for key, kinds in wanted.get("plan", {}).items():
                    world.plan(key, *kinds)
                world.switches.update(wanted.get("switches", {}))
            except (ValueError, TypeError, AttributeError) as error:
                return Reply.json(400, {"message": f"cannot be understood: {error}"})
            return Reply.json(200, {"ledger": world.ledger(), "switches": world.switches})

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: addresses may hold tokens."""


class SandboxServer(ThreadingHTTPServer):
    """All pretend platforms on one loopback port."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], sandboxes: Sandboxes) -> None:
        super().__init__(address, type("Handler", (_Handler,), {"sandboxes": sandboxes}))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hung up is not worth a traceback; anything else is."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def sandboxes(path: str = ":memory:") -> Sandboxes:
    """Make the worlds of every registered platform over one database file."""
    return Sandboxes(
        {slug: World(slug, path) for slug in PROVIDERS},
        {slug: provider.sandbox.respond for slug, provider in PROVIDERS.items()},
    )


def main() -> None:
    """Serve the sandbox until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m providers.sandbox", description=main.__doc__)
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--state", default=":memory:", metavar="FILE", help="keep the pretend world in this file")
    parser.add_argument("--orders", type=int, default=0, help="fill empty worlds with so many orders each")
    args = parser.parse_args()
    try:
        known = sandboxes(args.state)
    except sqlite3.Error as error:
        raise SystemExit(f"The sandbox cannot keep its state in {args.state}: {error}.") from error
    for slug, world in known.worlds.items():
        if args.orders and not world.count():
            PROVIDERS[slug].sandbox.seed(world, args.orders)
    try:
        server = SandboxServer(("127.0.0.1", args.port), known)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        raise SystemExit(f"The sandbox cannot listen on 127.0.0.1:{args.port}: {why}.") from error
    print(f"Sandbox: http://127.0.0.1:{server.server_address[1]}/", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
