"""What promises count in hundreds, as often as they say; part of ``make faults``."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from tests.faults.cast import APPROVED
from tests.faults.checker import check, query, unsettled
from tests.faults.field import LEASE, field_of
from tests.faults.people import People, units_of
from tests.faults.steps import WIRE
from tests.stack import wait_until

KINDS = ["sqlite+spool", pytest.param("postgres+redis", marks=pytest.mark.cluster)]
REQUESTS = "cancellations_cancellationrequest"
CLICKS, ROUNDS = 100, 50
EACH_STEP, KILLED_PAGES, LOST_MESSAGES = 25, 200, 50
POINTS = ("before-claim-commit", "after-claim-commit", *WIRE, "before-result-commit", "after-result-commit")

pytestmark = pytest.mark.long


@pytest.mark.parametrize("kind", KINDS)
def test_R03_a_hundred_clicks_at_once_fifty_times_are_fifty_requests_and_no_error_page(kind: str, place: Path) -> None:
    with field_of(place, kind=kind, orders=100, workers=1) as field, ThreadPoolExecutor(CLICKS) as hands:
        people = People(field, Random(3))
        forms = [form for form in units_of(field.database, Random(3)) if form.shop != APPROVED][:ROUNDS]
        statuses: Counter[int] = Counter()
        for form in forms:
            answers = list(hands.map(lambda _click, form=form: people.ask_once(form), range(CLICKS)))
            statuses.update(answer.status if answer else 0 for answer in answers)
            assert len({answer.pk for answer in answers if answer}) == 1, answers
        assert statuses == {303: CLICKS * ROUNDS}
        wait_until(lambda: not unsettled(field.database), 120)
        rows = query(field.database, f"SELECT state, count(*) FROM {REQUESTS} GROUP BY state")  # noqa: S608
        assert rows == [("succeeded", ROUNDS)]
        # An attempt that was put back before it began does not count: the platforms' own ledger does.
        ledger = str(field.folder / "sandbox.sqlite3")
        assert query(ledger, "SELECT event, count(*) FROM ledger GROUP BY event ORDER BY event") == [
            ("called", ROUNDS), ("performed", ROUNDS)
        ]  # fmt: skip


@pytest.mark.cluster
def test_R01_R02_pages_and_workers_killed_at_each_point_and_messages_lost_as_often_as_promised(place: Path) -> None:
    """Kill the page after it accepted and before it rings, 200 times; a worker at eight points, 25 times each."""
    points = [point for point in POINTS for _time in range(EACH_STEP)]
    Random(1).shuffle(points)
    with field_of(place, kind="postgres+redis", orders=400, workers=3) as field:
        people = People(field, Random(1))
        forms = iter(units_of(field.database, Random(1)))

        def look_after() -> None:
            for name in field.dead():
                field.restart(name)

        def pass_by(step: str) -> None:
            """Ask for one after the other until somebody died at this step."""
            before = len(field.tripped())
            field.arm(step, "kill")
            while len(field.tripped()) == before:
                people.ask(next(forms))
                ends = time.monotonic() + 2
                while len(field.tripped()) == before and time.monotonic() < ends:
                    time.sleep(0.02)
            look_after()

        for number in range(KILLED_PAGES):
            pass_by("after-asked-commit")
            pass_by(points[number])
            if number % (KILLED_PAGES // LOST_MESSAGES) == 0:
                field.broker.lose()
        wait_until(lambda: look_after() or not unsettled(field.database), 180)
        died = Counter(step for step, _action, _pid in field.tripped())
        assert died == {"after-asked-commit": KILLED_PAGES, **dict.fromkeys(POINTS, EACH_STEP)}
        found = check(field.database, field.folder / "sandbox.sqlite3", people.told, LEASE)
        assert found.is_clean, found
        assert found.requests >= KILLED_PAGES
