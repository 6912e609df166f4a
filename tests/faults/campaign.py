"""A campaign: people ask, a nemesis breaks things, everything heals, a checker compares."""

import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random

import psycopg
import redis

from tests.faults.cast import PERMISSIONS, PLATFORMS
from tests.faults.checker import Findings, check, query, unsettled
from tests.faults.field import LATE_SECONDS, LEASE, Field, field_of
from tests.faults.nemesis import AT_PLATFORM, Nemesis
from tests.faults.people import Form, People, units_of

CALM_SECONDS = 0.15  # between two acts of the nemesis
LANES = 2  # so many things are broken at once


@dataclass(frozen=True)
class Plan:
    """What a campaign is to be.

    Attributes:
        kind: ``postgres+redis``, ``postgres+rabbitmq`` or ``sqlite+spool``.
        faults: It goes on until so many struck and ``requests`` were asked.
        settling_seconds: After so long everything is over, in review, or has its next date.
        share: Which part of the requests meets a fault at its platform.
    """

    seed: int
    faults: int
    requests: int
    kind: str = "postgres+redis"
    workers: int = 3
    share: float = 0.3
    settling_seconds: float = 2 * LEASE + 60
    most_seconds: float = 7200.0


@dataclass(frozen=True)
class Result:
    """What came of it."""

    findings: Findings
    faults: Counter[str]
    seconds: float
    broken_pages: int
    unanswered: int


def run(plan: Plan, say: Callable[[str], None] = lambda line: None, folder: Path | None = None) -> Result:
    """Run one campaign from its seed."""
    with tempfile.TemporaryDirectory(prefix="rescind-faults-", ignore_cleanup_errors=True) as own:
        place = folder or Path(own)
        with field_of(place, kind=plan.kind, orders=_orders(plan), workers=plan.workers) as field:
            return _Campaign(plan, field, say).run()


def _orders(plan: Plan) -> int:
    """Return how many orders each world needs: about half of them can be asked for."""
    return max(100, int(plan.requests / len(PLATFORMS) * 2))


class _Campaign:
    def __init__(self, plan: Plan, field: Field, say: Callable[[str], None]) -> None:
        self._plan, self._field, self._say = plan, field, say
        self._chance = Random(plan.seed)
        self._people = People(field, Random(plan.seed + 1))
        self._nemesis = Nemesis(field, self._people, Random(plan.seed + 2))
        self._forms = units_of(field.database, Random(plan.seed + 3))
        self._planned = 0
        self._begun = time.monotonic()
        self._calm, self._over = threading.Event(), threading.Event()
        self._guard = threading.Lock()

    def run(self) -> Result:
        plan, begun = self._plan, self._begun
        self._say(f"{plan.kind}, seed {plan.seed}: {len(self._forms)} units")
        asking = threading.Thread(target=self._ask_everything)
        tending = threading.Thread(target=self._tend)
        lanes = [threading.Thread(target=self._break_things) for _lane in range(LANES)]
        for thread in (asking, tending, *lanes):
            thread.start()
        said = begun
        while not self._is_enough(asking) and time.monotonic() < begun + plan.most_seconds:
            time.sleep(0.2)
            if time.monotonic() > said + 30:
                said = time.monotonic()
                self._say(f"{said - begun:.0f} s: {self._struck()} faults, {len(self._people.told.accepted)} requests")
        self._calm.set()
        for thread in (*lanes, asking):
            thread.join()
        with self._guard:
            self._nemesis.heal()
        self._people.approve_all()
        self._settle()
        self._over.set()
        tending.join()
        findings = check(self._field.database, self._field.folder / "sandbox.sqlite3", self._people.told)
        findings.chain += self._verify()
        faults = self._nemesis.done + Counter({f"platform {name}": n for name, n in findings.struck.items()})
        return Result(findings, faults, time.monotonic() - begun, self._people.broken_pages, self._people.unanswered)

    def _break_things(self) -> None:
        while not self._calm.wait(self._chance.uniform(0, 2 * CALM_SECONDS)):
            try:
                self._nemesis.act()
            except (OSError, psycopg.Error, redis.RedisError, subprocess.SubprocessError) as error:
                self._say(f"the nemesis stumbled: {type(error).__name__}: {error}")

    def _struck(self) -> int:
        # Not every planned fault strikes: some requests are withdrawn before they are sent.
        return self._nemesis.done.total() + int(0.7 * self._planned)

    def _is_enough(self, asking: threading.Thread) -> bool:
        return self._struck() >= self._plan.faults and not asking.is_alive()

    def _tend(self) -> None:
        while not self._over.is_set():
            if self._guard.acquire(timeout=0.1):  # while it heals it looks after them itself
                try:
                    self._nemesis.look_after()
                finally:
                    self._guard.release()
            self._over.wait(0.1)

    # -- people

    def _ask_everything(self) -> None:
        """Ask for one after the other, no faster than the nemesis breaks."""
        chance, plan = Random(self._plan.seed + 4), self._plan
        chosen = self._forms[: plan.requests]
        with ThreadPoolExecutor(8) as hands:
            for number, form in enumerate(chosen, 1):
                if self._calm.is_set():  # the time is over
                    return
                hands.submit(self._ask, form, chance.random(), chance.choice(AT_PLATFORM), chance.random())
                if number % 50 == 0:
                    hands.submit(self._resend)
                while number / len(chosen) > self._struck() / plan.faults + 0.1 and not self._calm.wait(0.05):
                    if self._struck() >= plan.faults:
                        break
                while hands._work_queue.qsize() > 16:
                    time.sleep(0.02)

    def _resend(self) -> None:
        try:
            self._people.resend_failed(5)
        except psycopg.OperationalError:
            return

    def _ask(self, form: Form, fate: float, fault: str, habit: float) -> None:
        try:
            self._ask_so(form, fate, fault, habit)
        except OSError as error:  # the platform did not take the plan of its fault in time
            self._say(f"one was not asked: {type(error).__name__}: {error}")

    def _ask_so(self, form: Form, fate: float, fault: str, habit: float) -> None:
        slug, key = form.unit
        if fate < self._plan.share:
            if fault == "auth" and slug in PERMISSIONS:
                fault = "limit"
            if fault == "late":
                self._field.control(slug, late={key: LATE_SECONDS})
            else:
                self._field.control(slug, plan={key: [fault]})
            with self._guard:
                self._planned += 1
        clicks = 100 if habit < 0.004 else 5 if habit < 0.04 else 2 if habit < 0.1 else 1
        pk = self._people.ask(form, clicks)
        if pk and 0.1 <= habit < 0.12:
            self._people.withdraw(pk)
        elif pk and 0.12 <= habit < 0.14:
            self._people.look(pk)

    # -- the end

    def _settle(self) -> None:
        """Wait until everything is over or waits for a person, at most so long as the plan allows."""
        ends = time.monotonic() + self._plan.settling_seconds
        while time.monotonic() < ends:
            try:
                if not unsettled(self._field.database):
                    return
            except psycopg.OperationalError:
                pass
            time.sleep(0.3)

    def _verify(self) -> list[str]:
        """Have the product seal its record and walk it; it must be whole."""
        sealed = [self._field.run("manage", "audit", "seal") for _again in range(2)]
        broken = self._field.run("manage", "audit", "verify")
        last = query(self._field.database, "SELECT count(*) FROM cancellations_seal")[0][0]
        found = [] if not broken else [f"audit verify ended with {broken}; see commands.log"]
        return (
            found + [f"audit seal ended with {one}" for one in sealed if one] + ([] if last else ["nothing is sealed"])
        )
