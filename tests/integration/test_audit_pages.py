"""The audit log as people see it: who sees what, what narrows it, and what is written into a file."""

import csv
import html
import io
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cancellations.audit import exporting, findings, trail
from cancellations.audit.findings import Verdict
from cancellations.audit.models import AuditEvent, Verification
from cancellations.people.models import Person
from cancellations.shops.models import Shop, ShopAccess
from tests.desk import person

pytestmark = pytest.mark.django_db
LIST = "/audit/"
HTMX = {"HX-Request": "true"}


def shop(name: str) -> Shop:
    return Shop.objects.create(
        name=name, title=f"The {name}", platform="shoplazza", environment="sandbox", base_url="https://x.invalid"
    )


def note(verb: str = "shop.changed", *, by: Any = trail.WORKER, shop: Shop | None = None, **more: Any) -> AuditEvent:
    values = {"subject_kind": "shop", "subject_id": shop.pk if shop else "", "subject": shop.title if shop else ""}
    return trail.record(verb, by=by, shop=shop, **{**values, **more})


def client_of(who: Person) -> Client:
    client = Client()
    client.force_login(who)
    return client


def manager(**more: Any) -> Client:
    return client_of(person("manager", **more))


def text(response: Any) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def events(response: Any) -> list[int]:
    return [line.event.pk for line in response.context["lines"]]


def body(response: Any) -> str:
    assert response.streaming
    return b"".join(response.streaming_content).decode()


def test_an_event_reads_who_did_what_to_which_from_where_and_opens_to_before_and_after() -> None:
    cat = shop("cat")
    with trail.coming_from("192.0.2.7", "5b7d"):
        note(by=person("admin", username="ada"), shop=cat, data={"before": {"title": "Löwe"}, "after": {"title": "猫"}})
    seen = text(manager().get(LIST))
    for words in ("ada", "Changed the shop's settings", "The cat", "192.0.2.7", "Title", "Löwe", "猫", "5b7d"):
        assert words in seen, words
    assert 'href="/shops/cat/"' in manager().get(LIST).content.decode()


def test_states_are_shown_in_words() -> None:
    note("cancellation.sending", shop=shop("cat"), subject_kind="cancellation", subject_id=7, subject="LC-1",
         order_number="LC-1", data={"from": "queued", "to": "sending", "attempt": 1})  # fmt: skip
    page = manager().get(LIST)
    assert "State Waiting Sending…" in text(page)
    assert 'href="/cancellations/7/"' in page.content.decode()


def test_an_event_of_another_version_with_odd_data_is_shown() -> None:
    note("moon.landed", subject_kind="moon", data={"before": None, "after": {"x": [{"y": 1}]}, "z": "<script>"})
    page = manager().get(LIST)
    assert "moon.landed" in text(page)
    assert "<script>" not in page.content.decode().partition("<main")[2]


@pytest.mark.parametrize(
    ("role", "every_shop", "sees"),
    [
        ("manager", True, {"a", "b", "nobody's", "own", "about"}),
        ("manager", False, {"a", "own", "about"}),
        ("admin", False, {"a", "own", "about"}),
    ],
)
def test_one_sees_the_events_of_ones_shops_and_of_oneself(role: str, every_shop: bool, sees: set[str]) -> None:
    who, other = person(role, every_shop=every_shop), person("admin")
    a, b = shop("a"), shop("b")
    ShopAccess.objects.create(shop=a, person=who)
    made = {
        "a": note(shop=a, by=other),
        "b": note(shop=b, by=other),
        "nobody's": note("person.created", by=other, subject_kind="person", subject_id=other.pk),
        "own": note("person.signed_in", by=who, subject_kind="person", subject_id=who.pk),
        "about": note("person.changed", by=other, subject_kind="person", subject_id=who.pk),
    }
    # A worker has no key, and somebody else's thing may have the same number as this person.
    note("orders.imported", subject_kind="import", subject_id=who.pk, shop=b)
    expected = {made[name].pk for name in sees}
    got = set(events(client_of(who).get(LIST))) & {one.pk for one in made.values()}
    assert got == expected
    exported = {json.loads(line)["id"] for line in body(client_of(who).post(LIST + "export/jsonl/")).splitlines()}
    assert exported & {one.pk for one in made.values()} == expected
    assert client_of(who).get(LIST, {"shop": "b"}).status_code == (200 if every_shop else 422)


