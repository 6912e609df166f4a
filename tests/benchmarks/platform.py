"""A platform that takes its time: cancels whatever it is asked to, and answers so many seconds later.

python -m tests.benchmarks.platform PORT SECONDS

It speaks one of the platforms' languages only as far as a successful cancel and a reading of it go, and it checks
nothing: what is measured is the desk. ``GET /count`` tells how many cancels came, ``GET /when/ORDER`` when the
cancel of one did, as a reading of the machine's monotonic clock.
"""

import asyncio
import json
import re
import sys
import time

CANCEL, DETAILS = b"PUT /v2/orders/customer-orders/cancel", b"GET /v2/orders/customer-orders/details/"

WHEN, ORDER = b"GET /when/", re.compile(rb'"order_id": ?"(\w+)"')


class Platform:
    """Counts what it is asked and answers later."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.cancels = seconds, 0
        self.came: dict[str, float] = {}

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection until it ends."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(
                    (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
                )
                body = await reader.readexactly(length)
                if order := ORDER.search(body):
                    self.came[order[1].decode()] = time.monotonic()
                writer.write(await self.answer(head))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def answer(self, head: bytes) -> bytes:
        """Return the whole answer to one request."""
        if head.startswith(b"GET /count"):
            return _answer(200, {"cancels": self.cancels})
        if head.startswith(WHEN):
            return _answer(200, {"at": self.came.get(head[len(WHEN) :].split()[0].decode())})
        await asyncio.sleep(self.seconds)
        if head.startswith(CANCEL):
            self.cancels += 1
            return b"HTTP/1.1 204 No Content\r\n\r\n"
        order = head[len(DETAILS) :].split(b"?")[0].decode()
        return _answer(200, {"order_info": {"order_id": order, "status": 4}, "order_line_items": [], "total_count": 0})


def _answer(status: int, body: dict[str, object]) -> bytes:
    text = json.dumps(body).encode()
    kind = b"Content-Type: application/json;charset=UTF-8"
    return b"HTTP/1.1 %d OK\r\n%s\r\nContent-Length: %d\r\n\r\n%s" % (status, kind, len(text), text)


async def serve(port: int, seconds: float) -> None:
    """Listen on loopback until ended."""
    server = await asyncio.start_server(Platform(seconds).talk, "127.0.0.1", port, backlog=1000)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
