"""Measures every kind of search over HTTP, beside its SQL alone, a bare page of its rows, and Django admin's search.

TEST_DATABASE_URL=postgres://… python -m tests.benchmarks.search --orders 100000 --shops 200 --rounds 40

The database named is used through its test double (``test_…``), which is kept for the next run. Ends with 1 when a
page is slower than three bare pages and ten milliseconds; UNDER marks what is not fifty times quicker than the admin.
"""

# ruff: noqa: E402, I001, T201 - Django is set up between the imports; a measurement is printed

import argparse
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlencode

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connection

from cancellations.orders import search as searching
from cancellations.orders.filters import Filters
from cancellations.orders.forms import SearchForm
from cancellations.orders.models import Order
from cancellations.people.models import Person
from cancellations.shops.models import Shop, ShopAccess
from cancellations.shops.scope import seen_by
from tests.benchmarks.filling import COMMON, fill, number_of

ALLOWED_TIMES, ALLOWED_MORE = 3, 0.010
QUICKER = 50  # times, than the admin
CHANGELIST = "/admin/cancellations/order/"


def kinds(orders: int) -> dict[str, dict[str, str]]:
    """Name every kind of search and its query."""
    middle = orders // 2
    return {
        "newest": {},
        "exact number": {"q": number_of(middle)},
        "number with spaces": {"q": " ".join(number_of(middle + 5))},
        "absent number": {"q": "777777777777"},
        "waybill": {"q": f"SF{middle:012}"},
        "SKU of many": {"q": "SKU17"},
        "prefix, 10 characters": {"q": number_of(middle)[:10]},
        "prefix, 4 characters": {"q": "2024"},
        "prefix, 3 characters": {"q": "SF0"},
        "prefix, 2 characters": {"q": "20"},
        "e-mail": {"q": f"buyer{middle}@example.com"},
        "phone": {"q": f"+86 139 {middle:08}"},
        "last four digits": {"q": f"{middle % 10000:04}"},
        "common name": {"q": COMMON},
        "common word of a name": {"q": "maria"},
        "Chinese name": {"q": "小明"},
        "absent name": {"q": "Nobody Nowhere"},
        "common name, unlucky filter": {"q": COMMON, "status": "cancelled"},
        "status": {"status": "open"},
        "status of few, all old": {"status": "cancelled"},
        "filter that fits nothing": {"status": "cancelled", "cancellable": "yes"},
        "verdict": {"cancellable": "unknown"},
        "platform": {"platform": "wechat"},
        "platform, status of few": {"platform": "wechat", "status": "cancelled"},
        "shop": {"shop": "shop-3"},
        "shop, status of few": {"shop": "shop-3", "status": "cancelled"},
        "old days": {"placed_to": "2024-02-01"},
        "amount of few": {"amount_min": "1249.60"},
        "amount of many": {"amount_min": "100", "amount_max": "900"},
        "amount, status of few": {"amount_min": "100", "status": "cancelled"},
    }