def test_agents_have_no_audit_log_and_the_door_is_shut() -> None:
    agent = client_of(person("agent"))
    for address in (LIST, LIST + "record/"):
        assert agent.get(address).status_code == 403
        assert Client().get(address).status_code == 302
    for address in (LIST + "check/", LIST + "export/csv/", LIST + "export/jsonl/"):
        assert agent.post(address).status_code == 403
        assert manager().get(address).status_code == 405
    assert not AuditEvent.objects.filter(verb="audit.exported").exists()


def test_every_filter_narrows_and_they_can_be_combined_and_removed() -> None:
    ada, cat, dog = person("admin", username="ada"), shop("cat"), shop("dog")
    asked = note("cancellation.requested", by=ada, shop=cat, order_number="LC-1", subject_kind="cancellation")
    sent = note("cancellation.sending", shop=cat, order_number="LC-1", subject_kind="cancellation")
    keys = note("credential.replaced", by=ada, shop=dog)
    wanted = {
        "person=ada": {asked.pk, keys.pk},
        "person=worker": {sent.pk},
        "what=decisions": {asked.pk},
        "what=outcomes": {sent.pk},
        "shop=dog": {keys.pk},
        "order=LC-1": {asked.pk, sent.pk},
        "order=LC-": set(),
        "person=ada&shop=cat": {asked.pk},
        "person=ad": set(),
    }
    client = manager()
    for query, expected in wanted.items():
        assert set(events(client.get(f"{LIST}?{query}"))) == expected, query
    page = client.get(f"{LIST}?person=ada&shop=cat&what=")
    assert {href for _chip, href in page.context["chips"]} == {"/audit/?shop=cat", "/audit/?person=ada"}


def test_days_are_the_readers_and_both_are_included() -> None:
    who = person("manager", time_zone="Asia/Shanghai")
    edge = datetime(2026, 3, 1, 16, 0, tzinfo=UTC)
    before, first, last, after = (
        AuditEvent.objects.create(at=at, verb="shop.changed", subject_kind="shop")
        for at in (
            edge - timedelta(microseconds=1),
            edge,
            edge + timedelta(days=2) - timedelta(microseconds=1),
            edge + timedelta(days=2),
        )
    )
    got = events(client_of(who).get(LIST, {"since": "2026-03-02", "until": "2026-03-03"}))
    assert got == [last.pk, first.pk]
    assert {before.pk, after.pk} & set(got) == set()


@pytest.mark.parametrize(
    "query",
    ["since=yesterday", "what=everything", "shop=nowhere", "until=2026-02-30", "since=2026-03-02&until=2026-03-01"],
)
def test_a_filter_that_means_nothing_is_said(query: str) -> None:
    page = manager().get(f"{LIST}?{query}")
    assert page.status_code == 422
    assert "field-error" in page.content.decode()


def test_a_NUL_in_the_address_finds_nothing_and_breaks_nothing() -> None:
    assert manager().get(LIST + "?order=%00&person=%00").status_code in (200, 422)


