"""The demo's children: started together, ended together; forked from one process that has loaded the desk."""

import contextlib
import ctypes
import http.client
import importlib
import os
import runpy
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Protocol

import django
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent
ANSWER_SECONDS = 40.0
ENDS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# What the children spend their first second on.
_LOADED = (
    "config.urls",
    "cancellations.requests.tasks",
    "gunicorn.app.wsgiapp",
    "gunicorn.workers.gthread",
    "celery.bin.celery",
)
# Loopback is asked directly, whatever proxy the environment names.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class CannotStart(Exception):
    """One clear sentence."""


class Child(Protocol):
    """What is needed of a process, as ``subprocess.Popen`` has it."""

    pid: int

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...


class Family:
    """The children: started together, ended together."""

    def __init__(self, env: Mapping[str, str], folder: Path) -> None:
        self._env, self._folder = {**os.environ, **env}, folder
        self.children: dict[str, Child] = {}

    def start(self, name: str, *command: str) -> None:
        with (self._folder / f"{name}.log").open("wb") as log:
            self.children[name] = self._begin(command, log)

    def _begin(self, command: Sequence[str], log: IO[bytes]) -> Child:
        return subprocess.Popen(  # noqa: S603 - our own programs
            [sys.executable, "-m", *command],
            env=self._env,
            cwd=ROOT,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            preexec_fn=_die_with_parent,  # no threads run yet in this process
            start_new_session=True,
        )

    def wait_for(self, name: str, url: str) -> None:
        """Wait until a child answers; CannotStart with where to look when it ended or never does."""

        def answers() -> bool:
            with contextlib.suppress(OSError, http.client.HTTPException), _DIRECT.open(url, timeout=2):
                return True
            return False

        self.wait_until(name, answers)

    def wait_until(self, name: str, is_there: Callable[[], bool]) -> None:
        """Wait until something shows that a child is at work; CannotStart as in :meth:`wait_for`."""
        ends = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < ends and self.children[name].poll() is None:
            if is_there():
                return
            time.sleep(0.1)
        raise CannotStart(f"The {name} did not start; its last words are in {self._folder / (name + '.log')}.")

    def run(self, name: str, *command: str) -> None:
        """Run something to its end; CannotStart with where to look when it fails."""
        self.start(name, *command)
        self.finish(name)

    def finish(self, name: str) -> None:
        """Wait for the end of what runs to its end; CannotStart as in :meth:`run`."""
        failed = self.children[name].wait()  # still one of the children, so that Ctrl-C ends it, too
        del self.children[name]
        if failed:
            raise CannotStart(f"Preparing failed; the last words are in {self._folder / (name + '.log')}.")

    def ended(self) -> str | None:
        """Return the name of a child that is gone, if any."""
        return next((name for name, child in self.children.items() if child.poll() is not None), None)

    def end(self) -> None:
        """End every child; whoever does not hear in time is killed."""
        for child in self.children.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGTERM)
        ends = time.monotonic() + 8
        for child in self.children.values():
            try:
                child.wait(max(0.1, ends - time.monotonic()))
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)


class Forked:
    """A child that goes on as another program, with what its parent has loaded."""

    def __init__(self, command: Sequence[str], log: IO[bytes]) -> None:
        self._code: int | None = None
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)  # else a Ctrl-C just now would make a second parent of it
        self.pid = os.fork()
        if not self.pid:
            _become(command, log)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)

    def poll(self) -> int | None:
        if self._code is None and (found := os.waitpid(self.pid, os.WNOHANG))[0]:
            self._code = os.waitstatus_to_exitcode(found[1])
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        ends = time.monotonic() + timeout if timeout is not None else None
        while (code := self.poll()) is None:
            if ends is not None and time.monotonic() > ends:
                raise subprocess.TimeoutExpired("", timeout or 0.0)
            time.sleep(0.02)
        return code


class WarmFamily(Family):
    """Children that need not load the desk, which takes each a second: it is loaded here, once, and they are forked."""

    def load(self) -> None:
        """Load it under the children's environment.

        Raises:
            CannotStart: It refuses a setting.
        """
        os.environ.update(self._env)
        try:
            django.setup()
            for name in _LOADED:
                importlib.import_module(name)
        except (ImproperlyConfigured, ValueError) as error:
            raise CannotStart(f"A setting of the environment is not understood: {error}") from error

    def _begin(self, command: Sequence[str], log: IO[bytes]) -> Child:
        return Forked(command, log)


def _become(command: Sequence[str], log: IO[bytes]) -> None:
    """Be that program, in the child; never returns."""
    code = 1
    try:
        os.setsid()
        _die_with_parent()
        for number in ENDS:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for given, taken in ((nothing, 0), (log.fileno(), 1), (log.fileno(), 2)):
            os.dup2(given, taken)
        sys.argv = list(command)
        runpy.run_module(command[0], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)  # noqa: T201 - as Python itself does
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
    except BaseException:  # noqa: BLE001 - a child must never go on as its parent
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _die_with_parent() -> None:
    """Have the kernel end a child whose parent was killed (Linux; elsewhere Ctrl-C alone ends it)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)
