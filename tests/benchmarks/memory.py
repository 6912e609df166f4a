"""Measures whether memory stays flat: the web's over many pages and a long export, a worker's over many sends.

python -m tests.benchmarks.memory --sends 50000 --pages 10000 --events 1000000

PostgreSQL and Redis on loopback are needed. The desk as the README runs it, one web worker. Each is warm before it
counts, and looked at as it goes on; what is told is the furthest it went from where it was. Ends with 1 when a goal is
missed: 30 MB for the worker, 20 MB for the pages, 30 MB for the export.
"""

# ruff: noqa: T201 - a measurement is printed

import argparse
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from typing import Any

import httpx

from tests.benchmarks.engine import memory_of
from tests.benchmarks.running import Desk, desk, form_token, machine

MB = 1e6
WORKER_GOAL, WEB_GOAL, EXPORT_GOAL = 30, 20, 30
WARM_SENDS, WARM_PAGES, WARM_EVENTS = 3_000, 500, 20_000
BROWSERS, LOOKS, WATCHED_ROWS = 4, 10, 10_000
LOOK_SECONDS = 0.5


def main() -> int:
    """Send, look at pages, export, print; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.memory", description=__doc__.split("\n")[0])
    parser.add_argument("--sends", type=int, default=50_000)
    parser.add_argument("--pages", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=1_000_000, help="rows of the export")
    args = parser.parse_args()
    with desk(latency=0) as running:
        from tests.benchmarks.queueing import Queue

        queue = Queue(running.platform, 3)
        print(f"{machine()}\n{'':34}{'warm':>10}{'furthest':>12}{'at the end':>13}{'goal':>10}", flush=True)
        missed = _worker(running, queue, args.sends)
        missed |= _pages(running, queue, args.pages)
        missed |= _export(running, queue, args.events)
    print("missed" if missed else "met")
    return int(missed)


def _worker(running: Desk, queue: Any, sends: int) -> bool:
    running.start_worker()
    pid = running.pid("worker")
    queue.run(min(sends, WARM_SENDS), seconds=300)
    before, seen, begun = memory_of(pid), [], time.monotonic()
    for _look in range(LOOKS):
        queue.run(sends // LOOKS, seconds=1800)
        seen.append(memory_of(pid))
    rate = sends / (time.monotonic() - begun)
    return _tell(f"worker, {sends:,} sends, {rate:.0f}/s", before, seen, WORKER_GOAL)


def _pages(running: Desk, queue: Any, pages: int) -> bool:
    """Have some browsers load pages of every kind, at once."""
    addresses = _addresses(queue)
    pid = running.pid("web")
    _load(running, queue, addresses, WARM_PAGES)
    before, seen, begun = memory_of(pid), [], time.monotonic()
    for _look in range(LOOKS):
        _load(running, queue, addresses, pages // LOOKS)
        seen.append(memory_of(pid))
    rate = pages / (time.monotonic() - begun)
    return _tell(f"web, {pages:,} pages, {rate:.0f}/s", before, seen, WEB_GOAL)


def _addresses(queue: Any) -> list[tuple[str, bool]]:
    """Return addresses, and whether each is asked for as a fragment."""
    from cancellations.orders.models import Order
    from cancellations.requests.models import CancellationRequest

    bulk = _bulk(queue)
    orders = Order.objects.order_by("-pk").values_list("pk", "number")[:200]
    requests = CancellationRequest.objects.order_by("-pk").values_list("pk", flat=True)[:200]
    kinds: list[list[tuple[str, bool]]] = [
        [("/orders/", False), ("/orders/?status=open", True), ("/orders/?shop=shop-1", False)],
        [(f"/orders/?q={number}", at % 2 == 0) for at, (_pk, number) in enumerate(orders)],
        [(f"/orders/{pk}/", False) for pk, _number in orders],
        [("/cancellations/", False), ("/cancellations/?tab=review", False)],
        [(f"/cancellations/{pk}/", False) for pk in requests],
        [("/audit/", False), ("/audit/?shop=shop-1", True), ("/audit/?person=worker", False)],
        [(f"/bulk/{bulk}/progress/", True), (f"/bulk/{bulk}/", False)],
    ]
    rounds = max(map(len, kinds))
    return [one for together in zip(*(islice(cycle(kind), rounds) for kind in kinds), strict=True) for one in together]


def _bulk(queue: Any) -> int:
    """Make a bulk that waits; return its key."""
    from django.utils import timezone

    from cancellations.batches.models import Batch, BatchRow

    now = timezone.now()
    batch = Batch.objects.create(
        submission=uuid.uuid4(), source="text", requested_by=queue.by, requested_at=now, reason=queue.reason,
        state="paused", state_since=now, started_at=now, plan_total=WATCHED_ROWS, paused_why="person", paused_at=now,
    )  # fmt: skip
    BatchRow.objects.bulk_create(
        (BatchRow(batch=batch, place=at, line=at, given=str(at), shop=queue.shops[at % 3], verdict="ready", waits=True)
         for at in range(1, WATCHED_ROWS + 1)),
        batch_size=1000,
    )  # fmt: skip
    return int(batch.pk)


def _load(running: Desk, queue: Any, addresses: Sequence[tuple[str, bool]], pages: int) -> None:
    left, lock, done = islice(cycle(addresses), pages), threading.Lock(), list[int]()

    def browse(browser: httpx.Client) -> None:
        while True:
            with lock:
                address, fragment = next(left, ("", False))
            if not address:
                browser.close()
                return
            answer = browser.get(address, headers=_headers(fragment))
            assert answer.status_code == 200, (address, answer.status_code)
            done.append(len(answer.content))

    threads = [threading.Thread(target=browse, args=[running.browser(queue.by)]) for _one in range(BROWSERS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(done) == pages, f"{len(done)} of {pages} pages came"


def _headers(fragment: bool) -> dict[str, str]:
    return {"HX-Request": "true"} if fragment else {}


def _export(running: Desk, queue: Any, events: int) -> bool:
    from django.db import connection

    from tests.benchmarks.history import FILL

    with connection.cursor() as cursor:
        cursor.execute(FILL, {"first": 0, "total": events})
        cursor.execute("ANALYZE")
    pid, browser, missed = running.pid("web"), running.browser(queue.by), False
    for shape in ("csv", "jsonl"):
        _download(browser, shape, WARM_EVENTS, lambda: None)
        before, seen, begun = memory_of(pid), [], time.monotonic()
        lines = _download(browser, shape, 0, lambda seen=seen: seen.append(memory_of(pid)))
        rate = lines / (time.monotonic() - begun)
        assert lines >= events, lines
        missed |= _tell(f"export, {lines:,} lines {shape}, {rate:.0f}/s", before, seen, EXPORT_GOAL)
    return missed


def _download(browser: httpx.Client, shape: str, most: int, look: Callable[[], None]) -> int:
    """Fetch the record, or its first lines, looking now and then; return how many lines there were."""
    lines, at = 0, 0.0
    headers = {"Referer": str(browser.base_url), "Accept-Encoding": "identity"}
    with browser.stream("POST", f"/audit/export/{shape}/", data=form_token(browser), headers=headers) as answer:
        assert answer.status_code == 200, answer.status_code
        for piece in answer.iter_bytes():
            lines += piece.count(b"\n")
            if most and lines >= most:
                break
            if time.monotonic() > at + LOOK_SECONDS:
                look()
                at = time.monotonic()
    look()
    return lines


def _tell(name: str, before: int, seen: list[int], goal: int) -> bool:
    """Print a line; return whether it went further than allowed."""
    furthest = max(seen, key=lambda one: abs(one - before)) - before
    row = f"{name:34}{before / MB:>7.0f} MB{furthest / MB:>+9.1f} MB{(seen[-1] - before) / MB:>+10.1f} MB{goal:>7} MB"
    print(row, flush=True)
    return abs(furthest) > goal * MB


if __name__ == "__main__":
    raise SystemExit(main())
