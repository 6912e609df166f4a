"""A campaign: people ask, a nemesis breaks things, everything heals, a checker compares."""

import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import psycopg
import redis

from tests.faults.bulks import Clerks
from tests.faults.cast import APPROVED, PERMISSIONS, PLATFORMS
from tests.faults.checker import Findings, check, faults_in, query, unsettled, waiting
from tests.faults.field import LATE_SECONDS, LEASE, Field, field_of
from tests.faults.nemesis import AT_PLATFORM, Nemesis
from tests.faults.people import Form, People, units_of

CALM_SECONDS = 0.15  # between two acts of the nemesis
LANES = 2  # so many things are broken at once
MOST_WAITING, BREATH_SECONDS = 40, 0.7
AHEAD = 0.3  # of what is asked for so much may be under way before what is to break it
BULK_ROWS = (20, 60)
MOST_SHOPS = 3  # of one bulk: few, so that a wave is long enough to be claimed and concluded many at a time


@dataclass(frozen=True)
class Plan:
    """What a campaign is to be.

    Attributes:
        kind: ``postgres+redis``, ``postgres+rabbitmq`` or ``sqlite+spool``.
        faults: It goes on until so many struck and ``requests`` were asked.
        settling_seconds: For so long nothing may get done before everything is over, in review, or has its next date.
        share: Which part of the requests meets a fault at its platform.
        log_level: How much the desk says meanwhile.
    """

    seed: int
    faults: int
    requests: int
    kind: str = "postgres+redis"
    workers: int = 3
    share: float = 0.3
    settling_seconds: float = 2 * LEASE + 60
    most_seconds: float = 7200.0
    log_level: str = "WARNING"


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
        with field_of(
            place, kind=plan.kind, orders=_orders(plan), workers=plan.workers, log_level=plan.log_level
        ) as field:
            return _Campaign(plan, field, say).run()


def _orders(plan: Plan) -> int:
    """Return how many orders each world needs: about half of them can be asked for."""
    return max(100, int(plan.requests / len(PLATFORMS) * 2))


