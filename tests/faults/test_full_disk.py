"""SQLite, one worker, and a disk that is full for a while: nothing is lost, nothing sent twice, and it goes on."""

import resource
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from tests.faults.checker import check, query, states_of, unsettled
from tests.faults.field import Field, children_of, field_of
from tests.faults.people import Browser, People, units_of
from tests.stack import wait_until

DISK_BYTES = 48 * 1024 * 1024
LIMIT_BYTES = 64 * 1024
LEASE = 3


@dataclass
class Disk:
    """A folder with little room; ``mounted``: it is a disk of its own, else our processes may write no large files."""

    folder: Path
    mounted: bool

    def fill(self, field: Field) -> None:
        """Leave no byte of room; what was set aside in the database's own files is taken, too."""
        write_back(field)
        if not self.mounted:
            self._limit(field, LIMIT_BYTES)
            return
        with suppress(OSError), (self.folder / "ballast").open("wb", buffering=0) as ballast:
            for size in (1024 * 1024, 4096, 1):
                with suppress(OSError):
                    while ballast.write(bytes(size)):
                        pass

    def make_room(self, field: Field) -> None:
        if self.mounted:
            (self.folder / "ballast").unlink()
        else:
            self._limit(field, resource.RLIM_INFINITY)

    def _limit(self, field: Field, most: int) -> None:
        for name in ("worker0", "web", "beat"):
            for pid in (field.pids[name], *children_of(field.pids[name])):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


def write_back(field: Field) -> None:
    """Have the write-ahead log be written back and cut to nothing, so that the next commit needs room."""
    with closing(sqlite3.connect(field.database, timeout=30)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def states(field: Field) -> dict[int, str]:
    return states_of(field.database)


def calls(field: Field) -> int:
    """Return how many cancels the platforms received, by their own ledger."""
    ledger = str(field.folder / "sandbox.sqlite3")
    return int(query(ledger, "SELECT count(*) FROM ledger WHERE event IN ('called', 'again')")[0][0])


def said(field: Field) -> str:
    return (field.folder / "worker0.log").read_text()


@contextmanager
def little_disk() -> Iterator[Disk]:
    """Mount a disk of its own in memory; where that is not allowed, an ordinary folder."""
    with tempfile.TemporaryDirectory(prefix="rescind-disk-", ignore_cleanup_errors=True) as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", folder]
        mounted = bool(shutil.which("mount")) and not subprocess.run(mount, capture_output=True, check=False).returncode
        try:
            yield Disk(Path(folder), mounted)
        finally:
            if mounted:
                subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def disk() -> Iterator[Disk]:
    with little_disk() as made:
        yield made


def test_R12_on_a_full_disk_nothing_is_sent_unclaimed_no_answer_is_lost_and_it_goes_on(
    disk: Disk, tmp_path: Path
) -> None:
    for name, there in (("rescind.sqlite3", disk.folder), ("sandbox.sqlite3", tmp_path)):
        here = tmp_path if there == disk.folder else disk.folder
        (here / name).symlink_to(there / name)
    more = {"DATA_DIR": str(disk.folder), "DATABASE_URL": f"sqlite:///{disk.folder / 'rescind.sqlite3'}"}
    times = {"CALL_SECONDS": "2", "LEASE_SECONDS": str(LEASE)}
    with field_of(tmp_path, kind="sqlite+spool", orders=60, workers=1, **more, **times) as field:
        people, admin = People(field, Random(12)), Browser(field.address, "admin")
        under_way, *others = [one for one in units_of(field.database, Random(12)) if one.shop == "shoplazza-1"]
        field.control("shoplazza", switches={"latency": 0.8})
        first = people.ask(under_way)
        wait_until(lambda: states(field) == {first: "sending"})
        time.sleep(0.3)  # the request is on its way
        with field.frozen("worker0"):
            waiting = [people.ask(form) for form in others[:4]]
            disk.fill(field)
        refused = [people.ask_once(form) for form in others[4:8]]
        assert [one and one.status for one in refused] == [500] * 4
        time.sleep(2 * LEASE)
        assert calls(field) == 1, "what can't be claimed is not sent"
        assert states(field) == {first: "sending", **dict.fromkeys(waiting, "queued")}
        assert ("database or disk is full" if disk.mounted else "disk I/O error") in said(field)
        if disk.mounted:
            assert "The disk of DATA_DIR is full" in admin.look("/operations/")

        disk.make_room(field)
        wait_until(lambda: not unsettled(field.database), 60)
        assert states(field) == dict.fromkeys([first, *waiting], "succeeded")
        assert calls(field) == 5
        found = check(field.database, tmp_path / "sandbox.sqlite3", people.told, LEASE)
        assert found.is_clean, found
        assert people.ask(others[4]), "and what was refused is taken now"
