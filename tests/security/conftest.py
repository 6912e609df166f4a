"""The broker of these tests only takes note; see the integration tests."""

from tests.integration.conftest import rung

__all__ = ["rung"]
