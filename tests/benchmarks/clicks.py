"""Measures what a person waits for: from a click to the platform, to the outcome on the page; alone and beside a bulk.

python -m tests.benchmarks.clicks --clicks 40 --bulk 10000 --watchers 50

The desk as it is deployed: gunicorn, one worker of 32 threads, beat, PostgreSQL and Redis on loopback, a platform that
takes 0.1 s. Then what so many people cost who watch the bulk's page. Ends with 1 when a goal is missed: 0.3 s to the
platform alone and 2 s beside a bulk, the outcome a second after the platform's answer, all at p95; 5 % of a core for
the watchers.
"""

# ruff: noqa: T201 - Django is set up between the imports; a measurement is printed

import argparse
import html
import os
import re
import tempfile
import threading
import time
import uuid
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx

from config.demo import environment
from config.family import Family
from tests.benchmarks.engine import BROKER, CACHE, _database, seconds_of
from tests.stack import free_port

LATENCY = 0.1
ALONE, BESIDE, SHOWN, WATCHED = 0.3, 2.0, 1.0, 0.05
WATCH_SECONDS = 30
POLL = re.compile(r'id="(?:status|progress)"[^>]*hx-get="([^"]+)"[^>]*hx-trigger="[^"]*every (\d+m?)s')
DONE = re.compile(r'id="status".{0,400}?class="headline" data-tone="good"', re.S)


