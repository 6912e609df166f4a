"""Measures how many queued cancellations a worker brings to their final states, beside bare httpx in the same run.

python -m tests.benchmarks.engine --rows 2000 --seconds 0.1 --threads 32 --workers 1 --shops 1 --rounds 3

PostgreSQL and Redis on loopback are needed (a database and Redis numbers 11 and 12 of its own). Claims, evidence and
history are part of what is measured; asking is not (rows are written straight into the queue), nor is the confirming
reading, which comes 15 s later.
"""

# ruff: noqa: T201 - Django is set up between the imports; a measurement is printed

import argparse
import contextlib
import os
import ssl
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import httpx
import psycopg

from config.demo import environment
from config.family import Family
from tests.stack import free_port

POSTGRES = "postgres://postgres@127.0.0.1:5432"
BROKER, CACHE = "redis://127.0.0.1:6379/11", "redis://127.0.0.1:6379/12"
# Of the bare rate where the platform takes its time; where it does not, so many a second on two cores.
GOAL, GOAL_AT_ONCE, SOON = 0.8, 400, 0.05
MOST_BARE = 3000


def main() -> int:
    """Prepare, measure in alternating rounds, print; 1 when the goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.engine", description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=0.1, help="how long the platform takes for an answer")
    parser.add_argument("--threads", type=int, default=32)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--shops", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, _database() as url:
        folder, port = Path(name), free_port()
        env = environment(folder, free_port(), port) | {
            "DATABASE_URL": url, "BROKER_URL": BROKER, "CACHE_URL": CACHE, "DATABASE_POOL": str(args.threads + 8),
        }  # fmt: skip
        os.environ.update(env)
        family = Family(env, folder)
        try:
            family.run("migrate", "manage", "migrate", "--verbosity", "0")
            family.start("platform", "tests.benchmarks.platform", str(port), str(args.seconds))
            family.wait_for("platform", f"http://127.0.0.1:{port}/count")
            for number in range(args.workers):
                family.start(f"worker{number}", "celery", "-A", "config", "worker", "-P", "threads", "-c",
                             str(args.threads), "-l", "WARNING", "--without-gossip", "--without-mingle",
                             "-n", f"bench{number}@bench")  # fmt: skip
            return measure(args, family, f"http://127.0.0.1:{port}")
        finally:
            family.end()


def measure(args: argparse.Namespace, family: Family, platform: str) -> int:
    """Alternate bare rounds and rounds of the desk, and print a line for each and the medians."""
    import django

    django.setup()
    from tests.benchmarks.queueing import Queue  # knows models, which need the environment above

    queue = Queue(platform, args.shops)
    queue.run(10 * args.threads * args.workers, seconds=300)  # connections, caches and byte code are warm after this
    print(f"{args.rows} rows, {args.shops} shops, {args.workers} × {args.threads} threads, {args.seconds} s latency")
    print(f"{'round':8}{'bare':>10}{'desk':>10}{'ratio':>8}{'worker, memory':>17}{'CPU a row':>13}")
    ratios, rates = [], []
    workers = [child.pid for name, child in family.children.items() if name.startswith("worker")]
    for number in range(args.rounds):
        calls = min(args.rows, MOST_BARE)
        bare = calls / bare_calls(platform, calls, args.threads * args.workers)
        queue.bare += calls
        busy = sum(map(seconds_of, workers))
        desk = args.rows / queue.run(args.rows)
        busy = sum(map(seconds_of, workers)) - busy
        ratios.append(desk / bare)
        rates.append(desk)
        memory = max(map(memory_of, workers)) / 1e6
        row = f"{number + 1:<8}{bare:>8.0f}/s{desk:>8.0f}/s{desk / bare:>8.2f}{memory:>14.0f} MB"
        print(f"{row}{busy / args.rows * 1000:>10.2f} ms", flush=True)
    assert queue.asked == queue.cancels(), f"{queue.asked} asked, {queue.cancels()} cancelled at the platform"
    ratio, rate = median(ratios), median(rates)
    met = rate >= GOAL_AT_ONCE if args.seconds < SOON else ratio >= GOAL
    goal = f"{GOAL_AT_ONCE} a second" if args.seconds < SOON else f"ratio {GOAL}"
    print(f"median {rate:.0f}/s, ratio {ratio:.2f}; goal at {args.seconds} s: {goal}, {'met' if met else 'missed'}")
    return int(not met)


def bare_calls(platform: str, calls: int, threads: int) -> float:
    """Make so many calls with plain clients, one per thread and ready before, and return the seconds it took."""
    left = iter(range(calls))
    lock = threading.Lock()
    tls = ssl.create_default_context()

    def work(client: httpx.Client) -> None:
        with client:
            while True:
                with lock:
                    number = next(left, None)
                if number is None:
                    return
                body = b'{"order_id": "BARE%d"}' % number
                answer = client.put(f"{platform}/v2/orders/customer-orders/cancel", content=body)
                assert answer.status_code == 204

    clients = [httpx.Client(trust_env=False, verify=tls) for _ in range(threads)]
    workers = [threading.Thread(target=work, args=[client]) for client in clients]
    begun = time.perf_counter()
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    return time.perf_counter() - begun


def seconds_of(pid: int) -> float:
    """Return the processor time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_of(pid: int) -> int:
    """Return the resident bytes of a process and its children."""
    own = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(memory_of(int(child)) for child in children)


@contextlib.contextmanager
def _database() -> Iterator[str]:
    name = f"rescind_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(f"{POSTGRES}/postgres", autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        try:
            yield f"{POSTGRES}/{name}"
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


if __name__ == "__main__":
    raise SystemExit(main())