def test_pages_follow_one_another_without_a_gap_although_times_are_equal() -> None:
    cat, now = shop("cat"), timezone.now()
    AuditEvent.objects.bulk_create(
        AuditEvent(at=now - timedelta(seconds=number // 30), verb="shop.changed", subject_kind="shop",
                   shop_id=cat.pk, shop="cat")
        for number in range(120)
    )  # fmt: skip
    client, seen, address = manager(), [], f"{LIST}?shop=cat"
    while address:
        page = client.get(address)
        seen += events(page)
        cursor = page.context["page"].next
        address = f"{LIST}?shop=cat&at={cursor}" if cursor else ""
    assert len(seen) == len(set(seen)) == 120


def test_P04_the_number_of_queries_does_not_grow_with_the_list() -> None:
    cat, client = shop("cat"), manager()
    counts = []
    client.get(LIST)  # a sitting's first page is not counted
    for more in (1, 49):
        for _ in range(more):
            note(shop=cat, by=person("agent") if more == 1 else trail.WORKER, data={"before": {}, "after": {"a": 1}})
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(LIST).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 8


def test_the_list_as_a_fragment_and_empty() -> None:
    client = manager()
    page = client.get(LIST, headers=HTMX)
    assert b"<html" not in page.content
    assert "No event fits these filters" in text(client.get(LIST, {"order": "none"}))


def verification(**more: Any) -> Verification:
    values = {"at": timezone.now(), "whole": True, "events": 18203, "seals": 12, "unsealed": 0, "up_to": timezone.now()}
    return Verification.objects.create(**{**values, **more})


def test_the_head_says_that_the_record_is_whole_and_since_when_it_is_known() -> None:
    client = manager()
    assert "has not been checked yet" in text(client.get(LIST))
    verification()
    seen = text(client.get(LIST))
    assert "Record whole, 18,203 events up to" in seen
    assert "seems to be away" not in seen
    verification(at=timezone.now() - timedelta(hours=3))
    assert "seems to be away" in text(client.get(LIST))


def test_the_head_names_the_first_broken_place() -> None:
    found = Verdict()
    found.note("edited", "event 7", findings.EDITED, event=7, verb="shop.changed", seal=2)
    found.note("cut", "seal 9", findings.CUT, seal=9)
    faults = [one.as_json() for one in found.faults]
    verification(whole=False, faults=faults)
    page = manager().get(LIST)
    assert "Record broken. Event 7 (shop.changed) was altered" in text(page)
    assert "2 broken places" in text(page)
    assert 'data-tone="bad"' in page.content.decode()


def test_check_now_rings_the_worker_and_shows_when_it_has_looked(
    rung: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    client = manager()
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(LIST + "check/")
    assert (answer.status_code, answer.headers["Location"]) == (303, LIST)
    assert rung == [("verify_chain", (True,))]
    fragment = client.post(LIST + "check/", headers=HTMX).content.decode()
    poll = re.search(r'hx-get="([^"]+)"', fragment)
    assert poll
    address = poll[1].replace("&amp;", "&")
    assert "every 2s" in client.get(address, headers=HTMX).content.decode()
    verification()
    done = client.get(address, headers=HTMX).content.decode()
    assert "every 2s" not in done
    assert "The record is whole." in done


def test_nobody_polls_for_ever() -> None:
    page = manager().get(LIST + "record/?after=0&look=90", headers=HTMX)
    assert "every 2s" not in page.content.decode()


def test_a_csv_opens_in_a_spreadsheet_without_computing_anything() -> None:
    cat = shop("cat")
    note(by=person("admin", username="=cmd()|x"), shop=cat, order_number="1234567890123456789", subject="＝1+1",
         data={"note": "\t=1", "b": "ö"})  # fmt: skip
    answer = manager().post(LIST + "export/csv/?shop=cat")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(r'attachment; filename="audit-[\d-]+\.csv"', answer.headers["Content-Disposition"])
    content = body(answer)
    assert content.startswith("\ufeff")
    export, row = csv.DictReader(io.StringIO(content.removeprefix("\ufeff")))
    assert export["verb"] == "audit.exported"  # the export is part of what it shows
    assert row["actor"] == "'=cmd()|x"
    assert row["subject"] == "'＝1+1"
    assert row["order_number"] == "'1234567890123456789"
    assert row["what"] == "Changed the shop's settings"
    assert json.loads(row["data"]) == {"note": "\t=1", "b": "ö"}


def test_a_jsonl_is_exact() -> None:
    made = note(shop=shop("cat"), order_number="007", data={"note": "=1", "nested": {"ö": [1.5, None]}})
    rows = [json.loads(line) for line in body(manager().post(LIST + "export/jsonl/?shop=cat")).splitlines()]
    (row,) = [one for one in rows if one["id"] == made.pk]
    assert set(row) == {one.attname for one in AuditEvent._meta.concrete_fields}
    assert row["order_number"] == "007"
    assert row["data"] == made.data
    assert row["at"] == made.at.isoformat(timespec="microseconds")
    assert row["uid"] == str(made.uid)


def test_an_export_is_an_event_with_its_filters() -> None:
    cat, who = shop("cat"), person("manager")
    note(shop=cat)
    body(client_of(who).post(LIST + "export/csv/?shop=cat&since=2026-01-01&order="))
    made = AuditEvent.objects.get(verb="audit.exported")
    assert made.actor == who.username
    assert made.shop_id == cat.pk
    assert made.data == {"format": "csv", "filters": {"shop": "cat", "since": "2026-01-01"}}


def test_an_export_goes_on_past_one_reading_in_the_order_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "AT_ONCE", 7)
    cat, now = shop("cat"), timezone.now() - timedelta(days=1)
    AuditEvent.objects.bulk_create(
        AuditEvent(at=now - timedelta(seconds=number // 5), verb="shop.changed", subject_kind="shop",
                   shop_id=cat.pk, shop="cat")
        for number in range(35)
    )  # fmt: skip
    rows = [json.loads(line) for line in body(manager().post(LIST + "export/jsonl/?shop=cat")).splitlines()]
    assert [row["id"] for row in rows[1:]] == list(
        AuditEvent.objects.filter(verb="shop.changed").order_by("-at", "-pk").values_list("pk", flat=True)
    )
    assert len(rows) == 36


def test_the_first_line_of_an_export_waits_for_one_bounded_reading() -> None:
    note(shop=shop("cat"))
    client = manager()
    with CaptureQueriesContext(connection) as queries:
        answer = client.post(LIST + "export/jsonl/")
        assert not [one for one in queries if "LIMIT" in one["sql"] and "auditevent" in one["sql"]]
        next(iter(answer.streaming_content))
    (reading,) = [one["sql"] for one in queries if "LIMIT" in one["sql"] and "auditevent" in one["sql"]]
    assert f"LIMIT {exporting.AT_ONCE}" in reading


def test_an_export_with_a_filter_that_means_nothing_writes_no_file() -> None:
    answer = manager().post(LIST + "export/csv/?shop=nowhere")
    assert answer.status_code == 303
    assert manager().post(LIST + "export/xlsx/").status_code == 404
    assert not AuditEvent.objects.filter(verb="audit.exported").exists()


def printed(*args: str) -> str:
    out = io.StringIO()
    call_command("export_audit", *args, stdout=out)
    return out.getvalue()


def test_the_command_prints_the_same_files() -> None:
    cat = shop("cat")
    note("cancellation.requested", by=person("agent", username="ada"), shop=cat, order_number="LC-1")
    note(shop=shop("dog"))
    (row,) = [json.loads(line) for line in printed("jsonl", "--person", "ada", "--what", "decisions").splitlines()]
    assert (row["actor"], row["shop"]) == ("ada", "cat")
    rows = list(csv.DictReader(io.StringIO(printed("csv", "--shop", "cat", "--order", "LC-1").removeprefix("\ufeff"))))
    assert [one["order_number"] for one in rows] == ["LC-1"]
    assert printed("jsonl", "--to", "2020-01-01") == ""
    made = AuditEvent.objects.filter(verb="audit.exported")
    assert made.count() == 3
    assert {(one.actor, one.origin) for one in made} == {("export_audit", "command")}
    with pytest.raises(CommandError, match="no shop nowhere"):
        printed("csv", "--shop", "nowhere")
