"""The main job as a person does it: sign in, find, cancel, watch the outcome; and what the others see of it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Page, Response, expect

from cancellations.management.commands.demo import PEOPLE
from providers.registry import PROVIDERS
from providers.world import World
from tests.stack import Stack

OUTCOME_MS = 40_000


@dataclass
class Eyes:
    """Collects everything the browser was shown."""

    bodies: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("response", self._response)
        page.on("console", lambda one: self.complaints.append(one.text) if one.type == "error" else None)
        page.on("pageerror", lambda one: self.complaints.append(str(one)))

    def _response(self, response: Response) -> None:
        if "text/html" in response.headers.get("content-type", "") and response.status < 300:
            try:
                self.bodies.append(response.text())
            except Exception:  # noqa: BLE001, S110 - a page that was left before its body arrived shows nothing
                pass


def sign_in(browser: Browser, url: str, name: str, eyes: Eyes, password: str = "", **context: object) -> Page:
    """Sign somebody in and return their page."""
    page = browser.new_context(base_url=url, **context).new_page()  # type: ignore[arg-type]
    eyes.watch(page)
    page.goto("/")
    enter(page, name, password)
    expect(page.locator("h1")).to_have_text("Home")
    return page


def enter(page: Page, name: str, password: str = "") -> None:
    """Fill in the door, and knock; the password is the demo's where none is given."""
    page.fill("input[name=login]", name)
    page.fill("input[name=password]", password or PEOPLE[name])
    page.press("input[name=password]", "Enter")


def numbers_of(stack: Stack, slug: str) -> list[str]:
    """Return ids of orders of the sandbox that the index shows as cancellable, as a person would paste them."""
    rows = PROVIDERS[slug].sandbox.rows(World(slug, str(stack.folder / "sandbox.sqlite3")))
    first = PROVIDERS[slug].card.lookup[0].name
    return [row.get("order_number") or row[first] for row in rows if row.get("status") == "open"]


def ending_in(stack: Stack, slug: str, word: str) -> str:
    """Return the order whose number ends in a word that makes it misbehave."""
    return next(number for number in numbers_of(stack, slug) if number.endswith(word))


def plain(stack: Stack, slug: str, skip: int = 0) -> str:
    """Return an order that behaves."""
    return [number for number in numbers_of(stack, slug) if not re.search(r"-[A-Z]+$", number)][skip]


def find(page: Page, number: str) -> None:
    """Paste a number into the search box and open what is found."""
    page.keyboard.press("Escape")
    page.fill("input[name=q] >> nth=0", number)
    page.press("input[name=q] >> nth=0", "Enter")
    page.locator("a[data-main]").first.click()
    expect(page.locator("h1")).to_contain_text("Order")


def ask(page: Page, *, reason: str = "out_of_stock", anyway: bool = False) -> None:
    """Choose a reason (and the first item that can be cancelled) and ask."""
    page.wait_for_load_state("networkidle")
    boxes = page.locator("#cancel-form input[name=units]:not([disabled])")
    if boxes.count() and not boxes.first.is_checked():
        boxes.first.check()
    page.select_option("#id_reason", reason)
    if anyway or page.locator("#id_anyway").count():
        page.check("#id_anyway")
    page.click("#cancel-form button.danger")
    expect(page.locator("h1")).to_contain_text("Cancellation of")


def outcome(page: Page, words: str) -> None:
    """Wait until the page says so by itself."""
    expect(page.locator("#status h2")).to_have_text(re.compile(words), timeout=OUTCOME_MS)


