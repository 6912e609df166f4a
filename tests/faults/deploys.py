"""Workers are replaced one after the other while a bulk runs: nobody may notice.

``python -m tests.faults.deploys --rows 10000 --restarts 50``; exits with 1 unless nothing was lost, sent twice, wrong
or left in doubt. Half-way the schema is widened under both versions, as the next release's migration would. With
``--older REVISION`` every other worker is of that revision, on this one's schema.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import psycopg

from tests.faults.bulks import Clerks
from tests.faults.cast import APPROVED, PLATFORMS
from tests.faults.checker import Findings, check, query, unsettled
from tests.faults.field import Field, field_of, is_there
from tests.faults.people import People, units_of

WORKERS = 2
LATENCY_SECONDS = 0.3  # of the platforms, so that there is always something under way
STOP_SECONDS = 30.0  # CALL_SECONDS and ten: what a worker that is told to end gets before it is killed
# The product's own times: no call and no lease may end by itself here.
TIMES = {"CALL_SECONDS": "20", "LEASE_SECONDS": "60", "SETTLE_SECONDS": "300", "SWEEP_SECONDS": "15"}
_REQUESTS = "cancellations_cancellationrequest"
_WIDENED = (_REQUESTS, "cancellations_attempt", "cancellations_batchrow", "cancellations_shophealth")


@dataclass
class Deploys:
    """What came of it.

    Attributes:
        stops: Seconds each worker took to end; ``killed``: those that did not in time.
        put_back: Requests a worker had claimed and gave back; ``doubted``: those whose outcome was ever not known.
    """

    findings: Findings = field(default_factory=Findings)
    rows: int = 0
    stops: list[float] = field(default_factory=list)
    killed: int = 0
    put_back: int = 0
    doubted: int = 0
    seconds: float = 0.0

    @property
    def is_clean(self) -> bool:
        return self.findings.is_clean and not self.doubted and not self.killed

    def report(self) -> str:
        """Return the line that counts."""
        found = self.findings
        return (
            f"{len(self.stops)} restarts during {self.rows} rows in {self.seconds:.0f} s: lost {len(found.lost)}, sent "
            f"twice {len(found.doubled)}, wrong {len(found.wrong)}, ever in doubt {self.doubted}, stuck "
            f"{len(found.stuck)}, history differences {len(found.history)}, chain breaks {len(found.chain)}; "
            f"{found.calls} calls, {self.put_back} put back, {self.killed} killed; longest stop "
            f"{max(self.stops, default=0):.1f} s; "
            + ", ".join(f"{name} {count}" for name, count in sorted(found.states.items()))
        )


def run(rows: int, restarts: int, folder: Path | None = None, *, seed: int = 1, older: str = "") -> Deploys:
    """Start a bulk and replace its workers, so that the restarts are spread evenly over it."""
    with tempfile.TemporaryDirectory(prefix="rescind-deploys-", ignore_cleanup_errors=True) as own:
        place = folder or Path(own)
        orders = max(100, rows // 2)
        with field_of(place, kind="postgres+redis", orders=orders, workers=0, older=older, **TIMES) as desk:
            return _Rollout(desk, rows, restarts, Random(seed)).run()


class _Rollout:
    def __init__(self, desk: Field, rows: int, restarts: int, chance: Random) -> None:
        self._field, self._rows, self._restarts, self._chance = desk, rows, restarts, chance
        self._made = Deploys()
        self._people = People(desk, chance)
        self._number = 0

    def run(self) -> Deploys:
        for _worker in range(WORKERS):
            self._start()
        forms = [one for one in units_of(self._field.database, self._chance) if one.shop != APPROVED][: self._rows]
        for slug in PLATFORMS:
            self._field.control(slug, switches={"latency": LATENCY_SECONDS})
        begun = time.monotonic()
        bulk = Clerks(self._field, self._people, self._chance).begin(forms, self._chance)
        assert bulk, "the bulk did not start"
        self._rows = self._people.told.bulks[bulk].ready
        for restart in range(1, self._restarts + 1):
            self._wait(lambda at=restart: self._sent() >= at * self._rows // (self._restarts + 1))  # type: ignore[misc]
            self._replace()
            if restart == self._restarts // 2:
                self._widen()
        self._wait(lambda: not unsettled(self._field.database), 120)
        self._made.seconds = time.monotonic() - begun
        self._field.rest()
        return self._judge()

    def _start(self) -> str:
        name = f"worker{self._number}"
        self._field.start_worker(name, older=bool(self._field.older) and self._number % 2 == 0)
        self._number += 1
        return name

    def _replace(self) -> None:
        """Start a new worker, and when it sends end the oldest one."""
        new, old = self._start(), min(self._field.workers, key=lambda name: int(name[6:]))
        mine = f"SELECT count(*) FROM cancellations_attempt WHERE worker LIKE '%:{self._field.pids[new]}:%'"  # noqa: S608
        self._wait(lambda: self._count(mine) or self._sent() >= self._rows)
        told = time.monotonic()
        self._field.end(old)
        pid = self._field.pids[old]
        while is_there(pid) and time.monotonic() < told + STOP_SECONDS:
            time.sleep(0.02)
        self._made.stops.append(time.monotonic() - told)
        self._made.killed += is_there(pid)
        self._field.kill(old)
        del self._field.pids[old]

    def _widen(self) -> None:
        with psycopg.connect(self._field.database, autocommit=True) as owner:
            for table in _WIDENED:
                owner.execute(f"ALTER TABLE {table} ADD COLUMN of_the_next_release integer NULL")  # type: ignore[arg-type]

    def _sent(self) -> int:
        return self._count(f"SELECT count(*) FROM {_REQUESTS} WHERE state NOT IN ('queued', 'sending')")  # noqa: S608

    def _count(self, sql: str) -> int:
        return int(query(self._field.database, sql)[0][0])

    def _wait(self, is_so: Callable[[], object], seconds: float = 300) -> None:
        ends = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < ends, f"it never came to be so; see the logs in {self._field.folder}"
            time.sleep(0.1)

    def _judge(self) -> Deploys:
        made, field = self._made, self._field
        made.rows = self._rows
        made.findings = check(field.database, field.folder / "sandbox.sqlite3", self._people.told, 60)
        for act in ("seal", "verify"):
            if code := field.run("manage", "audit", act):
                made.findings.chain.append(f"audit {act} ended with {code}; see commands.log")
        told = "SELECT count(*) FROM cancellations_auditevent WHERE verb = 'cancellation."
        made.put_back = self._count(f"{told}put_back'")
        made.doubted = self._count(f"{told}uncertain'") + self._count(
            "SELECT count(*) FROM cancellations_attempt WHERE kind = 'send' AND outcome IN ('', 'Lost')"
        )
        return made


def main() -> None:
    """Run what the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.deploys", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--restarts", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--older", default="", metavar="REVISION", help="another version's workers beside this one's")
    parser.add_argument("--folder", type=Path, help="keep everything, logs too, in this empty folder")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything it started is ended, too
    if args.folder:
        args.folder.mkdir(parents=True)
    made = run(args.rows, args.restarts, args.folder, seed=args.seed, older=args.older)
    for name in ("lost", "doubled", "wrong", "stuck", "history", "chain"):
        for line in getattr(made.findings, name)[:12]:
            print(f"{name}: {line}")
    print(made.report())
    sys.exit(0 if made.is_clean else 1)


if __name__ == "__main__":
    main()
