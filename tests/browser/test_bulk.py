"""The bulk journey in a real Chromium: paste, plan, run, pause, lose a worker, resume, take the result file."""

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from providers.registry import PROVIDERS
from tests.browser.journey import Eyes, numbers_of, sign_in
from tests.stack import Stack, stack, wait_until

pytestmark = pytest.mark.browser

LINES = 200
PLAN_SECONDS = 3.0
_ODD = re.compile(r"-[A-Z]+$")


def pasted(desk: Stack) -> tuple[str, int]:
    """Return 200 lines as people paste them, and how many orders stand in them."""
    numbers = [
        number for slug in PROVIDERS for number in numbers_of(desk, slug)
        if not _ODD.search(number)
    ]  # fmt: skip
    shapes = (
        "please cancel order {}, thanks!", "> > 订单号：{}，金额：99.00元，电话 13812345678", "{}",
        "[10:31, 21/11/2026] Anna: waybill/order no.: {}", "anna@example.com\t{}\tEUR 12.50\t2026-11-02",
    )  # fmt: skip
    lines = [shapes[at % len(shapes)].format(number) for at, number in enumerate(numbers[: LINES - 20])]
    orders = len(lines)
    lines += [lines[0], "order 99887766554433", "Hello,", "", "Tel: +86 139 1234 5678", "Total: ￥1,299.00"]
    lines += ["Best regards, Anna"] * (LINES - len(lines))
    return "\n".join(lines), orders


def test_the_bulk_journey(browser: Browser, tmp_path: Path) -> None:
    # What a killed worker held and never sent is settled by reading it twice, after the settle window.
    patience = {"LEASE_SECONDS": "25", "SETTLE_SECONDS": "40", "CHECK_SECONDS": "3,5,10,20,30,60,120"}
    with stack(tmp_path, workers=2, orders=60, **patience) as desk:
        eyes = Eyes()
        page = sign_in(browser, desk.url, "agent", eyes, viewport={"width": 1280, "height": 900})
        text, orders = pasted(desk)
        assert len(text.splitlines()) == LINES
        page.keyboard.press("g")
        page.keyboard.press("b")
        page.click("text=New bulk >> nth=0")
        page.fill("#id_text", text)
        page.select_option("#id_reason", "out_of_stock")
        page.click("button:has-text('Make the plan')")
        expect(page.locator("#progress h2")).to_contain_text("The plan:")
        batch = planned(desk)
        assert batch["seconds"] < PLAN_SECONDS, batch
        expect(page.locator("#lines .tabs a:has-text('Doubled') .tag")).to_have_text(re.compile("[1-9]"))
        expect(page.locator("#lines .tabs a:has-text('Not found') .tag")).to_have_text("1")
        ready = int(re.findall(r"\d+", page.locator("label[for=count]").inner_text())[0])
        assert ready > 100
        assert desk.cancellations() == []

        page.fill("#count", "7")
        page.click("button:has-text('Start: cancel')")
        expect(page.locator("#count-error")).to_contain_text(str(ready))
        page.fill("#count", str(ready))
        page.click("button:has-text('Start: cancel')")
        expect(page.locator("#progress")).to_contain_text("have an outcome")

        page.click("button:has-text('Pause')")
        expect(page.locator("#progress h2")).to_have_text("Paused.")
        desk.kill("worker0")
        page.click("button:has-text('Resume')")
        desk.kill("worker1")
        desk.start_worker("worker2")
        page.wait_for_load_state("networkidle")

        def ended() -> bool:
            """What the killed workers held becomes not sure, which may pull the brake: a person looks and goes on."""
            head = page.locator("#progress h2").inner_text()
            if head == "It paused by itself.":
                page.click("button:has-text('Resume')")
                page.click("#confirm button[value=yes]")
                page.wait_for_load_state("networkidle")
            return head == "Done."

        wait_until(ended, 240)
        with page.expect_download() as download:
            page.click("a:has-text('Result file')")
        rows = list(csv.DictReader(Path(download.value.path()).read_text("utf-8-sig").splitlines()))
        check(desk, rows, orders, ready)
        assert [one for one in eyes.complaints if "422" not in one] == []


def planned(desk: Stack) -> dict[str, float]:
    """Return how long the plan took, from what was handed in to the plan, as the database says."""
    code = (
        "from cancellations.batches.models import Batch; b = Batch.objects.get(); "
        "print((b.state_since - b.requested_at).total_seconds())"
    )
    return {"seconds": float(desk.manage("shell", "--no-imports", "-c", code).stdout.split()[-1])}


def check(desk: Stack, rows: list[dict[str, str]], orders: int, ready: int) -> None:
    """Every row counts once, no order was asked for twice, and what the file says is what the platforms did."""
    asked = [row for row in rows if row["verdict"] in ("ready", "ready_approval")]
    assert len(asked) == ready
    assert len({row["cancellation"] for row in asked}) == ready
    assert len({row["Line"] for row in rows}) == orders + 2, "a line is missing: one is doubled and one unknown"
    assert {row["outcome"] for row in asked} <= {"succeeded", "rejected", "failed", "uncertain"}
    for slug in PROVIDERS:
        performed = desk.ledger(slug, "performed")
        called = desk.ledger(slug, "called")
        assert len(performed) == len(set(performed))
        assert len(called) == len(set(called)), "an order was sent twice"
    done = sum(len(desk.ledger(slug, "performed")) for slug in PROVIDERS)
    assert done >= sum(row["outcome"] == "succeeded" for row in asked)
