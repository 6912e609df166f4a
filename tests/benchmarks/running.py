"""The desk as it is deployed, on loopback and with a database of its own, while something is measured."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import redis

from config.demo import environment
from config.family import Family
from tests.benchmarks.engine import _database
from tests.stack import free_port

BROKER, CACHE = "redis://127.0.0.1:6379/9", "redis://127.0.0.1:6379/10"
# As the README runs it.
WEB_THREADS, WORKER_THREADS = 8, 16


@dataclass
class Desk:
    """The running processes and where they answer.

    Attributes:
        database: The address of its database.
    """

    family: Family
    web: str
    platform: str
    database: str

    def pid(self, name: str) -> int:
        """Return the id of a process: ``web`` (its master), ``worker``, ``beat`` or ``platform``."""
        return self.family.children[name].pid

    def start_worker(self, *, beat: bool = True) -> None:
        """Start a worker and, asked so, beat."""
        self.family.start("worker", "celery", "-A", "config", "worker", "-P", "threads", "-c", str(WORKER_THREADS),
                          "-l", "ERROR", "--without-gossip", "--without-mingle")  # fmt: skip
        if beat:
            self.family.start("beat", "celery", "-A", "config", "beat", "-l", "ERROR", "--pidfile=")

    def browser(self, person: Any) -> httpx.Client:
        """Return a browser somebody is signed in with, a form's token at hand."""
        from django.conf import settings

        from tests.benchmarks.queueing import session_of

        cookies = httpx.Cookies()
        cookies.set(settings.SESSION_COOKIE_NAME, session_of(person), domain="127.0.0.1")
        browser = httpx.Client(base_url=self.web, cookies=cookies, trust_env=False, timeout=120)
        browser.get("/orders/").raise_for_status()
        return browser


@contextlib.contextmanager
def desk(*, web_workers: int = 1, latency: float = 0.1) -> Iterator[Desk]:
    """Start the web and a platform that takes so many seconds; Django is set up for this process, too."""
    with tempfile.TemporaryDirectory() as name, _database() as url:
        folder, port, web = Path(name), free_port(), free_port()
        env = environment(folder, web, port) | {"DATABASE_URL": url, "BROKER_URL": BROKER, "CACHE_URL": CACHE}
        os.environ.update(env)
        redis.Redis.from_url(BROKER).flushdb()  # what an earlier desk was told means nothing to this one
        family = Family(env, folder)
        made = Desk(family, f"http://127.0.0.1:{web}", f"http://127.0.0.1:{port}", url)
        try:
            family.run("migrate", "manage", "migrate", "--verbosity", "0")
            family.run("build", "manage", "build")
            family.start("platform", "tests.benchmarks.platform", str(port), str(latency))
            family.start("web", "gunicorn", "config.wsgi", "-b", f"127.0.0.1:{web}", "-k", "gthread",
                         "--threads", str(WEB_THREADS), "--workers", str(web_workers), "--no-control-socket",
                         "--log-level", "error")  # fmt: skip
            family.wait_for("platform", f"{made.platform}/count")
            family.wait_for("web", f"{made.web}/healthz/")
            import django

            django.setup()
            yield made
        finally:
            family.end()
            for log in sorted(folder.rglob("*.log")):
                said = log.read_text()
                if " ERROR " in said or "Traceback" in said:
                    print(f"{log.stem} said: {said[-500:]}")  # noqa: T201 - a measurement is printed


def form_token(browser: httpx.Client) -> dict[str, str]:
    """Return the field a form of this browser's carries."""
    token = next((value for name, value in browser.cookies.items() if "csrf" in name), "")
    return {"csrfmiddlewaretoken": token}


def machine() -> str:
    """Return how busy the machine is, as its load over the last minute."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
