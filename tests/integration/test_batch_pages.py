"""The pages of bulks: what they take, what they show, to whom, and that nothing is sent before it is started."""

import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cancellations.batches import decisions, planning, progress
from cancellations.batches.models import Batch, BatchRow
from cancellations.orders.models import OrderKey
from cancellations.people.models import Person
from cancellations.reasons.models import Reason
from cancellations.requests.models import CancellationRequest
from cancellations.shops.models import ShopAccess
from tests.desk import Stall, person, stall

pytestmark = pytest.mark.django_db
NEW = "/bulk/new/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def lazy() -> Stall:
    return stall("shoplazza", count=30)


@pytest.fixture
def agent() -> Person:
    return person("agent")


@pytest.fixture
def browser(agent: Person) -> Client:
    client = Client()
    client.force_login(agent)
    return client


def form(**more: Any) -> dict[str, Any]:
    return {"reason": "out_of_stock", "note": "", "submission": str(uuid.uuid4()), **more}


def text(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def made(browser: Client, **more: Any) -> Batch:
    """Hand something in and have it planned."""
    answer = browser.post(NEW, form(**more))
    assert answer.status_code == 303, text(answer)
    batch = Batch.objects.latest("pk")
    assert answer.headers["Location"] == f"/bulk/{batch.pk}/"
    planning.plan(batch.pk)
    batch.refresh_from_db()
    return batch


def verdicts(batch: Batch) -> list[tuple[int, str, str]]:
    return list(BatchRow.objects.filter(batch=batch).order_by("pk").values_list("line", "given", "verdict"))


def test_a_pasted_text_becomes_a_plan_that_sends_nothing(browser: Client, lazy: Stall) -> None:
    first, second = lazy.orders()[:2]
    before = set((Path(settings.MEDIA_ROOT) / "bulk").glob("*"))
    pasted = f"Hi, order {first.number}!\n> {first.number}\norder 99887766554433\nTel: 13812345678\n{second.number}"
    batch = made(browser, text=pasted)
    assert verdicts(batch) == [
        (1, first.number, "ready"), (2, first.number, "doubled"), (3, "99887766554433", "unknown"),
        (5, second.number, "ready"),
    ]  # fmt: skip
    page = browser.get(f"/bulk/{batch.pk}/")
    for words in ("The plan: 2 would be cancelled.", "It stands on line 1 already.", "Start: cancel 2", "Not found"):
        assert words in text(page), words
    assert text(browser.get(f"/bulk/{batch.pk}/?show=doubled")).count("line 1 already") == 1
    assert "of unknown amount" not in text(page)
    BatchRow.objects.filter(given=second.number).update(amount=None)
    assert "1 of unknown amount" in text(browser.get(f"/bulk/{batch.pk}/"))
    assert not CancellationRequest.objects.exists()
    assert lazy.called() == []
    assert set((Path(settings.MEDIA_ROOT) / "bulk").glob("*")) <= before


def test_R19_a_file_names_its_bad_lines_and_keeps_the_good_ones(browser: Client, lazy: Stall) -> None:
    first, second = lazy.orders()[:2]
    content = f"order,shop\n{first.number},{lazy.shop.name}\n{second.number},elsewhere\n2.3E+18,\n,x\n".encode()
    batch = made(browser, file=SimpleUploadedFile("list.csv", content, "text/csv"))
    assert [(line, verdict) for line, _given, verdict in verdicts(batch)] == [
        (2, "ready"), (3, "unknown"), (4, "bad"), (5, "bad"),
    ]  # fmt: skip
    page = text(browser.get(f"/bulk/{batch.pk}/"))
    assert "list.csv" in page
    assert "shortened the number to 2.3E+18" in page


def test_what_was_selected_is_frozen_when_it_was_selected(browser: Client, lazy: Stall) -> None:
    ticked = lazy.orders()[:3]
    page = browser.post("/bulk/selection/", {"orders": [one.pk for one in ticked], "query": ""})
    assert "3 orders are selected." in text(page)
    batch = made(browser, selection=",".join(str(one.pk) for one in ticked))
    assert {given for _line, given, _verdict in verdicts(batch)} == {one.number for one in ticked}


def test_all_that_match_are_selected_across_pages(browser: Client) -> None:
    many = stall("shoplazza", count=70)
    page = browser.post("/bulk/selection/", {"all": "1", "query": "status=open"})
    matching = many.shop.orders.filter(status="open").count()
    assert matching > 20
    assert f"{matching} orders are selected." in text(page)


def test_nothing_ticked_leads_back_with_a_word(browser: Client) -> None:
    answer = browser.post("/bulk/selection/", {"query": "status=open"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/orders/?status=open")


def test_S01_a_selection_of_foreign_orders_says_nothing_of_them(lazy: Stall) -> None:
    stranger = person("agent", every_shop=False)
    browser = Client()
    browser.force_login(stranger)
    order = lazy.orders()[0]
    assert order.number not in text(browser.post("/bulk/selection/", {"orders": [order.pk]}))
    batch = made(browser, selection=str(order.pk), text="")
    assert [verdict for *_, verdict in verdicts(batch)] == ["unknown"]
    assert order.number not in text(browser.get(f"/bulk/{batch.pk}/"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "Paste at least one number, or choose a file."),
        ({"text": "1001", "reason": ""}, "Choose a reason."),
        ({"text": "1001", "reason": "other"}, "needs a note"),
        ({"text": "1\n" * 20_002}, "more than 20,000 lines"),
    ],
)
def test_S11_what_does_not_fit_is_said_and_what_was_typed_stays(
    browser: Client, given: dict[str, str], words: str
) -> None:
    answer = browser.post(NEW, form(**given))
    assert answer.status_code == 422
    assert words in text(answer)
    assert given.get("text", "")[:20] in answer.content.decode()
    assert not Batch.objects.exists()


def test_R03_the_same_form_sent_twice_gives_one_bulk_and_to_somebody_else_none(browser: Client) -> None:
    posted = form(text="order 1001")
    first, second = browser.post(NEW, posted), browser.post(NEW, posted)
    assert first.headers["Location"] == second.headers["Location"]
    other = Client()
    other.force_login(person("agent"))
    assert other.post(NEW, posted).status_code == 422
    assert Batch.objects.count() == 1


def test_an_ambiguous_id_is_picked_on_the_plan(browser: Client, lazy: Stall) -> None:
    first, second = lazy.orders()[:2]
    OrderKey.objects.create(shop=lazy.shop, order=first, kind="other", value="SAME1")
    OrderKey.objects.create(shop=lazy.shop, order=second, kind="other", value="SAME1")
    batch = made(browser, text="order SAME1")
    assert [verdict for *_, verdict in verdicts(batch)] == ["ambiguous"]
    page = browser.get(f"/bulk/{batch.pk}/").content.decode()
    assert f'value="{first.pk}"' in page
    assert f'value="{second.pk}"' in page
    row = BatchRow.objects.get(batch=batch)
    assert browser.post(f"/bulk/{batch.pk}/choose/", {"row": row.pk, "order": "x"}).status_code == 422
    assert browser.post(f"/bulk/{batch.pk}/choose/", {"row": row.pk, "order": 987654321}).status_code == 409
    assert browser.post(f"/bulk/{batch.pk}/choose/", {"row": row.pk, "order": second.pk}).status_code == 303
    row.refresh_from_db()
    assert (row.verdict, row.order_id) == ("ready", second.pk)


def test_a_large_plan_wants_its_count_typed_back(browser: Client, lazy: Stall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "LARGE", 1)
    batch = made(browser, text="\n".join(one.number for one in lazy.orders()[:3]))
    refused = browser.post(f"/bulk/{batch.pk}/start/", {"count": "2"})
    assert refused.status_code == 422
    assert 'aria-invalid="true"' in refused.content.decode()
    assert 'value="2"' in refused.content.decode()
    assert browser.post(f"/bulk/{batch.pk}/start/", {"count": "3"}).status_code == 303
    batch.refresh_from_db()
    assert batch.state == "running"
    assert browser.post(f"/bulk/{batch.pk}/start/", {"count": "3"}).status_code == 409


def test_the_poll_is_silent_when_nothing_changed_and_loads_the_page_when_the_state_did(
    browser: Client, lazy: Stall
) -> None:
    batch = made(browser, text="\n".join(one.number for one in lazy.orders()[:3]))
    decisions.start(batch, by=batch.requested_by)
    page = browser.get(f"/bulk/{batch.pk}/").content.decode()
    (moment,) = re.findall(r"\?moment=([^\"]+)", page)
    address = f"/bulk/{batch.pk}/progress/?moment={moment}"
    assert browser.get(address, headers=HTMX).status_code == 204
    decisions.pause(Batch.objects.get(pk=batch.pk), by=batch.requested_by)
    assert browser.get(address, headers=HTMX).headers["HX-Refresh"] == "true"


def test_the_rows_ask_for_themselves_when_the_poll_has_news_and_only_while_it_runs(
    browser: Client, lazy: Stall
) -> None:
    batch = made(browser, text="\n".join(one.number for one in lazy.orders()[:3]))
    page = f"/bulk/{batch.pk}/"
    assert "bulk-moved" not in browser.get(page).content.decode()
    decisions.start(batch, by=batch.requested_by)
    shown = browser.get(f"{page}?show=waits").content.decode()
    assert f'id="lines" class="stack" hx-get="{page}?show=waits" hx-trigger="bulk-moved from:body throttle:5s"' in shown
    news = browser.get(f"{page}progress/?moment=running+0", headers=HTMX)
    assert "bulk-moved" in news.headers["HX-Trigger"]
    rows = browser.get(page, headers=HTMX).content.decode()
    assert rows.startswith('<div id="lines"')
    assert lazy.orders()[0].number in rows


def test_what_shops_have_in_a_bulk_is_drawn_to_one_scale_with_the_numbers_beside(
    browser: Client, agent: Person, lazy: Stall
) -> None:
    batch, other = filled(agent, lazy, 12), stall("taobao")
    BatchRow.objects.filter(batch=batch, place__gt=9).update(shop=other.shop)
    numbers = progress.of_run(batch, BatchRow.objects.filter(batch=batch), CancellationRequest.objects.all())
    assert (numbers.longest, [one.total for one, _cells in numbers.table]) == (9, [9, 3])
    page = browser.get(f"/bulk/{batch.pk}/").content.decode()
    table = page.partition('aria-label="Rows by shop"')[2].partition("</table>")[0]
    long, short = (float(one) for one in re.findall(r'<rect[^>]* width="([\d.]+)%"', table))
    assert 2.8 < long / short < 3.2
    assert re.findall(r'<td class="num[^"]*"[^>]*>(\d+)</td>', table) == ["9", "9", "3", "3"]


def test_S11_what_is_larger_than_is_taken_leads_back_to_its_form_and_says_what_to_do(browser: Client) -> None:
    large = form(text="1001\n" * 600_000)
    answer = browser.post(NEW, large, headers={"Referer": f"http://testserver{NEW}"})
    assert (answer.status_code, answer.headers["Location"]) == (303, NEW)
    shown = text(browser.get(NEW))
    assert "larger than 2.0" in shown
    assert "nothing of it was kept. Hand it in as a file, or in several parts." in shown
    assert browser.post(NEW, large, headers={"Referer": "https://elsewhere.example/"}).status_code == 413
    assert not Batch.objects.exists()


def test_P04_the_page_costs_the_same_for_few_rows_and_for_many_and_a_silent_poll_two_queries(
    browser: Client, agent: Person, lazy: Stall
) -> None:
    def cost(address: str) -> tuple[int, int]:
        with CaptureQueriesContext(connection) as seen:
            answer = browser.get(address, headers=HTMX)
        return len(seen), answer.status_code

    few, many = (f"/bulk/{filled(agent, lazy, count).pk}/progress/" for count in (10, 200))
    shown = browser.get(many, headers=HTMX).content.decode()
    (moment,) = re.findall(r"\?moment=([^\"]+)", shown)
    assert cost(few) == cost(many)
    who = 2  # the session, and the person it belongs to
    assert cost(f"{many}?moment={moment}") == (2 + who, 204)


def filled(agent: Person, lazy: Stall, count: int) -> Batch:
    batch = Batch.objects.create(
        submission=uuid.uuid4(), source="text", requested_by=agent, requested_at=timezone.now(),
        reason=Reason.objects.get(code="out_of_stock"), state="running", state_since=timezone.now(),
        started_at=timezone.now(), plan_total=count,
    )  # fmt: skip
    rows = [
        BatchRow(batch=batch, place=at, line=at, given=str(at), shop=lazy.shop, verdict="ready", waits=True)
        for at in range(1, count + 1)
    ]
    BatchRow.objects.bulk_create(rows)
    return batch


def test_every_row_counts_once_and_pages_go_there_and_back(browser: Client, agent: Person, lazy: Stall) -> None:
    batch = filled(agent, lazy, 120)
    numbers = progress.of_run(batch, BatchRow.objects.filter(batch=batch), CancellationRequest.objects.all())
    assert (numbers.total, numbers.of("waits")) == (120, 120)
    page, met = f"/bulk/{batch.pk}/", []
    while page:
        answer = browser.get(page).content.decode()
        met += re.findall(r'<td class="main"><span class="mono">(\d+)</span>', answer)
        following = re.search(r'rel="next" href="\?([^"]+)"', answer)
        page = f"/bulk/{batch.pk}/?{following[1]}" if following else ""
    assert met == [str(at) for at in range(1, 121)]


def test_S01_a_bulk_is_its_makers_and_those_who_see_every_shop_and_approve(lazy: Stall, browser: Client) -> None:
    batch = made(browser, text=lazy.orders()[0].number)
    for role, every, status in (
        ("agent", True, 404), ("manager", False, 404), ("manager", True, 200), ("admin", True, 200),
    ):  # fmt: skip
        other = Client()
        other.force_login(person(role, every_shop=every))
        for address in ("", "progress/", "result.csv"):
            assert other.get(f"/bulk/{batch.pk}/{address}").status_code == status, (role, every, address)


def test_S01_rows_of_a_shop_taken_away_are_not_shown_any_more(lazy: Stall) -> None:
    limited = person("agent", every_shop=False)
    access = ShopAccess.objects.create(shop=lazy.shop, person=limited)
    browser = Client()
    browser.force_login(limited)
    order = lazy.orders()[0]
    batch = made(browser, text=f"order {order.number}")
    assert order.number in text(browser.get(f"/bulk/{batch.pk}/"))
    access.delete()
    for address in ("", "result.csv"):
        answer = browser.get(f"/bulk/{batch.pk}/{address}")
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert lazy.shop.title not in body.decode()


def test_S10_the_result_file_has_every_line_and_computes_nothing(browser: Client, lazy: Stall) -> None:
    content = f"order\n{lazy.orders()[0].number}\n=1+1\n".encode()
    batch = made(browser, file=SimpleUploadedFile("a.csv", content, "text/csv"))
    answer = browser.get(f"/bulk/{batch.pk}/result.csv")
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert len(lines) == 3
    assert not any(cell.startswith('"=') for cell in lines[2].split(","))


@pytest.mark.usefixtures("compiled")
def test_the_result_file_speaks_its_readers_language_to_its_last_line(
    browser: Client, agent: Person, lazy: Stall
) -> None:
    batch = made(browser, text=lazy.orders()[0].number)
    Person.objects.filter(pk=agent.pk).update(language="zh-hans")
    answer = browser.get(f"/bulk/{batch.pk}/result.csv")
    head, row = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert head.startswith('"行"')
    assert "将被取消" in row
