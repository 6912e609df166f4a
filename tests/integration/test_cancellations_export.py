"""The cancellations as a file: what the filters show, of one's own shops, in one's language, and an event."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.translation import override

from cancellations.audit.models import AuditEvent
from cancellations.requests import exporting
from cancellations.requests.forms import STATE_LABELS
from cancellations.requests.states import State
from tests.desk import person
from tests.integration.test_cancellation_lists import a_shop, numbers, request_for, signed_in

pytestmark = pytest.mark.django_db
LIST, EXPORT = "/cancellations/", "/cancellations/export/"


def rows(answer: Any) -> list[dict[str, str]]:
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def shown(client: Client, query: str) -> list[str]:
    return numbers(client.get(f"{LIST}?{query}"))


def test_the_file_holds_what_the_filters_show_in_the_order_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "AT_ONCE", 7)
    shop, other, agent = a_shop(), a_shop("dog"), person()
    now = timezone.now()
    for at in range(30):
        state = State.REJECTED if at % 3 else State.SUCCEEDED
        request_for(shop if at % 2 else other, agent, f"N-{at:02}", state, at=now - timedelta(seconds=at // 4))
    client = signed_in(person("manager"))
    for query in ("", "tab=done", "tab=done&state=rejected&shop=cat", "tab=moving", "person=nobody"):
        found = rows(client.post(f"{EXPORT}?{query}"))
        assert [one["Order"] for one in found] == shown(client, query)
    assert len(shown(client, "tab=done&state=rejected&shop=cat")) == 10


def test_the_file_is_an_event_with_its_filters_and_only_for_who_may_export() -> None:
    request_for(a_shop(), person(), "N-1")
    signed_in(person("manager")).post(f"{EXPORT}?tab=done&state=succeeded&shop=cat&at=x&other=1")
    event = AuditEvent.objects.get(verb="cancellations.exported")
    assert event.data == {"filters": {"tab": "done", "state": "succeeded", "shop": "cat"}}
    assert event.shop == "cat"
    agent = signed_in(person())
    assert agent.post(EXPORT).status_code == 403
    assert EXPORT not in agent.get(LIST).content.decode()
    assert AuditEvent.objects.filter(verb="cancellations.exported").count() == 1


def test_a_filter_that_means_nothing_writes_no_file() -> None:
    client = signed_in(person("manager"))
    answer = client.post(f"{EXPORT}?shop=nowhere")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{LIST}?shop=nowhere")
    assert not AuditEvent.objects.filter(verb="cancellations.exported").exists()


def test_the_file_speaks_the_readers_language_and_computes_nothing() -> None:
    who = person("manager")
    who.language = "zh-hans"
    who.save()
    request_for(a_shop(), person(), "=1+1", State.REJECTED, note="=HYPERLINK(1)", message="no;=2")
    answer = signed_in(who).post(EXPORT)
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    with override("zh-hans"):
        assert str(STATE_LABELS[State.REJECTED]) in text
    (row,) = csv.reader(io.StringIO(text.splitlines()[1]))
    assert not [cell for cell in row if cell.startswith("=")]
    assert ";=2" not in text
