"""Breaks things, one after the other, as a seeded chance has it; counts what it really broke."""

import contextlib
import os
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from random import Random

from providers.registry import PROVIDERS
from tests.faults.field import LEASE, SKEWS, Field, thaw
from tests.faults.people import People
from tests.faults.services import OwnPostgres, OwnRedis, OwnSpool, OwnVhost
from tests.faults.steps import COMMITS, SENDING, STEPS, WEB

# What an order may meet at its platform, beside being done late.
AT_PLATFORM = (
    "hang", "hang-after", "drop", "drop-after", "error", "error-after", "html", "html-after", "garbage",
    "garbage-after", "truncated", "truncated-after", "empty", "empty-after", "huge-after", "bomb-after",
    "drip", "drip-after", "redirect", "redirect-after", "limit", "auth", "late", "late", "late", "late", "late",
)  # fmt: skip
MOST_ARMED = 4
FROZEN_SECONDS = LEASE + 2


class Nemesis:
    """The breaker of one field.

    Attributes:
        done: What was broken, by kind. Steps count when they are passed, faults of platforms by the ledger.
    """

    def __init__(self, field: Field, people: People, chance: Random) -> None:
        self._field, self._people, self._chance = field, people, chance
        self.done: Counter[str] = Counter()
        self.skews = SKEWS
        self._later: list[threading.Timer] = []
        self._tripped = 0
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        self._bag: list[str] = []
        self._acts = self._all_acts()
        self._armed: dict[tuple[str, str], None] = {}
        self._of_its_own: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def _all_acts(self) -> dict[str, Callable[[], None]]:
        """Return what can be broken here; a kind that stands twice is twice as frequent."""
        field, broker = self._field, self._field.broker
        acts: dict[str, Callable[[], None]] = {
            "worker killed": self._kill_worker,
            "worker frozen": self._freeze_worker,
            "web killed": lambda: self._kill("web"),
            "beat killed": lambda: self._kill("beat"),
            "messages lost": broker.lose,
            "platform slow": self._slow,
            "platform frozen": self._freeze_platforms,
            "platform clock off": self._skew,
            "tokens forgotten": lambda: [field.control(slug, forget=True) for slug in PROVIDERS] and None,
            "hundred clicks": lambda: None,  # the campaign asks with them
            "form sent again": self._people.replay,
            "asked in another tab": lambda: self._people.ask_in_another_tab(self._chance),
        }
        if isinstance(broker, OwnRedis | OwnSpool):
            acts |= {"messages doubled": broker.double, "messages late": self._late_messages}
        if isinstance(broker, OwnRedis):
            acts |= {"broker restarted": self._restart_broker, "broker frozen": self._freeze_broker}
        if isinstance(broker, OwnVhost):
            acts |= {"broker hung up": broker.hang_up}
        if isinstance(field.postgres, OwnPostgres):
            acts |= {
                "database connections cut": lambda: self._cut(0.4),
                "all database connections cut": lambda: self._cut(1.0),
                "database crashed": self._crash_database,
            }
        return acts

    def act(self) -> None:
        """Break the next thing: every kind and every step comes once before any comes again."""
        with self._lock:
            kind = self._next()
        if kind in self._acts:
            with self._of_its_own[_service(kind)]:
                self._acts[kind]()
            with self._lock:
                self.done[kind] += 1
            return
        with self._lock:
            step, _, action = kind.partition(".")
            self._armed[step, action] = None
            self._field.arm(step, action)
            if len(self._armed) > MOST_ARMED:  # nobody passes the oldest: it makes room
                oldest = next(iter(self._armed))
                del self._armed[oldest]
                self._field.disarm(".".join(oldest))

    def _next(self) -> str:
        if not self._bag:
            steps = [f"{step}.kill" for step in (*STEPS, *WEB)]
            steps += [f"{step}.freeze" for step in SENDING]
            if self._field.postgres:
                steps += [f"{step}.cut" for step in COMMITS]
            self._bag = [*self._acts, *steps, "worker killed"]
            self._chance.shuffle(self._bag)
        return self._bag.pop()

    # -- looking after those who fell

    def look_after(self) -> None:
        """Count the wires that were tripped, thaw who was frozen by one, start anew who is gone."""
        tripped = self._field.tripped()
        for step, action, pid in tripped[self._tripped :]:
            with self._lock:
                self.done[f"{action} {step}"] += 1
                self._armed.pop((step, action), None)
            if action == "freeze":
                self._in(FROZEN_SECONDS, _wake(pid))
        self._tripped = len(tripped)
        for name in self._field.dead():
            if name not in self._busy:
                self._field.restart(name, self._chance.choice(self.skews))

    def heal(self) -> None:
        """End every misery, and wait until those that were to end by themselves have."""
        self._field.disarm()
        for timer in self._later:
            timer.join()
        self.look_after()
        for timer in self._later:
            timer.join()
        for slug in PROVIDERS:
            self._field.control(slug, switches={"latency": 0, "skew": 0}, spare=True)
        if isinstance(self._field.broker, OwnRedis | OwnSpool):
            self._field.broker.give_back()
        for name in list(self._field.pids):
            thaw(self._field.pids[name])
        self.skews = (0.0,)
        for name in self._field.workers:  # and the clocks are set right
            self._kill(name)
        self.look_after()

    def _in(self, seconds: float, what: Callable[[], object]) -> None:
        self._later = [one for one in self._later if one.is_alive()]
        timer = threading.Timer(seconds, what)
        timer.start()
        self._later.append(timer)

    # -- processes

    def _kill(self, name: str) -> None:
        self._busy.add(name)
        self._field.kill(name)
        self._busy.discard(name)

    def _kill_worker(self) -> None:
        self._kill(self._chance.choice(self._field.workers))

    def _freeze_worker(self) -> None:
        pid = self._field.pids[self._chance.choice(self._field.workers)]
        try:
            os.killpg(pid, signal.SIGSTOP)
        except ProcessLookupError:
            return
        self._in(self._chance.uniform(LEASE * 0.5, FROZEN_SECONDS), lambda: thaw(pid))

    def _freeze_platforms(self) -> None:
        pid = self._field.pids["platforms"]
        os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(self._chance.uniform(0.5, 2))
        finally:
            os.kill(pid, signal.SIGCONT)

    # -- platforms

    def _slow(self) -> None:
        slug = self._chance.choice(list(PROVIDERS))
        self._field.control(slug, switches={"latency": self._chance.choice((0.3, 1.0, 1.8))})
        self._in(2.0, lambda: self._field.control(slug, switches={"latency": 0}))

    def _skew(self) -> None:
        slug = self._chance.choice(list(PROVIDERS))
        self._field.control(slug, switches={"skew": self._chance.choice((-1200, 1200))})
        self._in(1.0, lambda: self._field.control(slug, switches={"skew": 0}))

    # -- the broker

    def _late_messages(self) -> None:
        broker = self._field.broker
        assert isinstance(broker, OwnRedis | OwnSpool)
        broker.set_aside()
        self._in(self._chance.uniform(2, 6), self._give_back)

    def _give_back(self) -> None:
        with self._of_its_own["broker"]:
            try:
                self._field.broker.give_back()  # type: ignore[union-attr]
            except OSError:
                pass
            except Exception as error:
                if "redis" not in type(error).__module__:
                    raise

    def _restart_broker(self) -> None:
        assert isinstance(self._field.broker, OwnRedis)
        self._field.broker.stop()
        time.sleep(self._chance.uniform(0.2, 2))
        self._field.broker.start()

    def _freeze_broker(self) -> None:
        assert isinstance(self._field.broker, OwnRedis)
        with self._field.broker.frozen():
            time.sleep(self._chance.uniform(0.5, 3))

    # -- the database

    def _cut(self, share: float) -> None:
        assert self._field.postgres
        self._field.postgres.cut(self._chance, share)

    def _crash_database(self) -> None:
        assert self._field.postgres
        self._field.postgres.crash()
        time.sleep(self._chance.uniform(0, 1.5))
        self._field.postgres.start()


def _service(kind: str) -> str:
    """Return what an act breaks: of one service only one thing is broken at once."""
    return next((one for one in ("broker", "messages", "database", "platform") if one in kind), kind).replace(
        "messages", "broker"
    )


def _quietly(what: Callable[[], object]) -> None:
    with contextlib.suppress(OSError):  # a platform that does not listen is told once more when everything heals
        what()


def _wake(pid: int) -> Callable[[], None]:
    def wake() -> None:
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass

    return wake
