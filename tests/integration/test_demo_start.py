"""``make demo`` as a person meets it: one clear sentence when it cannot start, and never a child left behind.

Real processes on loopback, found by Linux's /proc; nothing here needs the network.
"""

import contextlib
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stack import ROOT, free_port, wait_until

Popen = subprocess.Popen[str]


def start(folder: Path | str, *, web: int | str | None = None, sandbox: int | None = None, **env: str) -> Popen:
    """Start the demo as ``make demo`` does."""
    ports = {"DEMO_PORT": str(web or free_port()), "SANDBOX_PORT": str(sandbox or free_port())}
    return subprocess.Popen(
        [sys.executable, "-m", "config.demo"],
        cwd=ROOT,
        env={**os.environ, **ports, "DEMO_DIR": str(folder), **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def refused(demo: Popen) -> str:
    """Wait until it gave up; return its one sentence."""
    out, err = demo.communicate(timeout=20)
    assert demo.returncode not in (0, None)
    assert out == ""
    assert "Traceback" not in err
    (sentence,) = err.strip().splitlines()
    return sentence


def alive(folder: Path) -> set[int]:
    """The processes that were started for this folder, by their environment."""
    found = set()
    mark = f"DEMO_DIR={folder}\0".encode()
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and mark in (entry / "environ").read_bytes():
                found.add(int(entry.name))
    return found


def is_up(demo: Popen) -> str:
    """Read what it prints until it is up; return all of it."""
    assert demo.stdout
    told = ""
    for line in demo.stdout:
        told += line
        if "Ctrl-C ends everything" in line:
            return told
    raise AssertionError(f"it ended: {told}{demo.stderr.read() if demo.stderr else ''}")


def ended(folder: Path) -> Callable[[], bool]:
    return lambda: not alive(folder)


@pytest.fixture
def demos(tmp_path: Path) -> Iterator[list[Popen]]:
    """Whatever a test starts is gone afterwards, even when the test failed."""
    started: list[Popen] = []
    yield started
    for one in started:
        if one.poll() is None:
            one.kill()
        one.communicate(timeout=10)
    for pid in alive(tmp_path):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


# -- it cannot start


@pytest.mark.parametrize("which", ["DEMO_PORT", "SANDBOX_PORT"])
def test_a_port_in_use_is_one_sentence_that_names_it(which: str, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ports: dict[str, Any] = {"web" if which == "DEMO_PORT" else "sandbox": port}
        sentence = refused(start(tmp_path, **ports))
    assert f"Port {port} is in use" in sentence
    assert f"{which}=" in sentence
    assert alive(tmp_path) == set()


@pytest.mark.parametrize("port", ["http", "0", "70000", "-1"])
def test_a_port_that_is_none_is_one_sentence(port: str, tmp_path: Path) -> None:
    sentence = refused(start(tmp_path, web=port))
    assert "DEMO_PORT" in sentence
    assert port in sentence


def test_one_port_for_two_is_one_sentence(tmp_path: Path) -> None:
    port = free_port()
    assert str(port) in refused(start(tmp_path, web=port, sandbox=port))


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("")
    below = tmp_path / "a-file" / "demo"
    sentence = refused(start(below))
    assert str(below) in sentence
    assert "DEMO_DIR=" in sentence
    assert alive(below) == set()


def test_a_program_that_fails_while_preparing_says_where_to_look(tmp_path: Path) -> None:
    (tmp_path / "rescind.sqlite3").write_text("this is no database")
    sentence = refused(start(tmp_path))
    log = re.search(rf"{re.escape(str(tmp_path))}\S+\.log", sentence)
    assert log
    assert "file is not a database" in Path(log[0]).read_text()
    assert wait_until(ended(tmp_path), 10)


# -- it starts, and ends


def test_it_starts_twice_over_the_same_folder_and_leaves_no_child_when_it_ends_or_is_killed(
    tmp_path: Path, demos: list[Popen]
) -> None:
    # A proxy of the person's own must not come between the demo and its children.
    proxy = {"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    web = free_port()
    first = start(tmp_path, web=web, **proxy)
    demos.append(first)
    told = is_up(first)
    assert [role for role in ("agent", "manager", "admin") if not re.search(rf"as {role} +password \S+", told)] == []
    assert len(alive(tmp_path)) >= 6  # itself, sandbox, web (two), worker, beat
    rows, keys = _rows(tmp_path), (tmp_path / "keys.env").read_text()
    assert rows["cancellations_order"] >= 2000
    assert rows["cancellations_shop"] == 5
    assert rows["cancellations_person"] == 3
    assert rows["cancellations_pulse"] >= 1  # a worker was heard of before it was called up
    assert (tmp_path / "keys.env").stat().st_mode & 0o077 == 0
    assert (tmp_path / "settings.env").stat().st_mode & 0o077 == 0
    command = [sys.executable, "manage.py", "platforms"]  # with nothing but that file, as the README says
    alone = {"PATH": os.environ["PATH"], "ENV_FILE": str(tmp_path / "settings.env")}
    assert subprocess.run(command, cwd=ROOT, env=alone, capture_output=True, check=True).stdout
    first.send_signal(signal.SIGINT)
    first.wait(20)
    assert first.returncode == 0
    assert alive(tmp_path) == set()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", web)) != 0

    second = start(tmp_path, web=web)
    demos.append(second)
    is_up(second)
    assert {**_rows(tmp_path), "cancellations_pulse": 0} == {**rows, "cancellations_pulse": 0}
    assert (tmp_path / "keys.env").read_text() == keys
    second.kill()  # it cannot end anybody any more; the kernel does
    assert wait_until(ended(tmp_path), 15)


def _rows(folder: Path) -> dict[str, int]:
    tables = ("cancellations_order", "cancellations_shop", "cancellations_person", "cancellations_pulse")
    with contextlib.closing(sqlite3.connect(folder / "rescind.sqlite3")) as database:
        return {one: database.execute(f"SELECT count(*) FROM {one}").fetchone()[0] for one in tables}  # noqa: S608


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_while_it_prepares_leaves_nobody(number: signal.Signals, tmp_path: Path, demos: list[Popen]) -> None:
    demo = start(tmp_path)
    demos.append(demo)
    wait_until(lambda: (tmp_path / "fill.log").exists(), 20)
    time.sleep(0.3)
    assert alive(tmp_path)
    demo.send_signal(number)
    demo.send_signal(number)  # and once more, as people do
    out, err = demo.communicate(timeout=20)
    assert "Traceback" not in err, err
    assert wait_until(ended(tmp_path), 10)
    assert "is up" not in out
