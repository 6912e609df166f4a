"""Measures the history as it grows: its pages, how fast it is sealed, and how fast the whole of it is verified.

python -m tests.benchmarks.history --events 100000 1000000

A PostgreSQL database of its own is made on loopback and dropped afterwards. Ends with 1 when a goal is missed: pages
at most twice as slow as with the first number of events, 1,000 events sealed a second, 200,000 verified a second.
"""

# ruff: noqa: T201 - Django is set up between the imports; a measurement is printed

import argparse
import os
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

from config.demo import environment
from tests.benchmarks.engine import _database
from tests.stack import free_port

SLOWER, SEALED, VERIFIED = 2.0, 1_000, 200_000
ROUNDS = 40
FILL = """
INSERT INTO cancellations_auditevent (uid, at, verb, actor_id, actor, actor_kind, origin, incident, subject_kind,
    subject_id, subject, shop_id, shop, order_number, data)
SELECT gen_random_uuid(), now() - make_interval(secs => (%(total)s - n) * 0.0001),
    (ARRAY['cancellation.requested', 'cancellation.sending', 'cancellation.succeeded'])[1 + n %% 3],
    CASE WHEN n %% 3 = 0 THEN 1 + n %% 40 END, CASE WHEN n %% 3 = 0 THEN 'agent' || n %% 40 ELSE 'worker' END,
    CASE WHEN n %% 3 = 0 THEN 'person' ELSE 'worker' END, '', '', 'cancellation', (n / 3)::text, 'CS' || n / 3,
    1 + n %% 200, 'shop-' || n %% 200, 'CS' || n / 3,
    jsonb_build_object('from', 'queued', 'to', 'sending', 'attempt', 1)
FROM generate_series(%(first)s, %(total)s - 1) AS n
"""


def main() -> int:
    """Fill, seal, verify and read at each size; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.history", description=__doc__.split("\n")[0])
    parser.add_argument("--events", type=int, nargs="+", default=[100_000, 1_000_000])
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, _database() as url:
        env = environment(Path(name), free_port(), free_port()) | {"DATABASE_URL": url}
        os.environ.update(env)
        import django

        django.setup()
        return measure(args.events)


def measure(sizes: list[int]) -> int:
    """Print a line for each size."""
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    from cancellations.audit.models import Seal
    from cancellations.audit.sealing import seal
    from cancellations.audit.verifying import verify
    from cancellations.people.models import Person
    from cancellations.shops.models import Shop

    call_command("migrate", verbosity=0)
    call_command("build")
    Shop.objects.bulk_create(
        Shop(pk=1 + n, name=f"shop-{n}", title=f"Shop {n}", platform="shoplazza", environment="sandbox")
        for n in range(200)
    )
    browser = Client(SERVER_NAME="127.0.0.1")
    browser.force_login(Person.objects.create_user("bench", role="admin", every_shop=True))
    last = "" if sizes == sizes[:1] else f", the last beside the first {SLOWER:g} times"
    print(f"{'events':>12}{'sealed':>12}{'verified':>12}" + "".join(f"{kind:>22}" for kind in _kinds(sizes[0])))
    first: dict[str, float] = {}
    had, missed = 0, False
    for total in sizes:
        with connection.cursor() as cursor:
            cursor.execute(FILL, {"first": had, "total": total})
            cursor.execute("VACUUM ANALYZE")  # as autovacuum would have by then
        begun = time.perf_counter()
        while seal():
            pass
        sealed = (total - had) / (time.perf_counter() - begun)
        had = total
        begun = time.perf_counter()
        found = verify()
        verified = total / (time.perf_counter() - begun)
        assert not found.faults, found.faults[:3]
        assert Seal.objects.exists()
        line = f"{total:>12,}{sealed:>10,.0f}/s{verified:>10,.0f}/s"
        for kind, query in _kinds(total).items():
            took = [_page(browser, query) for _round in range(ROUNDS)][5:]
            p50, p95 = median(took) * 1000, quantiles(took, n=20)[-1] * 1000
            missed |= p50 > SLOWER * first.setdefault(kind, p50)
            line += f"{f'{p50:.1f} / {p95:.1f} ms':>22}"
        missed |= sealed < SEALED or verified < VERIFIED
        print(line, flush=True)
    print(f"goals: {SEALED:,} sealed and {VERIFIED:,} verified a second{last}: {'missed' if missed else 'met'}")
    return int(missed)


def _kinds(total: int) -> dict[str, str]:
    return {
        "newest, p50 / p95": "",
        "one shop": "?shop=shop-17",
        "one order": f"?order=CS{total // 6}",
        "a person": "?person=agent3",
        "what is not there": "?order=CS-none",
    }


def _page(browser: object, query: str) -> float:
    begun = time.perf_counter()
    answer = browser.get(f"/audit/{query}")  # type: ignore[attr-defined]
    took = time.perf_counter() - begun
    assert answer.status_code == 200, answer.status_code
    return took


if __name__ == "__main__":
    raise SystemExit(main())
