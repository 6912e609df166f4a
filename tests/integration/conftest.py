"""The broker of these tests does nothing: what would be rung for is done by hand, so that every step can be seen."""

from collections.abc import Iterator

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
