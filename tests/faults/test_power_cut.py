"""R13: the power fails while people ask and workers send, and what was acknowledged is there when the machine is back.

The desk works on a disk of its own, a file. Everything stops for a moment, the file is copied as it is, and the copy
is what a machine finds after a power cut: what lay in memory only is not in it.
"""

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from tests.faults.checker import ENDED, Unit, query, states_of
from tests.faults.field import Field, children_of, field_of, state_in
from tests.faults.people import People, units_of
from tests.faults.services import OwnPostgres
from tests.stack import wait_until

CUTS = 20
DISK_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True)
class Acknowledged:
    """What somebody was told, or a platform was sent, before the power failed.

    Attributes:
        accepted: The requests people were led to.
        final: What the database said is over, and how.
        sent: How many cancels of a unit its platform had received.
    """

    accepted: frozenset[int]
    final: dict[int, str]
    sent: Counter[Unit]


def can_mount() -> bool:
    """Tell whether a file can be a disk here."""
    with (
        tempfile.TemporaryDirectory() as name,
        suppress(OSError, subprocess.CalledProcessError),
        disk(Path(name) / "image", Path(name) / "disk", 8 * 1024 * 1024),
    ):
        return True
    return False


@contextmanager
def disk(image: Path, folder: Path, size: int = 0) -> Iterator[Path]:
    """Mount an image, a new and empty one if it has a ``size`` in bytes."""
    if size:
        with image.open("wb") as file:
            file.truncate(size)
        subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True, capture_output=True)
    folder.mkdir()
    subprocess.run(["mount", "-o", "loop", str(image), str(folder)], check=True, capture_output=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()


def everybody(field: Field) -> list[int]:
    """Return every process that writes on the disk."""
    pids = list(field.pids.values())
    if field.postgres:
        pids.append(int((field.folder / "postgres/postmaster.pid").read_text().split()[0]))
    for pid in pids:  # it grows as it goes
        with suppress(OSError):
            pids += children_of(pid)
    return pids


def is_stopped(pid: int) -> bool:
    try:
        return all(state_in(thread) in "TZX" for thread in Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return True


@contextmanager
def stopped(pids: list[int]) -> Iterator[None]:
    """Let nobody do anything for a moment: a file that is written while it is copied is no moment of a disk."""
    try:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: all(is_stopped(pid) for pid in pids))
        yield
    finally:
        for pid in reversed(pids):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def acknowledged(field: Field, people: People) -> Acknowledged:
    with people.lock:
        accepted = frozenset(people.told.accepted)
    final = {pk: state for pk, state in states_of(field.database).items() if state in ENDED}
    calls = query(
        str(field.folder / "sandbox.sqlite3"), "SELECT slug, key FROM ledger WHERE event IN ('called', 'again')"
    )
    return Acknowledged(accepted, final, Counter((slug, key) for slug, key in calls))


@contextmanager
def database_of(folder: Path, kind: str) -> Iterator[str]:
    """Have the database recover from what is on the disk."""
    if not kind.startswith("postgres"):
        yield str(folder / "rescind.sqlite3")
        return
    (folder / "postgres/postmaster.pid").unlink()  # after a power cut no process has that number
    server = OwnPostgres(folder)
    try:
        yield server.dsn()
    finally:
        server.crash()


@pytest.mark.parametrize("kind", ["sqlite+spool", pytest.param("postgres+redis", marks=pytest.mark.cluster)])
@pytest.mark.skipif(not can_mount(), reason="not run, for no file can be mounted as a disk here")
def test_R13_a_power_cut_takes_nothing_back_that_was_acknowledged(kind: str, place: Path) -> None:
    image, copy = place / "image", place / "copy"
    calm, seen = threading.Event(), []
    with disk(image, place / "disk", DISK_BYTES) as own:
        desk = own / "desk"
        desk.mkdir()
        with field_of(desk, kind=kind, orders=400, workers=1) as field:
            people = People(field, Random(13))
            forms = iter(units_of(field.database, Random(13)))

            def ask() -> None:
                while not calm.is_set() and (form := next(forms, None)):
                    people.ask(form)

            asking = threading.Thread(target=ask)
            asking.start()
            try:
                for number in range(CUTS):
                    wait_until(lambda: len(people.told.accepted) > 3 * (number + 1), 60)  # noqa: B023
                    before = acknowledged(field, people)
                    (own / "unsynced").write_bytes(b"in memory only")
                    with stopped(everybody(field)):
                        subprocess.run(["cp", "--sparse=always", str(image), str(copy)], check=True)
                    (own / "unsynced").unlink()
                    with disk(copy, place / "found") as found:
                        lost = found / "unsynced"
                        assert not lost.exists() or not lost.read_bytes(), "this was no power cut"
                        seen.append(compare(before, found / "desk", kind, people))
                    time.sleep(0.05)
            finally:
                calm.set()
                asking.join()
    assert sum(accepted for accepted, _sent, _over in seen) > CUTS
    assert sum(sent for _accepted, sent, _over in seen) > CUTS
    assert sum(over for _accepted, _sent, over in seen) > CUTS


def compare(before: Acknowledged, folder: Path, kind: str, people: People) -> tuple[int, int, int]:
    """Look for all that was acknowledged in what the power cut left; return how much it was."""
    with database_of(folder, kind) as database:
        states = states_of(database)
        assert before.accepted <= set(states), "what was accepted is lost"
        assert {pk: states[pk] for pk in before.final} == before.final, "what was over is not over"
        with people.lock:
            units = dict(people.told.accepted)
        sends = query(database, "SELECT cancellation_id FROM cancellations_attempt WHERE kind = 'send'")
        attempts = Counter(units.get(pk) for (pk,) in sends)
        assert before.sent <= attempts, "something was sent whose claim is lost"
    return len(before.accepted), before.sent.total(), len(before.final)
