"""Makes the README's picture: starts a desk of its own, cancels an order on it, and photographs the order page."""

import os
import sys
import tempfile
from pathlib import Path

import django
from playwright.sync_api import sync_playwright

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from tests.browser.conftest import FLAGS  # noqa: E402 - the journey needs the apps
from tests.browser.journey import Eyes, ask, find, outcome, plain, sign_in  # noqa: E402
from tests.conftest import CHROMIUM  # noqa: E402
from tests.stack import ROOT, stack  # noqa: E402


def main() -> int:
    """Write docs/order-page.png and docs/cancellation-page.png."""
    with tempfile.TemporaryDirectory() as folder, stack(Path(folder)) as desk, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = sign_in(browser, desk.url, "agent", Eyes(), viewport={"width": 1280, "height": 860})
        find(page, plain(desk, "shoplazza"))
        page.wait_for_load_state("networkidle")
        page.screenshot(path=ROOT / "docs" / "order-page.png")
        ask(page)
        outcome(page, r"^Cancelled\.$")
        page.wait_for_timeout(3000)
        page.screenshot(path=ROOT / "docs" / "cancellation-page.png", full_page=True)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
