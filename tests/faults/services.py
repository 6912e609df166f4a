"""A database and a broker of the campaign's own, to stop, freeze, empty and restart."""

import os
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import redis

from tests.stack import free_port

QUEUE = "celery"


def postgres_programs() -> Path | None:
    """Return the folder of the newest PostgreSQL server's programs on this machine."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


class OwnPostgres:
    """A cluster in a folder, made there unless there is one; its crash is a crash, its disk is the disk."""

    def __init__(self, folder: Path) -> None:
        programs = postgres_programs()
        assert programs, "PostgreSQL's server programs are not installed"
        self._programs, self._folder, self.port = programs, folder / "postgres", free_port()
        self._as = [] if os.getuid() else ["runuser", "-u", "postgres", "--"]
        if self._folder.exists():
            self.start()
        else:
            self._make()

    def _make(self) -> None:
        self._folder.mkdir()
        if self._as:
            shutil.chown(self._folder, "postgres", "postgres")
        self._run("initdb", "-D", str(self._folder), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C")
        self.start()
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as admin:
            admin.execute("CREATE DATABASE rescind")

    def dsn(self, name: str = "rescind") -> str:
        """Return how to reach it."""
        return f"postgres://postgres@127.0.0.1:{self.port}/{name}"

    def _run(self, program: str, *args: str, check: bool = True) -> None:
        subprocess.run([*self._as, str(self._programs / program), *args], check=check, cwd="/",
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)  # fmt: skip

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200"
        self._run("pg_ctl", "-D", str(self._folder), "-l", str(self._folder / "log"), "-w", "-o", options, "start")

    def crash(self) -> None:
        """End it as a power cut would: no checkpoint, no goodbye."""
        self._run("pg_ctl", "-D", str(self._folder), "-m", "immediate", "-w", "stop", check=False)

    def cut(self, chance: Random, share: float) -> int:
        """End a share of the connections the desk holds, whatever they are in the middle of."""
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as admin:
            rows = admin.execute("SELECT pid FROM pg_stat_activity WHERE datname = 'rescind'").fetchall()
            ended = [pid for (pid,) in rows if chance.random() < share]
            for pid in ended:
                admin.execute("SELECT pg_terminate_backend(%s)", (pid,))
            return len(ended)


class OwnRedis:
    """A Redis that keeps nothing: broker in database 0, cache in database 1."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.port = folder, free_port()
        self._kept: list[bytes] = []
        self.start()

    @property
    def env(self) -> dict[str, str]:
        """The settings that point to it."""
        return {"BROKER_URL": f"redis://127.0.0.1:{self.port}/0", "CACHE_URL": f"redis://127.0.0.1:{self.port}/1"}

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
            cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        self.client = redis.Redis(port=self.port, socket_timeout=5)
        for _again in range(200):
            with suppress(redis.RedisError):
                self.client.ping()
                return
            time.sleep(0.05)
        raise RuntimeError("redis-server did not start")

    def stop(self) -> None:
        """Kill it; what it held is gone."""
        self._process.kill()
        self._process.wait()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let it accept connections and never answer."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def lose(self) -> None:
        self.client.delete(QUEUE)

    def flush(self) -> None:
        self.client.flushall()

    def double(self) -> None:
        for message in self.client.lrange(QUEUE, 0, 200):  # type: ignore[union-attr]
            self.client.rpush(QUEUE, message)

    def set_aside(self) -> None:
        """Take what waits out of the queue, to be given back late."""
        self._kept += self.client.lrange(QUEUE, 0, 200)  # type: ignore[operator]
        self.client.delete(QUEUE)

    def give_back(self) -> None:
        for message in self._kept:
            self.client.lpush(QUEUE, message)
        self._kept.clear()


class OwnVhost:
    """A virtual host of the shared RabbitMQ."""

    def __init__(self) -> None:
        self.name = f"rescind-{uuid.uuid4().hex[:10]}"
        self._control("add_vhost", self.name)
        self._control("set_permissions", "-p", self.name, "guest", ".*", ".*", ".*")

    @property
    def env(self) -> dict[str, str]:
        return {"BROKER_URL": f"amqp://guest:guest@127.0.0.1:5672/{self.name}"}

    def _control(self, *args: str) -> None:
        subprocess.run(["rabbitmqctl", "-q", *args], check=True, capture_output=True, timeout=60)

    def lose(self) -> None:
        with suppress(subprocess.CalledProcessError):  # before the first worker there is no queue
            self._control("purge_queue", "-p", self.name, QUEUE)

    flush = lose

    def hang_up(self) -> None:
        """Close every connection of the desk to the broker."""
        self._control("close_all_connections", "-p", self.name, "campaign")

    def stop(self) -> None:
        self._control("delete_vhost", self.name)


class OwnSpool:
    """The embedded broker's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._aside = folder / "spool", folder / "spool-aside"
        self._aside.mkdir()
        self.env = {"BROKER_URL": "spool"}

    def _waiting(self) -> list[Path]:
        return sorted(self._folder.glob("[0-9]*.msg"))

    def lose(self) -> None:
        for file in self._waiting():
            file.unlink(missing_ok=True)

    flush = lose

    def double(self) -> None:
        for file in self._waiting():
            with suppress(OSError):
                new = self._folder / f".{uuid.uuid4().hex}.new"
                new.write_bytes(file.read_bytes())
                first, _, rest = file.name.partition("_")
                new.rename(self._folder / f"{first}_{uuid.uuid4().hex}.{rest.partition('.')[2]}")

    def set_aside(self) -> None:
        for file in self._waiting():
            with suppress(OSError):
                file.rename(self._aside / file.name)

    def give_back(self) -> None:
        for file in self._aside.iterdir():
            file.rename(self._folder / file.name)

    def stop(self) -> None:
        """Nothing runs."""


Broker = OwnRedis | OwnVhost | OwnSpool
Database = Any
