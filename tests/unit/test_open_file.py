"""A process that serves from SQLite keeps the file open, and so its lock, whoever closes what."""

import subprocess
import sys
from pathlib import Path

from tests.stack import ROOT

SCRIPT = """
import os, sys
from django.conf import settings

settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": sys.argv[1],
                                          "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL"}}})
from config.open_file import keep_open
from django.db import connection

def use():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS told (what)")
    connection.close()

def is_locked():
    words = f" {os.getpid()} ", f":{os.stat(sys.argv[1]).st_ino} "
    with open("/proc/locks") as lines:
        return any(all(word in line for word in words) for line in lines)

if "plain" not in sys.argv:
    keep_open()
use()
told = [is_locked()]
child = os.fork()
if not child:
    before = is_locked()
    use()
    os._exit(2 * before + is_locked())
told.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
use()
told.append(is_locked())
print(*told, os.path.exists(sys.argv[1] + "-wal"))
"""


def told(folder: Path, *more: str) -> str:
    run = [sys.executable, "-c", SCRIPT, str(folder / "db.sqlite3"), *more]
    return subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def test_it_holds_a_lock_between_two_uses_and_a_child_takes_one_of_its_own(tmp_path: Path) -> None:
    assert told(tmp_path) == "True 1 True True"


def test_without_it_there_is_none_and_who_closes_last_removes_the_log(tmp_path: Path) -> None:
    assert told(tmp_path, "plain") == "False 0 False False"