def main() -> int:
    """Fill, serve, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.search", description=__doc__.split("\n")[0])
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--shops", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--no-admin", action="store_true", help="leave the admin's own search out; it takes seconds")
    args = parser.parse_args()
    if args.rounds < 2:
        parser.error("--rounds takes 2 or more: a p95 of one is none.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers end too
    if connection.vendor != "postgresql":
        raise SystemExit("Name a PostgreSQL database in TEST_DATABASE_URL.")
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False, keepdb=True)
    fill(args.orders, args.shops)
    everybody, limited = _people(args.shops)
    print(f"{args.orders} orders, {args.shops} shops, {args.rounds} rounds; milliseconds, p50 / p95")
    print(f"{'':44}{'page':>16}{'fragment':>16}{'bare page':>16}{'SQL alone':>16}{'admin':>16}")
    slow = 0
    with ExitStack() as served:
        ports = [served.enter_context(_served(one)) for one in ("config.wsgi", "tests.benchmarks.bare")]
        admin = None if args.no_admin else served.enter_context(_served("tests.benchmarks.changelist"))
        measuring = Measuring(*ports, admin, args.rounds)
        for name, query in kinds(args.orders).items():
            slow += measuring.report(name, query, everybody)
        for name, query in (
            ("newest, 20 shops", {}),
            ("status of few, 20 shops", {"status": "cancelled"}),
            ("prefix, 20 shops", {"q": "20"}),
            ("common name, 20 shops", {"q": COMMON}),
        ):
            slow += measuring.report(name, query, limited)
        deep, end = (_deep(args.orders // part) for part in (2, 500))
        for name, query in (
            ("newest, the middle", {}),
            ("status, the middle", {"status": "open"}),
            ("platform, the middle", {"platform": "wechat"}),
        ):
            slow += measuring.report(name, {**query, "at": deep}, everybody)
            slow += measuring.report(name.replace("the middle", "the end"), {**query, "at": end}, everybody)
        slow += measuring.report("newest, 20 shops, the middle", {"at": deep}, limited)
    print(f"{slow} slower than allowed" if slow else "none slower than allowed")
    return bool(slow)


@dataclass(frozen=True)
class Measuring:
    """What is asked, where, and how often.

    Attributes:
        desk, bare, admin: Ports; no admin where it is left out.
        rounds: Of all but the admin, which takes a tenth, for it takes long.
    """

    desk: int
    bare: int
    admin: int | None
    rounds: int

    def report(self, name: str, query: dict[str, str], person: Person) -> bool:
        """Measure one kind, print its line, and return whether its page is slower than allowed."""
        cookie = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={_session(person)}"}
        keys, statements = _statements(person, query)
        target, rows = f"/orders/?{urlencode(query)}", ",".join(map(str, keys))
        ways: dict[str, Callable[[], None]] = {
            "page": lambda: _get(self.desk, target, cookie),
            "fragment": lambda: _get(self.desk, target, {**cookie, "HX-Request": "true"}),
            "bare": lambda: _get(self.bare, f"/?ids={rows}", {}),
            "sql": lambda: _run(statements),
        }
        times: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(self.rounds):  # alternating, so that all meet the same weather
            for way, act in ways.items():
                times[way].append(_timed(act))
        if self.admin and "q" in query:
            found = f"{CHANGELIST}?{urlencode({'q': query['q']})}"
            times["admin"] = [_timed(lambda: _get(self.admin, found, cookie)) for _ in range(max(3, self.rounds // 10))]
        p50 = {way: median(measured) for way, measured in times.items()}
        p95 = {way: quantiles(measured, n=20, method="inclusive")[-1] for way, measured in times.items()}
        late = p95["page"] > ALLOWED_TIMES * p95["bare"] + ALLOWED_MORE
        cells = "".join(f"{f'{p50[way] * 1000:.1f} / {p95[way] * 1000:.1f}':>16}" for way in times)
        times_quicker = p50["admin"] / p50["page"] if "admin" in times else 0
        ratio = f"{times_quicker:6.0f}x{' UNDER' if times_quicker < QUICKER else ''}" if times_quicker else ""
        print(f"{name + f' ({len(keys)} rows)':44}{cells}{ratio}{'  SLOW' if late else ''}", flush=True)
        return late


def _filters(query: dict[str, str]) -> Filters:
    form = SearchForm(query, list(Shop.objects.all()))
    form.is_valid()
    return form.filters()


def _get(port: int, target: str, headers: dict[str, str]) -> None:
    conversation = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    conversation.request("GET", target, headers=headers)
    answer = conversation.getresponse()
    answer.read()
    conversation.close()
    if answer.status != 200:
        raise SystemExit(f"{target}: {answer.status}")


def _statements(person: Person, query: dict[str, str]) -> tuple[list[int], list[tuple[str, Any]]]:
    """Return the orders of the page and what the database was asked for it: SQL and parameters."""
    asked: list[tuple[str, Any]] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        asked.append((sql, params))
        return execute(sql, params, many, context)

    shops = seen_by(person)
    with connection.execute_wrapper(note):
        page = searching.search(person, _filters(query), query.get("at", ""), shops=shops).page
    return [row.pk for row in page.rows], asked


def _run(statements: list[tuple[str, Any]]) -> None:
    """Have the driver run them, without Django."""
    for sql, params in statements:
        connection.connection.execute(sql, params).fetchall()


def _timed(act: Callable[[], None]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def _people(shops: int) -> tuple[Person, Person]:
    everybody, _ = Person.objects.get_or_create(username="everybody", defaults={"every_shop": True, "role": "agent"})
    limited, _ = Person.objects.get_or_create(username="limited", defaults={"role": "agent"})
    ShopAccess.objects.filter(person=limited).delete()
    some = Shop.objects.order_by("pk")[: shops // 10]
    ShopAccess.objects.bulk_create(ShopAccess(person=limited, shop=shop) for shop in some)
    return everybody, limited


def _session(person: Person) -> str:
    session = SessionStore()
    session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(person.pk), settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.save()
    return str(session.session_key)


def _deep(pk: int) -> str:
    order = Order.objects.get(pk=pk)
    return searching.Cursor(order.placed_at, order.pk, pk).text()


@contextmanager
def _served(application: str) -> Iterator[int]:
    """Serve a module's ``application`` by gunicorn on a free port, against the same database."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = connection.settings_dict
    url = f"postgres://{given['USER']}:{given['PASSWORD']}@{given['HOST']}:{given['PORT'] or 5432}/{given['NAME']}"
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        f"{application}:application",
        "-b",
        f"127.0.0.1:{port}",
        "-k",
        "gthread",
        "-w",
        "1",
        "--threads",
        "4",
        "--log-level",
        "error",
        "--no-control-socket",
    ]
    child = subprocess.Popen(command, env={**os.environ, "TEST_DATABASE_URL": url, "BARE_DATABASE": url})
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield port
    finally:
        child.terminate()
        child.wait(10)


if __name__ == "__main__":
    sys.exit(main())