def main() -> int:
    """Start the desk, click, watch, print; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.clicks", description=__doc__.split("\n")[0])
    parser.add_argument("--clicks", type=int, default=40)
    parser.add_argument("--bulk", type=int, default=10_000)
    parser.add_argument("--watchers", type=int, default=50)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, _database() as url:
        folder, port, web = Path(name), free_port(), free_port()
        env = environment(folder, web, port) | {
            "DATABASE_URL": url, "BROKER_URL": BROKER, "CACHE_URL": CACHE, "DATABASE_POOL": "48",
        }  # fmt: skip
        os.environ.update(env)
        family = Family(env, folder)
        try:
            family.run("migrate", "manage", "migrate", "--verbosity", "0")
            family.run("build", "manage", "build")
            family.start("platform", "tests.benchmarks.platform", str(port), str(LATENCY))
            family.start("web", "gunicorn", "config.wsgi", "-b", f"127.0.0.1:{web}", "-k", "gthread", "--threads", "8",
                         "--no-control-socket", "--log-level", "error")  # fmt: skip
            family.start("worker", "celery", "-A", "config", "worker", "-P", "threads", "-c", "32", "-l", "ERROR",
                         "--without-gossip", "--without-mingle")  # fmt: skip
            family.start("beat", "celery", "-A", "config", "beat", "-l", "ERROR", "--pidfile=")
            family.wait_for("platform", f"http://127.0.0.1:{port}/count")
            family.wait_for("web", f"http://127.0.0.1:{web}/healthz/")
            return measure(args, f"http://127.0.0.1:{web}", f"http://127.0.0.1:{port}", family)
        finally:
            family.end()
            for log in sorted(folder.rglob("*.log")):
                if log.stem in ("web", "worker", "beat") and (said := log.read_text()):
                    print(f"{log.stem} said: {said[-500:]}")


def measure(args: argparse.Namespace, web: str, platform: str, family: Family) -> int:
    """Print a line for the clicks alone, one for those beside a bulk, and one for the watchers."""
    import django

    django.setup()
    from django.conf import settings

    from tests.benchmarks.queueing import Queue, session_of

    queue = Queue(platform, 1)
    cookies = httpx.Cookies()
    cookies.set(settings.SESSION_COOKIE_NAME, session_of(queue.by), domain="127.0.0.1")
    browser = httpx.Client(base_url=web, cookies=cookies, trust_env=False, timeout=60)
    browser.get("/orders/")
    singles = queue.orders(2 * args.clicks + 5)
    for order in singles[-5:]:
        _click(browser, platform, order)
    alone = [_click(browser, platform, one) for one in singles[: args.clicks]]
    missed = _print("alone", alone, ALONE)
    bulk = _start_bulk(browser, [one.number for one in queue.orders(args.bulk)])
    time.sleep(5)
    beside = [_click(browser, platform, one) for one in singles[args.clicks : 2 * args.clicks]]
    missed |= _print(f"beside {args.bulk:,} rows", beside, BESIDE)
    missed |= _watch(args.watchers, web, cookies, bulk, family.children["web"].pid)
    return int(missed)


def _click(browser: httpx.Client, platform: str, order: Any) -> tuple[float, float]:
    """Ask for one; return the seconds to the platform, and from its answer to the outcome on the page."""
    begun = time.monotonic()
    fields = {"reason": "other", "note": "measured", "submission": str(uuid.uuid4()), "version": str(order.version),
              "csrfmiddlewaretoken": _token(browser)}  # fmt: skip
    asked = browser.post(f"/orders/{order.pk}/cancel/", data=fields, headers={"Referer": str(browser.base_url)})
    assert asked.status_code == 303, (asked.status_code, asked.text[-500:])
    page, pause = browser.get(asked.headers["Location"]).text, 0.4  # as the page itself looks again
    while not DONE.search(page):
        found = POLL.search(page)
        assert found, "it stopped looking"
        time.sleep(pause)
        page = browser.get(html.unescape(found[1]), headers={"HX-Request": "true"}).text or page
        pause = _seconds(found[2])
        assert time.monotonic() < begun + 120, "no outcome"
    shown = time.monotonic()
    came = float(httpx.get(f"{platform}/when/{order.number}", trust_env=False).json()["at"])
    return came - begun, shown - came - LATENCY


def _seconds(pause: str) -> float:
    """Read ``2`` (seconds) and ``700m`` (thousandths of one)."""
    return int(pause[:-1]) / 1000 if pause.endswith("m") else int(pause)


def _start_bulk(browser: httpx.Client, numbers: list[str]) -> str:
    fields = {"text": "\n".join(numbers), "reason": "other", "note": "measured", "submission": str(uuid.uuid4()),
              "csrfmiddlewaretoken": _token(browser)}  # fmt: skip
    headers = {"Referer": str(browser.base_url)}
    made = browser.post("/bulk/new/", data=fields, headers=headers)
    assert made.status_code == 303, (made.status_code, made.text[-500:])
    where = made.headers["Location"]
    for _again in range(1200):
        if f"{where}start/" in browser.get(where).text:
            break
        time.sleep(0.1)
    said = {"count": str(len(numbers)), "csrfmiddlewaretoken": _token(browser)}
    begun = browser.post(f"{where}start/", data=said, headers=headers)
    assert begun.status_code == 303, begun.status_code
    return str(where)


def _watch(watchers: int, web: str, cookies: httpx.Cookies, where: str, pid: int) -> bool:
    """Have so many people's pages poll a running bulk, each as its page says; return whether that costs too much."""
    over, polls = threading.Event(), []
    once = httpx.Limits(max_keepalive_connections=0)  # a connection idle between two polls would be closed meanwhile

    def look() -> None:
        with httpx.Client(base_url=web, cookies=cookies, trust_env=False, timeout=60, limits=once) as browser:
            text = browser.get(where).text
            while not over.is_set():
                found = POLL.search(text)
                if not found:
                    return
                over.wait(_seconds(found[2]))
                begun = time.perf_counter()
                answer = browser.get(html.unescape(found[1]), headers={"HX-Request": "true"})
                polls.append(time.perf_counter() - begun)
                text = answer.text or text

    threads = [threading.Thread(target=look) for _one in range(watchers)]
    for one in threads:
        one.start()
    time.sleep(5)
    polls.clear()
    busy, begun = _busy(pid), time.monotonic()
    time.sleep(WATCH_SECONDS)
    share, count = (_busy(pid) - busy) / (time.monotonic() - begun), len(polls)
    over.set()
    for one in threads:
        one.join()
    p95 = quantiles(polls, n=20)[-1] * 1000 if len(polls) > 20 else 0.0
    cost = share * WATCH_SECONDS / max(count, 1) * 1000
    print(f"{watchers} watchers: {share:.1%} of a core, {count / WATCH_SECONDS:.1f} polls a second of {cost:.1f} ms, "
          f"answered in {p95:.0f} ms at p95; goal {WATCHED:.0%}")  # fmt: skip
    return share > WATCHED


def _busy(pid: int) -> float:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return seconds_of(pid) + sum(map(_busy, map(int, children)))


def _print(name: str, times: list[tuple[float, float]], goal: float) -> bool:
    sent, shown = ([one[which] for one in times] for which in (0, 1))
    p95 = [quantiles(some, n=20)[-1] for some in (sent, shown)]
    print(f"{name}: click to platform {median(sent):.2f} s, p95 {p95[0]:.2f} s (goal {goal} s); "
          f"its answer to the page {median(shown):.2f} s, p95 {p95[1]:.2f} s (goal {SHOWN} s)", flush=True)  # fmt: skip
    return p95[0] > goal or p95[1] > SHOWN


def _token(browser: httpx.Client) -> str:
    return next((value for name, value in browser.cookies.items() if "csrf" in name), "")


if __name__ == "__main__":
    raise SystemExit(main())
