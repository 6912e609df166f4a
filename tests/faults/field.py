"""The desk under fire: its processes, what they stand on, and the ways to hurt them."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config import demo
from tests.faults.services import Broker, OwnPostgres, OwnRedis, OwnSpool, OwnVhost
from tests.stack import ROOT, free_port

# Everything that takes minutes in the product takes seconds here; the order of the lengths is kept:
# a call < its lease < the late performance of a cancel < the settle window.
TIMES = {
    "CALL_SECONDS": "1.5",
    "LOOKUP_SECONDS": "2",
    "LEASE_SECONDS": "3",
    "SETTLE_SECONDS": "14",
    "CHECK_SECONDS": "1,1,2,4,6,8,15",
    "RETRY_SECONDS": "0.5",
    "PROBE_SECONDS": "1",
    "SWEEP_SECONDS": "1",
}
LEASE = float(TIMES["LEASE_SECONDS"])
LATE_SECONDS = 7.0
SKEWS = (0.0, 0.0, 0.0, 720.0, -720.0)
FIRST_SKEWS = (0.0, -720.0, 720.0)


@dataclass
class Field:
    """Running processes and what is needed to reach and hurt them.

    Attributes:
        nursery: Forks this program's processes; ``older``: those of an earlier revision.
    """

    folder: Path
    address: str
    sandbox: str
    broker: Broker
    postgres: OwnPostgres | None
    nursery: subprocess.Popen[str]
    older: subprocess.Popen[str] | None = None
    pids: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _started: int = 0

    @property
    def wires(self) -> Path:
        return self.folder / "wires"

    @property
    def database(self) -> str:
        """Where the checker finds the desk's rows: a PostgreSQL address, or a file."""
        return self.postgres.dsn() if self.postgres else str(self.folder / "rescind.sqlite3")

    def _order(self, name: str, *argv: str, older: bool = False, **more: Any) -> int:
        order = {"argv": argv, "log": str(self.folder / f"{name}.log"), **more}
        nursery = self.older if older else self.nursery
        with self._lock:
            assert nursery
            assert nursery.stdin
            assert nursery.stdout
            nursery.stdin.write(json.dumps(order) + "\n")
            nursery.stdin.flush()
            return int(nursery.stdout.readline() or "-1")

    def run(self, *argv: str) -> int:
        """Run a command of the product to its end; return its exit code."""
        return self._order("commands", *argv, wait=True)

    def start_worker(self, name: str, skew: float = 0.0, *, older: bool = False) -> None:
        self._started += 1
        self.pids[name] = self._order(
            name, "worker", "-P", "threads", "-c", "8", "-l", "WARNING", "--without-gossip", "--without-mingle",
            "-n", f"{name}-{self._started}@field", skew=skew, older=older,
        )  # fmt: skip

    def start_web(self, name: str = "web") -> None:
        port = self.address.rpartition(":")[2]
        self.pids[name] = self._order(
            name, "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}", "--threads", "16", "--worker-class",
            "gthread", "--no-control-socket", "--log-level", "warning", "--reuse-port", "--backlog", "512",
        )  # fmt: skip

    def start_beat(self, name: str = "beat") -> None:
        self.pids[name] = self._order(name, "beat", "-l", "WARNING", "--pidfile=")

    @property
    def workers(self) -> list[str]:
        return sorted(name for name in self.pids if name.startswith("worker"))

    def kill(self, name: str) -> None:
        """Kill a process and its children as a power cut would, and wait until they are gone."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pids[name], signal.SIGKILL)
        ends = time.monotonic() + 5
        while is_there(self.pids[name]) and time.monotonic() < ends:
            time.sleep(0.01)

    def end(self, name: str) -> None:
        """Tell a process to end, and let it."""
        os.kill(self.pids[name], signal.SIGTERM)

    def rest(self) -> None:
        """Have workers and beat end, so that what is read of the desk first still holds when the last is read."""
        some = [name for name in self.pids if not name.startswith("web") and is_there(self.pids[name])]
        for name in some:
            self.end(name)
        ends = time.monotonic() + 2 * LEASE
        while any(is_there(self.pids[name]) for name in some) and time.monotonic() < ends:
            time.sleep(0.05)

    def restart(self, name: str, skew: float = 0.0) -> None:
        """Start anew what is gone."""
        if name.startswith("worker"):
            self.start_worker(name, skew)
        elif name.startswith("web"):
            self.start_web(name)
        else:
            self.start_beat(name)

    def dead(self) -> list[str]:
        """Return the processes that are gone."""
        return [name for name, pid in self.pids.items() if not is_there(pid)]

    @contextlib.contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """Stop a process where it stands, its children too."""
        pid = self.pids[name]
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            thaw(pid)

    def control(self, slug: str, **body: Any) -> None:
        """Tell a platform to misbehave."""
        request = urllib.request.Request(f"{self.sandbox}/control/{slug}", data=json.dumps(body).encode())
        for seconds in (10, 20, 60):  # it may be frozen, or swamped, just now
            with contextlib.suppress(OSError):
                urllib.request.urlopen(request, timeout=seconds).read()
                return
        raise TimeoutError(f"{slug} does not listen")

    def arm(self, step: str, action: str) -> None:
        (self.wires / f"{step}.{action}").touch()

    def disarm(self, which: str = "*.*") -> None:
        for file in self.wires.glob(which):
            file.unlink(missing_ok=True)

    def tripped(self) -> list[tuple[str, str, int]]:
        """Return (step, action, process id) of every wire that was tripped, oldest first."""
        journal = self.wires / "journal"
        lines = journal.read_text().splitlines() if journal.exists() else []
        return [(step, action, int(pid)) for step, action, pid, _at in (line.split() for line in lines)]


def is_there(pid: int) -> bool:
    """Tell whether a process lives; one that is dead and not yet buried does not."""
    try:
        return state_in(Path(f"/proc/{pid}")) not in "ZX"
    except OSError:
        return False


def state_in(folder: Path) -> str:
    """Return the kernel's letter for a process or a thread, by its folder under ``/proc``.

    Raises:
        OSError: It is gone.
    """
    return (folder / "stat").read_text().rpartition(")")[2].split()[0]


def children_of(pid: int) -> list[int]:
    """Return the processes it forked.

    Raises:
        OSError: It is gone.
    """
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def thaw(pid: int) -> None:
    """Let a stopped process and its children go on."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGCONT)


