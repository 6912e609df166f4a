"""A folder for a desk under fire."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def place() -> Iterator[Path]:
    """Return a folder that PostgreSQL's own account may enter, as it may not enter pytest's."""
    with tempfile.TemporaryDirectory(prefix="rescind-faults-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)
