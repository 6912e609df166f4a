"""The first commands of somebody who has just cloned it: one sentence where something is missing, never a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config import keys
from tests.stack import ROOT


def manage(*words: str, env_file: Path | str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command with nothing in its environment but a settings file."""
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "ENV_FILE": str(env_file), **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("words", [("platforms",), ("migrate",), ("audit", "verify")])
def test_without_settings_a_command_says_what_is_missing_and_how_to_make_it(words: tuple[str, ...]) -> None:
    done = manage(*words, env_file=os.devnull)
    assert done.returncode == 1
    assert done.stdout == ""
    (sentence,) = done.stderr.strip().splitlines()
    assert "SECRET_KEY, CREDENTIAL_KEYS, AUDIT_KEYS, SEARCH_KEY" in sentence
    assert "make env" in sentence


def test_a_database_that_is_not_migrated_or_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    made = tmp_path / ".env"
    keys.write_env(ROOT / ".env.example", made)
    for address in (f"sqlite:///{tmp_path}/new.sqlite3", f"sqlite:///{tmp_path}/no/such/folder.sqlite3"):
        done = manage("cancellations", "--json", env_file=made, DATA_DIR=str(tmp_path / "data"), DATABASE_URL=address)
        assert done.returncode == 1
        (sentence,) = done.stderr.strip().splitlines()
        assert "DATABASE_URL" in sentence
        assert "migrate" in sentence


def test_the_file_that_is_made_is_enough_to_begin_and_private(tmp_path: Path) -> None:
    made = tmp_path / ".env"
    keys.write_env(ROOT / ".env.example", made)
    assert made.stat().st_mode & 0o077 == 0
    done = manage("platforms", env_file=made, DATA_DIR=str(tmp_path / "data"))
    assert done.returncode == 0, done.stderr
    assert "credential:" in done.stdout


def test_keys_that_are_there_are_never_written_over(tmp_path: Path) -> None:
    made = tmp_path / ".env"
    keys.write_env(ROOT / ".env.example", made)
    before = made.read_text()
    with pytest.raises(FileExistsError):
        keys.write_env(ROOT / ".env.example", made)
    assert made.read_text() == before


def test_two_files_share_no_key(tmp_path: Path) -> None:
    assert not set(keys.fresh_keys().values()) & set(keys.fresh_keys().values())
