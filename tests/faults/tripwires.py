"""Named steps of the straight line, wired from outside: who passes an armed one is killed, frozen or cut off.

A step is armed by a file ``<step>.<action>`` in the folder the environment names; the first process to pass takes the
file, writes a line into the journal and meets its fate. Nothing of the product is replaced, only surrounded.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from cancellations.batches import decisions, handing_in, planning, running
from cancellations.requests import asking, claiming, concluding, outcomes
from providers import network
from providers.wire import Wire
from tests.faults.steps import ACTIONS

_now = threading.local()


class _Wires:
    """The armed steps of one process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def trip(self, step: str, database: BaseDatabaseWrapper | None = None) -> None:
        """Act, when this step is armed."""
        for action in ACTIONS:
            if action == "cut" and (database is None or database.vendor != "postgresql"):
                continue
            try:
                os.unlink(self.folder / f"{step}.{action}")
            except OSError:
                continue
            with (self.folder / "journal").open("a") as journal:
                journal.write(f"{step} {action} {os.getpid()} {time.time():.3f}\n")
            if action == "cut":
                assert database is not None
                _cut(database)
                if step.startswith("after"):
                    raise OperationalError("the word that it was committed got lost")
            else:
                os.kill(os.getpid(), signal.SIGKILL if action == "kill" else signal.SIGSTOP)


def _cut(database: BaseDatabaseWrapper) -> None:
    """End this connection at the server and wait until it is gone."""
    line = database.connection.pgconn if database.connection else None
    if line is None:
        return
    host, port, user, name = line.host, line.port, line.user, line.db
    with (
        contextlib.suppress(psycopg.OperationalError),  # another fault may have taken the whole server
        psycopg.connect(host=host.decode(), port=port.decode(), user=user.decode(), dbname=name.decode()) as other,
    ):
        other.execute("SELECT pg_terminate_backend(%s, 2000)", (line.backend_pid,))


def install(folder: Path, *, skew: float = 0.0) -> None:
    """Lay the wires in this process; ``skew``: its clock is off by so many seconds."""
    wires = _Wires(folder)
    _surround_commits(wires)
    _surround_wire(wires)
    if skew:
        right = timezone.now
        timezone.now = lambda: right() + timedelta(seconds=skew)  # type: ignore[assignment]


@contextlib.contextmanager
def _step(name: str) -> Iterator[None]:
    before, _now.commit = getattr(_now, "commit", ""), name
    try:
        yield
    finally:
        _now.commit = before


def _within(name: str, plain: Callable[..., Any]) -> Callable[..., Any]:
    def surrounded(*args: Any, **kwargs: Any) -> Any:
        with _step(name):
            return plain(*args, **kwargs)

    return surrounded


def _or_many(one: str, many: str, plain: Callable[..., Any]) -> Callable[..., Any]:
    """Surround what takes a sequence: another step where it is several at once."""

    def surrounded(some: Sequence[Any]) -> Any:
        with _step(many if len(some) > 1 else one):
            return plain(some)

    return surrounded


def _surround_commits(wires: _Wires) -> None:
    claiming._claim_first = _within("claim", claiming._claim_first)
    claiming.claim_together = _noting_many(claiming.claim_together)
    concluding.conclude = outcomes.conclude = _within("result", concluding.conclude)
    outcomes.conclude_together = _or_many("result", "results", outcomes.conclude_together)
    planning.plan = _within("plan", planning.plan)
    running._step = _within("wave", running._step)
    asking.request_cancellation = _within("asked", asking.request_cancellation)
    handing_in.hand_in = _within("asked", handing_in.hand_in)
    for name in ("start", "pause", "resume", "stop", "retry"):
        setattr(decisions, name, _within("asked", getattr(decisions, name)))
    plain, keep = BaseDatabaseWrapper.commit, outcomes.Outcomes.add

    def commit(self: BaseDatabaseWrapper) -> None:
        step = getattr(_now, "commit", "")
        if step:
            wires.trip(f"before-{step}-commit", self)
        plain(self)
        if step:
            wires.trip(f"after-{step}-commit", self)

    def kept(self: outcomes.Outcomes, *outcome: Any) -> None:
        wires.trip("kept")
        keep(self, *outcome)

    BaseDatabaseWrapper.commit = commit  # type: ignore[method-assign]
    outcomes.Outcomes.add = kept  # type: ignore[method-assign]


def _noting_many(claim: Callable[..., Any]) -> Callable[..., Any]:
    """Have the commit of a claim be another step where several were claimed; it comes after this returned."""

    def noting(some: Sequence[Any], *more: Any) -> Any:
        if len(some) > 1:
            _now.commit = "claims"
        return claim(some, *more)

    return noting


def _surround_wire(wires: _Wires) -> None:
    write, send = Wire.write, network._Stream.write
    receive, connect = network._Stream.read, network._Backend.connect_tcp

    def is_cancel() -> bool:
        return getattr(_now, "writing", "") != ""

    def whole(self: Wire, *args: Any, **kwargs: Any) -> Any:
        _now.writing = "begun"
        try:
            return write(self, *args, **kwargs)
        finally:
            _now.writing = ""
            wires.trip("answered")

    def connected(self: Any, *args: Any, **kwargs: Any) -> Any:
        stream = connect(self, *args, **kwargs)
        if is_cancel():
            wires.trip("connected")
        return stream

    def half(self: Any, buffer: bytes, timeout: float | None = None) -> None:
        if is_cancel() and len(buffer) > 1 and _now.writing == "begun":
            _now.writing = "half"
            middle = len(buffer) // 2
            send(self, buffer[:middle], timeout)
            wires.trip("mid-request")
            buffer = buffer[middle:]
        send(self, buffer, timeout)

    def read(self: Any, *args: Any, **kwargs: Any) -> Any:
        if is_cancel() and _now.writing != "sent":
            _now.writing = "sent"
            wires.trip("sent")
        return receive(self, *args, **kwargs)

    Wire.write = whole  # type: ignore[method-assign]
    network._Backend.connect_tcp = connected  # type: ignore[method-assign]
    network._Stream.write = half  # type: ignore[method-assign]
    network._Stream.read = read  # type: ignore[method-assign]