def whole_journey(browser: Browser, stack: Stack, url_of: Callable[[int], str]) -> Eyes:
    """Do everything the desk is for; ``url_of(n)`` gives the n-th person's web server."""
    eyes = Eyes()
    agent = sign_in(browser, url_of(0), "agent", eyes)
    asked = [plain(stack, slug) for slug in PROVIDERS]
    for number in asked:
        find(agent, number)
        ask(agent)
        outcome(agent, r"^Cancelled\.$")
        expect(agent.locator("#timeline")).to_contain_text("Confirmed by reading it back", timeout=OUTCOME_MS)
        agent.click("#timeline summary >> nth=0")
    find(agent, ending_in(stack, "huaweicloud", "-REJECT"))
    ask(agent)
    outcome(agent, r"^Refused\.$")
    find(agent, ending_in(stack, "shoplazza", "-DROP"))
    ask(agent)
    outcome(agent, "^Not sure yet")
    withdrawn = plain(stack, "shoplazza", skip=3)
    with stack.workers_frozen():
        other = sign_in(browser, url_of(1), "agent", eyes)
        find(other, withdrawn)
        ask(other)
        outcome(other, r"^Waiting\.$")
        other.click("button:has-text('Withdraw')")
        outcome(other, r"^Withdrawn\.$")
    outcome(agent, r"^Cancelled\.$")  # the unclear one, read back by itself
    approvals(browser, stack, url_of(1), eyes, agent)
    manager_reads(browser, url_of(1), eyes, [*asked, withdrawn])
    stranger_finds_nothing(browser, stack, url_of(0), eyes, asked[0])
    return eyes


def approvals(browser: Browser, stack: Stack, url: str, eyes: Eyes, agent: Page) -> None:
    """In a shop that needs approval a manager lets one through and declines another with a reason; who asked can't."""
    need_approval(stack, "shoplazza", needs=True)
    pages = []
    for skip in (15, 16):
        find(agent, plain(stack, "shoplazza", skip=skip))
        ask(agent)
        outcome(agent, r"^Waiting for approval\.$")
        assert agent.locator("button:has-text('Approve')").count() == 0
        pages.append(agent.url)
    approved, declined = (page.rpartition("/cancellations")[2] for page in pages)
    manager = sign_in(browser, url, "manager", eyes)
    manager.goto("/cancellations/?tab=needs")
    expect(manager.locator("a[data-main]")).to_have_count(2)
    manager.goto(f"/cancellations{approved}")
    manager.click("button:has-text('Approve')")
    outcome(manager, r"^Cancelled\.$")
    manager.goto(f"/cancellations{declined}")
    manager.click("#decline summary")
    manager.click("#decline button")
    expect(manager.locator("#decline-note:invalid")).to_be_focused()
    manager.fill("#decline-note", "The buyer rang again and keeps it")
    manager.click("#decline button")
    outcome(manager, r"^Declined\.$")
    outcome(agent, r"^Declined\.$")  # the one who asked sees it without a click
    expect(agent.locator("#timeline")).to_contain_text("The buyer rang again and keeps it")
    need_approval(stack, "shoplazza", needs=False)


def need_approval(stack: Stack, slug: str, *, needs: bool) -> None:
    """Have the shops of a platform ask for a second pair of eyes, or not."""
    code = (
        f"from cancellations.models import Shop; Shop.objects.filter(platform={slug!r}).update(needs_approval={needs})"
    )
    stack.manage("shell", "--no-imports", "-c", code)


def manager_reads(browser: Browser, url: str, eyes: Eyes, numbers: list[str]) -> None:
    """The manager finds all of it in the audit log."""
    manager = sign_in(browser, url, "manager", eyes)
    manager.goto("/audit/")
    expect(manager.locator("h1")).to_contain_text("Audit")
    for number in numbers:
        manager.goto(f"/audit/?order={number}")
        expect(manager.locator("main")).to_contain_text(number)
        expect(manager.locator("main")).to_contain_text("agent")
    manager.goto("/cancellations/?state=succeeded")
    manager.locator("a[data-main]").first.click()
    manager.locator("#timeline summary").first.click()


def stranger_finds_nothing(browser: Browser, stack: Stack, url: str, eyes: Eyes, number: str) -> None:
    """An agent without the shop finds neither order nor cancellation."""
    text = '[[person]]\nusername = "stranger"\npassword = "nothing-for-me-here"\nrole = "agent"\nshops = []\n'
    file = stack.folder / "stranger.toml"
    file.write_text(text)
    stack.manage("configure", str(file))
    stranger = sign_in(browser, url, "stranger", eyes, password="nothing-for-me-here")
    stranger.goto(f"/orders/?q={number}")
    assert stranger.locator("a[data-main]").count() == 0
    first = stack.cancellations()[0]["id"]
    answer = stranger.goto(f"/cancellations/{first}/")
    assert answer is not None
    assert answer.status == 404