@contextlib.contextmanager
def field_of(
    folder: Path, *, kind: str, orders: int, workers: int, log_level: str = "WARNING", older: str = "", **more: str
) -> Iterator[Field]:
    """Set up a desk on ``postgres+redis``, ``postgres+rabbitmq`` or ``sqlite+spool``; all of it is ended afterwards.

    Args:
        older: A revision of this program, whose workers can then be started, too.
        more: Settings that are other than ``TIMES``.
    """
    folder.chmod(0o755)
    postgres = OwnPostgres(folder) if kind.startswith("postgres") else None
    broker: Broker = (
        {"redis": OwnRedis, "spool": OwnSpool}[kind.partition("+")[2]](folder) if "rabbit" not in kind else OwnVhost()
    )
    web, sandbox = free_port(), free_port()
    env = {
        **demo.environment(folder, web, sandbox), "LOG_LEVEL": log_level, "SYNC_SECONDS": "3600", **TIMES, **broker.env,
        "DATABASE_URL": postgres.dsn() if postgres else "", "DATABASE_POOL": "20",
        "DJANGO_SETTINGS_MODULE": "tests.faults.settings", "TRIPWIRES": str(folder / "wires"),
        **more,
    }  # fmt: skip
    (folder / "wires").mkdir()
    everything = {**os.environ, **env}
    made: list[subprocess.Popen[str]] = []

    def start(*command: str, root: Path = ROOT) -> subprocess.Popen[str]:
        with (folder / f"{command[0].rpartition('.')[2]}.log").open("a") as log:
            process = subprocess.Popen([sys.executable, "-m", *command], env={**everything, "PYTHONPATH": str(root)},
                                       cwd=root, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=log)  # fmt: skip
        made.append(process)
        return process

    try:
        platforms = start("tests.faults.platforms", "--port", str(sandbox), "--state",
                          str(folder / "sandbox.sqlite3"), "--orders", str(orders))  # fmt: skip
        nursery = start("tests.faults.nursery")
        before = start("tests.faults.nursery", root=version(older, folder / "older")) if older else None
        for process in filter(None, (platforms, nursery, before)):
            assert process.stdout
            assert process.stdout.readline() == "ready\n", f"see the logs in {folder}"
        ready = Field(folder, f"http://127.0.0.1:{web}", f"http://127.0.0.1:{sandbox}", broker, postgres, nursery,
                      before)  # fmt: skip
        ready.pids["platforms"] = platforms.pid
        assert ready.run("fill", ready.sandbox) == 0, f"see commands.log in {folder}"
        for number in range(workers):
            ready.start_worker(f"worker{number}", FIRST_SKEWS[number % len(FIRST_SKEWS)])
        ready.start_web()
        ready.start_beat()
        _wait_for(ready.address + "/healthz/")
        yield ready
    finally:
        for process in reversed(made):
            with process:  # which closes its pipes and waits for it
                process.kill()
        broker.stop()
        if postgres:
            postgres.crash()


def version(revision: str, folder: Path) -> Path:
    """Put a revision of this program into a folder, and return it."""
    folder.mkdir()
    packed = folder / "packed.tar"
    subprocess.run(["git", "archive", "--output", str(packed), revision], cwd=ROOT, check=True)
    with tarfile.open(packed) as files:
        files.extractall(folder, filter="data")
    return folder


def _wait_for(url: str) -> None:
    for _again in range(400):
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.1)
    raise RuntimeError(f"nobody answers at {url}")
