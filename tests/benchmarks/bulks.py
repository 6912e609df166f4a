"""Measures a large bulk from outside: how soon its file is accepted, its messages, and what a look at it costs.

python -m tests.benchmarks.bulks --rows 10000 --rounds 5

PostgreSQL and Redis on loopback are needed; the broker's messages are counted as Redis tells them (MONITOR). Ends with
1 when a goal is missed: 2 s for the file, a message for a hundred rows, 3 queries beside who asks and 10 ms for a look.
"""

# ruff: noqa: T201 - a measurement is printed

import argparse
import html
import http.client
import re
import threading
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from statistics import median, quantiles
from typing import Any

import httpx
import redis

from tests.benchmarks.clicks import POLL
from tests.benchmarks.running import BROKER, desk, form_token, machine

ACCEPTED, ROWS_A_MESSAGE, QUERIES, LOOK = 2.0, 100, 3, 0.010
WHO = 2  # the session, and the person it belongs to
LOOKS, APART = 20, 1.1  # what is counted is shared for a second
TASK = re.compile(r'"task": "([\w.]+)"')


def main() -> int:
    """Hand in, start, look, count; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bulks", description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5, help="how often the file is handed in")
    args = parser.parse_args()
    with desk(latency=0.05) as running:
        from cancellations.batches import decisions
        from tests.benchmarks.queueing import Queue

        queue = Queue(running.platform, 3)
        orders = queue.orders(args.rows)
        browser = running.browser(queue.by)
        print(machine())
        file = ("order,shop\n" + "".join(f"{one.number},{one.shop.name}\n" for one in orders)).encode()
        missed = _accepted(browser, queue, file, args)
        with Messages() as messages:
            running.start_worker()
            batch = handed_in(queue, [one.number for one in orders])
            planned = time.perf_counter()
            started(queue, batch)
            print(f"planned and started {time.perf_counter() - planned:.1f} s after")
            _looks(browser, batch, "while it runs", LOOKS // 4)
            _wait(batch, lambda: _ended(batch) > args.rows / 3)
            decisions.pause(batch, by=queue.by)
            time.sleep(3)
            _analyze()
            missed |= _looks(browser, batch, "nothing else under way", LOOKS, LOOK)
            missed |= _queries(queue, batch)
            decisions.resume(batch, by=queue.by)
            _wait(batch, lambda: batch.state == "done")
        missed |= messages.tell(args.rows)
    return int(missed)


def handed_in(queue: Any, numbers: Sequence[str]) -> Any:
    """Hand numbers in, past the page; return the batch."""
    from cancellations.batches import handing_in

    return handing_in.hand_in(
        by=queue.by, reason=queue.reason, note="measured", submission=uuid.uuid4(), text="\n".join(numbers)
    )


def started(queue: Any, batch: Any) -> Any:
    """Start a batch once a worker has planned it."""
    from cancellations.batches import decisions

    _wait(batch, lambda: batch.state == "planned")
    decisions.start(batch, by=queue.by, typed=str(batch.plan_total))
    return batch


def _wait(batch: Any, is_so: Any, seconds: float = 600) -> None:
    ends = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends, f"the bulk is {batch.state}"
        time.sleep(0.2)
        batch.refresh_from_db()


def _ended(batch: Any) -> int:
    from cancellations.requests.models import CancellationRequest

    return CancellationRequest.objects.filter(batch=batch.pk, state="succeeded").count()


def _accepted(browser: httpx.Client, queue: Any, file: bytes, args: argparse.Namespace) -> bool:
    """Hand the file in on the page, so often, while no worker takes it; these plans are dropped."""
    from cancellations.batches import decisions
    from cancellations.batches.models import Batch

    took = []
    for _round in range(args.rounds):
        fields = {"reason": "other", "note": "measured", "submission": str(uuid.uuid4()), **form_token(browser)}
        begun = time.perf_counter()
        answer = browser.post("/bulk/new/", data=fields, files={"file": ("bulk.csv", file, "text/csv")},
                              headers={"Referer": str(browser.base_url)})  # fmt: skip
        took.append(time.perf_counter() - begun)
        assert answer.status_code == 303, (answer.status_code, answer.text[-500:])
    for batch in Batch.objects.all():
        decisions.discard(batch, by=queue.by)
    print(f"a file of {args.rows:,} lines, {len(file) / 1000:.0f} kB: accepted after {median(took):.2f} s, "
          f"at worst {max(took):.2f} s; goal {ACCEPTED:g} s")  # fmt: skip
    return max(took) > ACCEPTED


def _looks(browser: httpx.Client, batch: Any, when: str, looks: int, goal: float = 0) -> bool:
    """Ask how far it is, as its page does, seldom enough that it is counted anew each time.

    Over one bare connection, as browsers keep one: httpx takes as long over a question as the desk over its answer.
    """
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    headers = {"HX-Request": "true", "Cookie": cookie}
    conversation = http.client.HTTPConnection(browser.base_url.host, browser.base_url.port or 80, timeout=60)

    def asked(address: str) -> tuple[int, str]:
        conversation.request("GET", address, headers=headers)
        answer = conversation.getresponse()
        return answer.status, answer.read().decode()

    found = POLL.search(browser.get(f"/bulk/{batch.pk}/").text)
    address = html.unescape(found[1]) if found else f"/bulk/{batch.pk}/progress/"
    took, silent = [], 0
    for _look in range(looks):
        time.sleep(APART)
        begun = time.perf_counter()
        status, text = asked(address)
        took.append(time.perf_counter() - begun)
        silent += status == 204
        if found := POLL.search(text):
            address = html.unescape(found[1])
    conversation.close()
    p95 = quantiles(took, n=20)[-1]
    said = f"; goal {goal * 1000:.0f} ms" if goal else ""
    print(f"a look, {when}: {median(took) * 1000:.1f} ms, p95 {p95 * 1000:.1f} ms; {silent} of {looks} silent{said}",
          flush=True)  # fmt: skip
    return bool(goal) and median(took) > goal


def _analyze() -> None:
    """Let the database know what it holds, as it finds out by itself within minutes: this bulk runs in seconds."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _queries(queue: Any, batch: Any) -> bool:
    """Count the queries of a look that shows what there is, and of one that is silent."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from cancellations.batches.page import state_of

    browser = Client(SERVER_NAME="127.0.0.1", headers={"HX-Request": "true"})
    browser.force_login(queue.by)
    address, counts = f"/bulk/{batch.pk}/progress/", []
    batch.refresh_from_db()
    for query in ({}, {"moment": state_of(batch, queue.by)["moment"]}):
        time.sleep(APART)
        with CaptureQueriesContext(connection) as seen:
            answer = browser.get(address, query)
        assert answer.status_code == (204 if query else 200), answer.status_code
        counts.append(len(seen))
    print(f"queries of a look: {counts[0]}, of a silent one {counts[1]}, {WHO} of them about who asks; "
          f"goal {QUERIES} besides these")  # fmt: skip
    return counts[1] > QUERIES + WHO


class Messages:
    """Counts what is published to the broker's database meanwhile, by task."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._over = threading.Event()
        self._redis = redis.Redis.from_url(BROKER)
        self._thread = threading.Thread(target=self._listen)

    def __enter__(self) -> "Messages":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._redis.ping()  # something to hear
        self._thread.join()

    def _listen(self) -> None:
        number = int(BROKER.rpartition("/")[2])
        with redis.Redis.from_url(BROKER, socket_timeout=None).monitor() as monitor:
            for one in monitor.listen():
                if self._over.is_set():
                    return
                said = one["command"]
                if one["db"] == number and said.startswith("LPUSH") and (task := TASK.search(said.replace("\\", ""))):
                    self.counts[task[1]] += 1

    def tell(self, rows: int) -> bool:
        """Print them; return whether they are too many. What beat rings for by the clock is named, not judged."""
        from django.conf import settings

        by_clock = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
        judged = sum(count for task, count in self.counts.items() if task not in by_clock)
        told = ", ".join(f"{task.removeprefix('cancellations.')} {count}" for task, count in self.counts.most_common())
        print(f"{judged} messages for {rows:,} rows, goal {rows // ROWS_A_MESSAGE}; of all: {told}")
        return judged > rows / ROWS_A_MESSAGE


if __name__ == "__main__":
    raise SystemExit(main())
