"""What is installed is what was looked at: exact versions, each with the hashes of its files."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ["requirements.txt", "requirements-dev.txt", "requirements-scan.txt"]
_PIN = re.compile(r"([a-z0-9.-]+)==([^ ;\\]+)( ; [^\\]+)? \\")
_HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


def read(lock: str) -> dict[str, tuple[str, int]]:
    """Return each package's version and how many hashes it has; any other line is a fault."""
    found: dict[str, tuple[str, int]] = {}
    name = ""
    for line in (ROOT / lock).read_text(encoding="utf-8").splitlines():
        if pin := _PIN.fullmatch(line):
            name = pin[1]
            found[name] = (pin[2], 0)
        elif _HASH.fullmatch(line):
            found[name] = (found[name][0], found[name][1] + 1)
        else:
            assert line.startswith("    #"), f"{lock}: neither a version nor a hash: {line}"
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_S19_every_package_has_one_version_and_its_hashes(lock: str) -> None:
    found = read(lock)
    assert len(found) > 30
    assert [name for name, (_version, hashes) in found.items() if not hashes] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_S19_a_lock_names_no_place_to_fetch_from(lock: str) -> None:
    assert re.findall(r"://|--(?:index|extra|find|trusted)\S*", (ROOT / lock).read_text(encoding="utf-8")) == []


def test_S19_what_is_asked_for_is_locked_and_tested_as_it_runs() -> None:
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = {
        "requirements.txt": asked["project"]["dependencies"],
        "requirements-dev.txt": asked["project"]["dependencies"] + asked["project"]["optional-dependencies"]["dev"],
        "requirements-scan.txt": asked["dependency-groups"]["scan"],
    }
    for lock, names in wanted.items():
        missing = {re.match(r"[a-z0-9-]+", one)[0] for one in names} - set(read(lock))  # type: ignore[index]
        assert missing == set(), lock
    runs, tested = read("requirements.txt"), read("requirements-dev.txt")
    assert {name: one for name, one in runs.items() if tested.get(name) != one} == {}
