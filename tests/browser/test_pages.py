"""Every page in a real browser: no axe finding, no sideways scroll, no complaint; and the main job without script."""

import re
from contextlib import suppress

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import Resolver404, resolve
from playwright.sync_api import Browser, Page, expect

from tests.browser import pages
from tests.browser.journey import Eyes, enter, find, plain, sign_in
from tests.security.test_S01_routes import NONE, TABLE
from tests.stack import ROOT, Stack, wait_until

pytestmark = pytest.mark.browser

LOOKS = [
    pytest.param(390, "light", "en", id="phone-light"),
    pytest.param(390, "dark", "zh-CN", id="phone-dark-chinese"),
    pytest.param(1280, "light", "zh-CN", id="desktop-light-chinese"),
    pytest.param(1280, "dark", "en", id="desktop-dark"),
    pytest.param(1920, "light", "en", id="wide"),
]


@pytest.fixture(scope="module")
def made(desk: Stack) -> pages.Made:
    """What the pages that are walked show; looking at it changes nothing."""
    return pages.made_by(desk, "few")


@pytest.mark.parametrize(("width", "scheme", "language"), LOOKS)
def test_every_page_is_accessible_and_fits(
    browser: Browser, desk: Stack, made: pages.Made, width: int, scheme: str, language: str
) -> None:
    eyes = Eyes()
    page = sign_in_anyhow(browser, desk, eyes, viewport={"width": width, "height": 900}, color_scheme=scheme,
                          locale=language)  # fmt: skip
    found = []
    for sight in pages.walked(made):
        page.goto(sight.address)
        page.wait_for_load_state("networkidle")
        found += [f"{sight.name} {sight.address}: {one}" for one in faults(page)]
    assert found == []
    assert [text for text in eyes.complaints if "404" not in text] == []


# Routes that answer a get with a file, a part of a page or a bare word; all others that take one are pages.
NO_PAGES = {
    "health", "orders:fresh", "orders:refused", "orders:template", "requests:status", "requests:picture",
    "batches:progress", "batches:result", "batches:template",
}  # fmt: skip
NOT_HERE = {route for route, answers in TABLE.items() if answers.get("GET") == NONE}
# What the browser itself says of the answer that a sight of a fault asks for.
REFUSED = re.compile(r"the server responded with a status of (?:4\d\d|500)")


def test_every_other_page_is_accessible_and_fits_in_one_look_each(
    browser: Browser, desk: Stack, made: pages.Made
) -> None:
    found: list[str] = []
    people: dict[str, tuple[Page, Eyes]] = {}
    for number, sight in enumerate(pages.once(made)):
        if sight.who not in people:
            people[sight.who] = let_in(browser, desk, sight.who)
        page, eyes = people[sight.who]
        width, scheme, language = LOOKS[number % len(LOOKS)].values
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.set_extra_http_headers({"Accept-Language": language})
        eyes.complaints.clear()
        try:
            page.goto(sight.address)
            page.wait_for_load_state("networkidle")
            sight.act(page, desk)
            found += [f"{sight.name} {width} {scheme} {language}: {one}" for one in faults(page)]
        finally:
            sight.after(page, desk)
        found += [f"{sight.name}: {text}" for text in eyes.complaints if not (is_fault(sight) and REFUSED.search(text))]
    assert found == []


def test_no_page_is_left_out(made: pages.Made) -> None:
    seen, names = {"account_login"}, set()  # whoever signs in has met the door
    for sight in (*pages.walked(made), *pages.once(made)):
        names.add(sight.name)
        with suppress(Resolver404):
            seen.add(resolve(sight.address.partition("?")[0]).view_name)
    assert {route for route, answers in TABLE.items() if "GET" in answers} - NO_PAGES - NOT_HERE == seen
    for template in (ROOT / "templates").glob("[45]*.html"):
        assert f"95-fault-{template.stem.replace('_', '-')}" in names


def is_fault(sight: pages.Sight) -> bool:
    """Tell whether a sight asks for what is refused."""
    return sight.name.startswith("95-fault")


def let_in(browser: Browser, desk: Stack, who: str) -> tuple[Page, Eyes]:
    """Open a browser for somebody; "" stays outside."""
    eyes = Eyes()
    if who:
        return sign_in(browser, desk.url, who, eyes), eyes
    page = browser.new_context(base_url=desk.url).new_page()
    eyes.watch(page)
    return page, eyes


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