class _Campaign:
    def __init__(self, plan: Plan, field: Field, say: Callable[[str], None]) -> None:
        self._plan, self._field, self._say = plan, field, say
        self._chance = Random(plan.seed)
        self._people = People(field, Random(plan.seed + 1))
        self._clerks = Clerks(field, self._people, Random(plan.seed + 5))
        self._nemesis = Nemesis(field, self._people, Random(plan.seed + 2))
        self._forms = units_of(field.database, Random(plan.seed + 3))
        self._ledger = field.folder / "sandbox.sqlite3"
        self._begun = time.monotonic()
        self._calm, self._healed, self._over = threading.Event(), threading.Event(), threading.Event()
        self._guard = threading.Lock()
        self._lanes = [threading.Thread(target=self._break_things) for _lane in range(LANES)]

    def run(self) -> Result:
        """Run it; whoever breaks off is left with nobody who goes on breaking."""
        try:
            return self._run()
        finally:
            self._calm.set()
            self._over.set()
            for thread in self._lanes:
                if thread.is_alive():
                    thread.join()

    def _run(self) -> Result:
        plan, begun = self._plan, self._begun
        self._say(f"{plan.kind}, seed {plan.seed}: {len(self._forms)} units")
        asking = threading.Thread(target=self._ask_everything)
        tending = threading.Thread(target=self._tend)
        minding = threading.Thread(target=self._mind_bulks)
        for thread in (asking, tending, minding, *self._lanes):
            thread.start()
        said = begun
        while not self._is_enough(asking) and time.monotonic() < begun + plan.most_seconds:
            time.sleep(0.2)
            if time.monotonic() > said + 30:
                said = time.monotonic()
                self._say(f"{said - begun:.0f} s: {self._struck()} faults, {self._people.told.asked} requests")
        self._calm.set()
        for thread in (*self._lanes, asking):
            thread.join()
        with self._guard:
            self._nemesis.heal()
        self._healed.set()
        self._people.approve_all()
        self._settle()
        self._over.set()
        for thread in (tending, minding):
            thread.join()
        self._field.rest()
        findings = check(self._field.database, self._ledger, self._people.told, LEASE)
        findings.chain += self._verify()
        faults = self._nemesis.done + Counter({f"platform {name}": n for name, n in findings.struck.items()})
        return Result(findings, faults, time.monotonic() - begun, self._people.broken_pages, self._people.unanswered)

    def _break_things(self) -> None:
        while not self._calm.wait(self._chance.uniform(0, 2 * CALM_SECONDS)):
            self._let_them_work()
            try:
                self._nemesis.act()
            except (OSError, psycopg.Error, redis.RedisError, subprocess.SubprocessError) as error:
                self._say(f"the nemesis stumbled: {type(error).__name__}: {error}")

    def _let_them_work(self) -> None:
        """Wait a little where much was asked for and little sent: who is always dead shows nothing."""
        with suppress(psycopg.Error):
            if waiting(self._field.database) > MOST_WAITING:
                self._calm.wait(BREATH_SECONDS)

    def _struck(self) -> int:
        # What is only planned does not count: some requests are withdrawn, or their bulk stopped, before they are sent.
        return self._nemesis.done.total() + faults_in(self._ledger).total()

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

    def _mind_bulks(self) -> None:
        while not self._over.is_set():
            self._clerks.tend(calm=self._healed.is_set())
            self._over.wait(0.5)

    # -- people

    def _ask_everything(self) -> None:
        """Ask for one after the other and for many at once, no faster than the nemesis breaks."""
        chance, plan, asked = Random(self._plan.seed + 4), self._plan, 0
        with ThreadPoolExecutor(8) as hands, ThreadPoolExecutor(3) as clerks:
            for number, forms in enumerate(self._portions(chance), 1):
                if self._calm.is_set():  # the time is over
                    return
                if len(forms) == 1:
                    hands.submit(self._ask, forms[0], chance.random(), chance.choice(AT_PLATFORM), chance.random())
                else:
                    clerks.submit(self._ask_for_many, forms, Random(chance.getrandbits(32)))
                if number % 50 == 0:
                    hands.submit(self._resend)
                asked += len(forms)
                while asked / plan.requests > self._struck() / plan.faults + AHEAD and not self._calm.wait(0.1):
                    if self._struck() >= plan.faults:
                        break
                while hands._work_queue.qsize() > 16 or clerks._work_queue.qsize() > 1:
                    time.sleep(0.02)

    def _portions(self, chance: Random) -> Iterator[list[Form]]:
        """Yield what is asked for at once: about half of all in bulks, each of a few shops."""
        left, asked, ahead = self._forms, 0, 0
        while left and asked < self._plan.requests:
            most = min(chance.randint(*BULK_ROWS), self._plan.requests // 3, self._plan.requests - asked)
            some = left[:1] if ahead else self._of_few_shops(left, chance)[:most]
            ahead = ahead - 1 if ahead else len(some)
            taken = {form.unit for form in some}
            left = [form for form in left if form.unit not in taken]
            asked += len(some)
            yield some

    def _of_few_shops(self, forms: list[Form], chance: Random) -> list[Form]:
        shops = sorted({form.shop for form in forms} - {APPROVED})
        chosen = chance.sample(shops, min(len(shops), chance.randint(1, MOST_SHOPS)))
        return [form for form in forms if form.shop in chosen] or forms[:1]

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

    def _ask_for_many(self, forms: list[Form], chance: Random) -> None:
        try:
            for form in forms:
                self._plan_fault(form, chance.random(), chance.choice(AT_PLATFORM))
            self._clerks.ask([*forms, *self._people.recent(len(forms) // 4, chance)], chance)
        except OSError as error:
            self._say(f"a bulk was not asked: {type(error).__name__}: {error}")

    def _plan_fault(self, form: Form, fate: float, fault: str) -> None:
        slug, key = form.unit
        if fate < self._plan.share:
            if fault == "auth" and slug in PERMISSIONS:
                fault = "limit"
            if fault == "late":
                self._field.control(slug, late={key: LATE_SECONDS})
            else:
                self._field.control(slug, plan={key: [fault]})

    def _ask_so(self, form: Form, fate: float, fault: str, habit: float) -> None:
        self._plan_fault(form, fate, fault)
        clicks = 100 if habit < 0.004 else 5 if habit < 0.04 else 2 if habit < 0.1 else 1
        pk = self._people.ask(form, clicks)
        if pk and 0.1 <= habit < 0.12:
            self._people.withdraw(pk)
        elif pk and 0.12 <= habit < 0.14:
            self._people.look(pk)

    # -- the end

    def _settle(self) -> None:
        """Wait until everything is over or waits for a person, or for so long as the plan allows nothing gets done."""
        fewest, since = len(self._forms) + 1, time.monotonic()
        while time.monotonic() < since + self._plan.settling_seconds:
            try:
                left = len(unsettled(self._field.database))
            except psycopg.OperationalError:
                left = fewest
            if not left:
                return
            if left < fewest:
                fewest, since = left, time.monotonic()
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
