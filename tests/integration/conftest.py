"""The broker of these tests does nothing: what would be rung for is done by hand, so that every step can be seen."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polib
import pytest

from cancellations import ring
from tests.desk import no_transports_left


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, tuple[object, ...]]]]:
    """Collect what was rung for: (task, arguments)."""
    heard: list[tuple[str, tuple[object, ...]]] = []
    monkeypatch.setattr(ring, "_publish", lambda task, args: heard.append((task.name.rpartition(".")[2], args)))
    with no_transports_left():
        yield heard


@pytest.fixture
def compiled(tmp_path: Path, settings: Any) -> None:
    """Compile the catalogue that is kept, whatever was built before."""
    folder = tmp_path / "zh_Hans" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    source = Path(settings.LOCALE_PATHS[0]) / "zh_Hans" / "LC_MESSAGES" / "django.po"
    shutil.copy(source, folder)
    polib.pofile(str(source)).save_as_mofile(str(folder / "django.mo"))
    settings.LOCALE_PATHS = [tmp_path]
