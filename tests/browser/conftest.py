"""A real Chromium in front of a real desk."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.conftest import CHROMIUM
from tests.stack import Stack, stack

# Two cores do the work of web, worker, sandbox and browser at once.
expect.set_options(timeout=20_000)
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": FLAGS}


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The desk as the demo runs it: SQLite, the embedded broker, one web server, one worker."""
    folder: Path = tmp_path_factory.mktemp("desk")
    with stack(folder) as made:
        yield made
