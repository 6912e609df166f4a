"""Every page in a real browser: no axe finding, no sideways scroll, no complaint; and the main job without script."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser import pages
from tests.browser.journey import Eyes, enter, find, plain, sign_in
from tests.stack import Stack, wait_until

pytestmark = pytest.mark.browser

LOOKS = [
    pytest.param(390, "light", "en", id="phone-light"),
    pytest.param(390, "dark", "zh-CN", id="phone-dark-chinese"),
    pytest.param(1280, "light", "zh-CN", id="desktop-light-chinese"),
    pytest.param(1280, "dark", "en", id="desktop-dark"),
    pytest.param(1920, "light", "en", id="wide"),
]


@pytest.mark.parametrize(("width", "scheme", "language"), LOOKS)
def test_every_page_is_accessible_and_fits(
    browser: Browser, desk: Stack, width: int, scheme: str, language: str
) -> None:
    eyes = Eyes()
    page = sign_in_anyhow(browser, desk, eyes, viewport={"width": width, "height": 900}, color_scheme=scheme,
                          locale=language)  # fmt: skip
    found = []
    for sight in pages.walked(pages.made_by(desk, "few")):
        page.goto(sight.address)
        page.wait_for_load_state("networkidle")
        found += [f"{sight.name} {sight.address}: {one}" for one in faults(page)]
    assert found == []
    assert [text for text in eyes.complaints if "404" not in text] == []


def sign_in_anyhow(browser: Browser, desk: Stack, eyes: Eyes, **context: object) -> Page:
    """Sign the admin in, whatever the language."""
    page = browser.new_context(base_url=desk.url, **context).new_page()  # type: ignore[arg-type]
    eyes.watch(page)
    page.goto("/")
    assert faults(page) == []
    enter(page, "admin")
    page.wait_for_url(f"{desk.url}/")
    return page


def faults(page: Page) -> list[str]:
    """Return what axe finds, and whether the page scrolls sideways."""
    results = Axe().run(page).response["violations"]
    found = [f"{one['id']} ({one['impact']}): {node['html'][:120]}" for one in results for node in one["nodes"][:3]]
    wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return [*found, *(["it scrolls sideways"] if wide else [])]


def test_search_cancel_and_status_work_without_script(browser: Browser, desk: Stack) -> None:
    page = sign_in(browser, desk.url, "agent", Eyes(), java_script_enabled=False)
    find(page, plain(desk, "shoplazza", skip=9))
    page.select_option("#id_reason", "out_of_stock")
    page.click("#cancel-form button.danger")
    expect(page.locator("h1")).to_contain_text("Cancellation of")

    def cancelled() -> bool:
        page.reload()
        return page.locator("#status h2").inner_text() == "Cancelled."

    wait_until(cancelled)
    expect(page.locator("#timeline")).to_contain_text("Sent, attempt 1")


def test_four_keystrokes_and_a_paste(browser: Browser, desk: Stack) -> None:
    page = sign_in(browser, desk.url, "agent", Eyes())
    page.keyboard.press("/")
    page.keyboard.insert_text(plain(desk, "shoplazza", skip=11))
    page.keyboard.press("Enter")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("Order")
    assert re.search(r"/orders/\d+/", page.url)
