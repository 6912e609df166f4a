"""Each mistake the campaign must find can still be put into the code; `python -m tests.faults.mutants` runs them."""

from pathlib import Path

import pytest

from tests.faults.mutants import mutate, patches
from tests.stack import ROOT


@pytest.mark.parametrize("patch", patches(), ids=lambda patch: patch.stem)
def test_R02_a_mutant_still_applies(patch: Path, tmp_path: Path) -> None:
    mutate(patch, tmp_path)
    changed = [
        file
        for folder in ("cancellations", "providers")
        for file in (ROOT / folder).rglob("*.py")
        if (tmp_path / file.relative_to(ROOT)).read_text() != file.read_text()
    ]
    assert changed
    for file in changed:
        compile((tmp_path / file.relative_to(ROOT)).read_text(), str(file), "exec")


def test_R02_there_are_twelve() -> None:
    assert len(patches()) == 12
