"""Measures how long the record takes to fetch as a file, beside raw SQL and a CSV writer in the same run.

python -m tests.benchmarks.exporting --events 100000 --rounds 5

PostgreSQL and Redis on loopback are needed. The floor reads and writes the same columns in this process; the desk's
file comes from its web server. Ends with 1 when a goal is missed: twice the floor, the first byte after 0.3 s.
"""

# ruff: noqa: T201 - a measurement is printed

import argparse
import csv
import io
import time
from statistics import median

import httpx
import psycopg

from tests.benchmarks.running import desk, form_token, machine

TIMES, FIRST = 2.0, 0.3
AT_ONCE = 1000


def main() -> int:
    """Fill, fetch in alternating rounds, print; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.exporting", description=__doc__.split("\n")[0])
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    with desk() as running:
        from django.db import connection

        from cancellations.people.models import Person
        from tests.benchmarks.history import FILL

        with connection.cursor() as cursor:
            cursor.execute(FILL, {"first": 0, "total": args.events})
            cursor.execute("ANALYZE")
        browser = running.browser(Person.objects.create_user("bench", role="admin", every_shop=True))
        kinds = {"csv": ("csv", "identity"), "csv, zipped": ("csv", "gzip"), "jsonl": ("jsonl", "identity")}
        took: dict[str, list[float]] = {}
        first: dict[str, list[float]] = {}
        for _round in range(args.rounds):
            took.setdefault("floor", []).append(_floor(running.database, args.events))
            for kind, (shape, coding) in kinds.items():
                began, ended = _fetch(browser, shape, coding, args.events)
                first.setdefault(kind, []).append(began)
                took.setdefault(kind, []).append(ended)
    floor, missed = median(took["floor"]), False
    print(f"{args.events:,} events, {args.rounds} rounds, {machine()}; the floor takes {floor:.2f} s")
    for kind in kinds:
        whole, began = median(took[kind]), median(first[kind])
        missed |= whole > TIMES * floor or began > FIRST
        print(f"{kind:14}{whole:>7.2f} s, {whole / floor:.2f} times the floor (goal {TIMES:g});"
              f" first byte after {began * 1000:.0f} ms, at worst {max(first[kind]) * 1000:.0f} ms"
              f" (goal {FIRST * 1000:.0f} ms)")  # fmt: skip
    return int(missed)


def _floor(database: str, events: int) -> float:
    """Read and write the same rows; return the seconds."""
    from cancellations.audit.exporting import COLUMNS

    columns = ", ".join(one for one in COLUMNS if one != "what")
    begun, rows, size = time.perf_counter(), 0, 0
    with psycopg.connect(database) as connection, connection.cursor("floor") as cursor:
        cursor.itersize = AT_ONCE
        cursor.execute(f"SELECT {columns} FROM cancellations_auditevent ORDER BY at DESC, id DESC")  # noqa: S608
        while some := cursor.fetchmany(AT_ONCE):
            written = io.StringIO()
            csv.writer(written, quoting=csv.QUOTE_ALL).writerows(some)
            rows, size = rows + len(some), size + len(written.getvalue().encode())
    assert rows >= events, rows
    assert size
    return time.perf_counter() - begun


def _fetch(browser: httpx.Client, shape: str, coding: str, events: int) -> tuple[float, float]:
    """Fetch the file; return the seconds to the first byte of it, and to the last."""
    headers = {"Referer": str(browser.base_url), "Accept-Encoding": coding}
    begun, first, lines = time.perf_counter(), 0.0, 0
    with browser.stream("POST", f"/audit/export/{shape}/", data=form_token(browser), headers=headers) as answer:
        assert answer.status_code == 200, answer.status_code
        for piece in answer.iter_bytes():
            first = first or time.perf_counter() - begun
            lines += piece.count(b"\n")
    assert lines >= events, lines
    return first, time.perf_counter() - begun


if __name__ == "__main__":
    raise SystemExit(main())
