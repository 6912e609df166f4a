"""Measures how many pages of results a second the web gives to so many browsers at once: alone, and beside a bulk.

python -m tests.benchmarks.load --orders 100000 --seconds 20 --browsers 8 --bulk 10000

PostgreSQL and Redis on loopback are needed. Two web workers, as the README says, and a platform that takes 0.1 s. The
browsers are a process of this machine and take their part of its cores, as do database and broker. Ends with 1 when a
goal is missed, for whole pages: 100 a second and p99 of 0.15 s alone, 50 a second beside a bulk.
"""

# ruff: noqa: T201 - a measurement is printed

import argparse
import http.client
import itertools
import threading
import time
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.benchmarks.engine import seconds_of
from tests.benchmarks.running import Desk, desk, machine

RATE, P99, RATE_BESIDE = 100, 0.15, 50
SHOPS, WARM_SECONDS = 50, 3


def main() -> int:
    """Fill, load, print; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.load", description=__doc__.split("\n")[0])
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=20, help="of each measurement")
    parser.add_argument("--browsers", type=int, default=8)
    parser.add_argument("--bulk", type=int, default=10_000)
    args = parser.parse_args()
    with desk(web_workers=2) as running:
        from django.utils import timezone

        from cancellations.orders.models import Pull
        from cancellations.shops.models import Shop
        from tests.benchmarks.bulks import handed_in, started
        from tests.benchmarks.filling import fill
        from tests.benchmarks.queueing import Queue, session_of

        fill(args.orders, SHOPS)
        queue = Queue(running.platform, 3, "bulk")
        bulk = [order.number for order in queue.orders(args.bulk)]
        Pull.objects.bulk_create(Pull(shop=shop, finished_at=timezone.now()) for shop in Shop.objects.all())
        cookie = {"Cookie": f"session={session_of(queue.by)}"}
        load = Load(running, targets(args.orders), cookie, args.browsers, args.seconds)
        print(f"{args.orders:,} orders, {args.browsers} browsers, {machine()}")
        load.run(WARM_SECONDS)
        missed = load.tell("whole pages", RATE, P99)
        load.tell("fragments", 0, 0, fragment=True)
        running.start_worker()
        batch = started(queue, handed_in(queue, bulk))
        missed |= load.tell(f"whole pages beside {args.bulk:,} rows", RATE_BESIDE, 0)
        batch.refresh_from_db()
        assert batch.state == "running", f"the bulk is {batch.state}"
    return int(missed)


def targets(orders: int) -> list[str]:
    """Return addresses of searches that people make, a different order in each round."""
    from tests.benchmarks.filling import COMMON, number_of

    found = []
    for at in range(1, 40):
        nth = orders * at // 40 or 1
        found += [{}, {"q": number_of(nth)}, {"status": "open"}, {"q": f"SF{nth:012}"}, {"shop": f"shop-{at}"},
                  {"q": COMMON}, {"platform": "wechat"}, {"q": number_of(nth)[:10]}]  # fmt: skip
    return [f"/orders/?{urlencode(one)}" for one in found]


class Load:
    """Browsers that ask for one page after the other, each over a connection it keeps."""

    def __init__(self, running: Desk, addresses: list[str], cookie: dict[str, str], browsers: int, seconds: float):
        self.host = urlsplit(running.web).netloc
        self.pid = running.pid("web")
        self.addresses, self.cookie, self.browsers, self.seconds = addresses, cookie, browsers, seconds

    def tell(self, name: str, rate: float, p99: float, *, fragment: bool = False) -> bool:
        """Measure and print a line; return whether a goal is missed (0: there is none)."""
        busy, own = _busy(self.pid), time.process_time()
        times, seconds = self.run(self.seconds, fragment=fragment)
        busy, own = _busy(self.pid) - busy, time.process_time() - own
        seen, last = len(times) / seconds, quantiles(times, n=100)[-1]
        goals = [f"{rate} a second"] * bool(rate) + [f"p99 {p99 * 1000:.0f} ms"] * bool(p99)
        print(f"{name:34}{seen:>6.0f} a second, p50 {median(times) * 1000:.0f} ms, p99 {last * 1000:.0f} ms; "
              f"web {busy / seconds:.2f} cores, browsers {own / seconds:.2f}"
              + (f"; goal {', '.join(goals)}" if goals else ""), flush=True)  # fmt: skip
        return seen < rate or bool(p99 and last > p99)

    def run(self, seconds: float, *, fragment: bool = False) -> tuple[list[float], float]:
        """Load for so long; return what each page took, and how long it was in all."""
        begun, times, failed = time.perf_counter(), list[float](), list[Any]()
        threads = [
            threading.Thread(target=self._browse, args=[at, begun + seconds, fragment, times, failed])
            for at in range(self.browsers)
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert not failed, failed[0]
        return times, time.perf_counter() - begun

    def _browse(self, number: int, ends: float, fragment: bool, times: list[float], failed: list[Any]) -> None:
        headers = {**self.cookie, "Accept-Encoding": "gzip", **({"HX-Request": "true"} if fragment else {})}
        first = number * len(self.addresses) // self.browsers
        conversation = http.client.HTTPConnection(self.host, timeout=60)
        for address in itertools.islice(itertools.cycle(self.addresses), first, None):
            if (begun := time.perf_counter()) > ends or failed:
                break
            try:
                conversation.request("GET", address, headers=headers)
                answer = conversation.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as error:
                failed.append(error)
                break
            if answer.status != 200:
                failed.append((address, answer.status))
            times.append(time.perf_counter() - begun)
        conversation.close()


def _busy(pid: int) -> float:
    with open(f"/proc/{pid}/task/{pid}/children") as listed:
        children = listed.read().split()
    return seconds_of(pid) + sum(map(_busy, map(int, children)))


if __name__ == "__main__":
    raise SystemExit(main())
