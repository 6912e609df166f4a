"""The whole desk as real processes on loopback: sandbox, web servers, workers and beat."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config import demo
from config.family import Family

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    """Return a loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Stack:
    """Running processes, and what is needed to talk to them."""

    folder: Path
    env: dict[str, str]
    family: Family
    webs: list[str]
    sandbox: str
    workers: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The first web server's address, without a trailing slash."""
        return self.webs[0]

    def manage(self, *args: str, ok: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a management command against this stack's database."""
        done = subprocess.run(
            [sys.executable, "manage.py", *args],
            cwd=ROOT,
            env={**os.environ, **self.env, **env},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert not ok or done.returncode == 0, done.stdout + done.stderr
        return done

    def cancellations(self, *args: str) -> list[dict[str, Any]]:
        """Return what was asked for, as the command prints it."""
        return [json.loads(line) for line in self.manage("cancellations", "--json", *args).stdout.splitlines()]

    def control(self, slug: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Tell the sandbox to misbehave, or read its ledger."""
        data = json.dumps(body or {}).encode()
        with urllib.request.urlopen(f"{self.sandbox}/control/{slug}", data=data, timeout=10) as answer:
            return json.loads(answer.read())

    def ledger(self, slug: str, event: str) -> list[str]:
        """Return the keys an event of the sandbox's ledger speaks of."""
        return [key for key, what, _at in self.control(slug)["ledger"] if what == event]

    @contextlib.contextmanager
    def workers_frozen(self) -> Iterator[None]:
        """Stop every worker for a while, as if none were there."""
        pids = [self.family.children[name].pid for name in self.workers]
        for pid in pids:
            os.killpg(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.killpg(pid, signal.SIGCONT)

    def start_worker(self, name: str) -> None:
        """Start one more worker."""
        self.family.start(name, "celery", "-A", "config", "worker", "-P", "threads", "-c", "8",
                          "-l", self.env["LOG_LEVEL"], "--without-gossip", "--without-mingle",
                          "-n", f"{name}@test")  # fmt: skip
        self.workers.append(name)

    def kill(self, name: str) -> None:
        """Kill a process as a power cut would."""
        child = self.family.children[name]
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


@contextlib.contextmanager
def stack(folder: Path, *, webs: int = 1, workers: int = 1, orders: int = 60, **more: str) -> Iterator[Stack]:
    """Run a filled desk; ``more`` are settings, as ``DATABASE_URL``. Everything is ended afterwards."""
    ports, sandbox = [free_port() for _ in range(webs)], free_port()
    env = {**demo.environment(folder, ports[0], sandbox), "LOG_LEVEL": "DEBUG", "SYNC_SECONDS": "3600", **more}
    family = Family(env, folder)
    made = Stack(folder, env, family, [f"http://127.0.0.1:{port}" for port in ports], f"http://127.0.0.1:{sandbox}")
    try:
        family.start("sandbox", "providers.sandbox", "--port", str(sandbox), "--state", str(folder / "sandbox.sqlite3"),
                     "--orders", str(orders))  # fmt: skip
        family.wait_for("sandbox", made.sandbox + "/")
        family.run("fill", "manage", "demo", "--sandbox", made.sandbox)
        for number, port in enumerate(ports):
            family.start(f"web{number}", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}", "--threads", "8",
                         "--worker-class", "gthread", "--no-control-socket")  # fmt: skip
        for number in range(workers):
            made.start_worker(f"worker{number}")
        family.start("beat", "celery", "-A", "config", "beat", "-l", "WARNING", f"--pidfile={folder / 'beat.pid'}")
        for number, url in enumerate(made.webs):
            family.wait_for(f"web{number}", url + "/healthz/")
        yield made
    finally:
        for name in made.workers:  # a frozen process does not hear that it should end
            with contextlib.suppress(ProcessLookupError):
                os.killpg(family.children[name].pid, signal.SIGCONT)
        family.end()


def wait_until(what: Any, seconds: float = 30.0) -> Any:
    """Call until it returns something true; fail when it does not in time."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if found := what():
            return found
        time.sleep(0.2)
    raise AssertionError("it did not happen in time")
