"""The list of cancellations and the home page: who sees what, by what it needs, at one price whatever the length."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cancellations.reasons.models import Reason
from cancellations.requests.models import CancellationRequest
from cancellations.requests.states import State
from cancellations.shops.models import Shop, ShopAccess, ShopHealth
from tests.desk import person
from tests.integration.seen import doubled_ids, read, words

pytestmark = pytest.mark.django_db
HOME, LIST = "/", "/cancellations/"


def a_shop(name: str = "cat", **more: Any) -> Shop:
    made = Shop.objects.create(
        name=name, title=name.title(), platform="shoplazza", environment="live", base_url="https://x.invalid", **more
    )
    ShopHealth.objects.create(shop=made)
    return made


def request_for(shop: Shop, by: Any, number: str, state: State = State.SUCCEEDED, **more: Any) -> CancellationRequest:
    at = more.pop("at", timezone.now())
    return CancellationRequest.objects.create(
        **{
            "shop": shop,
            "ref": {"order_id": number},
            "order_key": number,
            "order_number": number,
            "reason": Reason.objects.get(code=more.pop("reason", "out_of_stock")),
            "requested_by": by,
            "requested_at": at,
            "state": state,
            "state_since": at,
            **more,
        }
    )


def signed_in(who: Any) -> Client:
    client = Client()
    client.force_login(who)
    return client


def numbers(answer: Any) -> list[str]:
    """The order numbers of a list's rows, in order."""
    return re.findall(r'<a class="mono" href="/cancellations/\d+/" data-main>([^<]+)</a>', answer.content.decode())


def one_of_each(shop: Shop, by: Any) -> None:
    for state in State:
        request_for(shop, by, f"N-{state}", state)
    request_for(shop, by, "N-review", State.UNCERTAIN, in_review=True)


TABS = {
    "moving": {"N-pending_approval", "N-queued", "N-sending", "N-accepted", "N-uncertain"},
    "review": {"N-review"},
    "done": {"N-succeeded", "N-rejected", "N-declined", "N-withdrawn", "N-failed"},
}


def test_the_tabs_share_out_everything_there_is() -> None:
    one_of_each(a_shop(), person())
    client = signed_in(person("manager"))
    everything = set(numbers(client.get(LIST)))
    assert len(everything) == len(State) + 1
    for tab, expected in TABS.items():
        assert set(numbers(client.get(LIST, {"tab": tab}))) == expected
    assert set().union(*TABS.values()) == everything
    assert numbers(client.get(LIST, {"tab": "nonsense"})) == numbers(client.get(LIST))


def test_what_needs_me_differs_by_role_and_by_who_asked() -> None:
    shop, agent, boss = a_shop(), person(), person("manager")
    one_of_each(shop, agent)

    def needed(who: Any) -> set[str]:
        return set(numbers(signed_in(who).get(LIST, {"tab": "needs"})))

    assert needed(agent) == {"N-failed", "N-review"}
    assert needed(person()) == set()
    assert needed(boss) == {"N-pending_approval", "N-review"}
    request_for(shop, boss, "N-own", State.PENDING_APPROVAL)
    assert "N-own" not in needed(boss)
    assert "N-own" in needed(person("manager"))


def test_the_filters_narrow_and_keep_the_tab() -> None:
    cat, dog, maria, otto = a_shop(), a_shop("dog"), person(username="maria"), person(username="otto")
    request_for(cat, maria, "A", State.SUCCEEDED)
    request_for(dog, maria, "B", State.REJECTED)
    request_for(dog, otto, "C", State.SUCCEEDED, reason="customer_request")
    client = signed_in(person())
    assert numbers(client.get(LIST, {"shop": "dog"})) == ["C", "B"]
    assert numbers(client.get(LIST, {"state": "succeeded"})) == ["C", "A"]
    assert numbers(client.get(LIST, {"reason": "customer_request"})) == ["C"]
    assert numbers(client.get(LIST, {"person": " Maria "})) == ["B", "A"]
    both = client.get(LIST, {"shop": "dog", "person": "maria", "tab": "done"})
    assert numbers(both) == ["B"]
    assert read(both).fields["tab"] == ["done"]
    assert "?tab=done" in read(both).links
    nothing = client.get(LIST, {"shop": "cat", "person": "otto"})
    assert "Nothing fits these filters" in words(nothing)
    odd = client.get(LIST, {"shop": "no-such-shop", "state": "nonsense"})
    assert odd.status_code == 200
    assert "Select a valid choice" in words(odd)


def test_a_filter_that_means_nothing_is_told_and_can_be_cleared() -> None:
    request_for(a_shop(), person(), "A")
    answer = signed_in(person()).get(LIST, {"state": "nonsense"})
    assert "?tab=all" in read(answer).links


def test_only_ones_own_shops_are_listed_counted_or_offered() -> None:
    mine, other, who = a_shop("mine"), a_shop("other"), person("manager", every_shop=False)
    ShopAccess.objects.create(shop=mine, person=who)
    asker = person()
    request_for(mine, asker, "MINE", State.UNCERTAIN, in_review=True)
    request_for(other, asker, "OTHER", State.UNCERTAIN, in_review=True)
    for address in (LIST, f"{LIST}?tab=needs", f"{LIST}?shop=other", HOME):
        html = signed_in(who).get(address).content.decode()
        assert "OTHER" not in html
        assert "/shops/other/" not in html
        assert '<option value="other">Other</option>' not in html
    assert "Other" not in words(signed_in(who).get(HOME))


def test_paging_walks_through_everything_once_and_back() -> None:
    shop, by, at = a_shop(), person(), timezone.now()
    for number in range(120):  # three to a moment, so that a page ends in the middle of one
        request_for(shop, by, f"P-{number:03}", at=at - timedelta(minutes=number // 3))
    client = signed_in(person())
    answer, seen, pages = client.get(LIST), list[str](), 0
    while True:
        pages += 1
        seen += numbers(answer)
        assert "of 120" in words(answer)
        following = re.search(r'rel="next" href="([^"]+)"', answer.content.decode())
        if not following:
            break
        answer = client.get(LIST + following[1].replace("&amp;", "&"))
    assert pages == 3
    assert len(seen) == len(set(seen)) == 120
    back = re.search(r'rel="prev" href="([^"]+)"', answer.content.decode())
    assert back
    assert numbers(client.get(LIST + back[1].replace("&amp;", "&"))) == seen[50:100]
    assert numbers(client.get(LIST, {"at": "broken"})) == seen[:50]


def test_P04_the_price_of_a_list_and_of_home_is_the_same_at_any_length() -> None:
    shop, by = a_shop(), person()
    boss = signed_in(person("manager"))
    prices = set()
    states = list(State)
    for upto in (10, 50, 200):
        for number in range(CancellationRequest.objects.count(), upto):
            request_for(shop, by, f"Q-{number}", states[number % len(states)], due_at=timezone.now())
        prices.add((_queries(boss, LIST), _queries(boss, HOME), _queries(boss, f"{LIST}?tab=moving")))
    assert len(prices) == 1, prices
    ((listed, home, moving),) = prices
    assert max(listed, moving) <= 8
    assert home <= 12


def _queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(database) as seen:
        assert client.get(address).status_code == 200
    return len(seen)


def test_the_list_without_rows_says_what_belongs_there() -> None:
    client = signed_in(person())
    assert "Cancellations asked for in your shops show up here." in words(client.get(LIST))
    assert "Nothing waits for you" in words(client.get(LIST, {"tab": "needs"}))


# -- home


def test_home_shows_an_agent_their_own_and_no_numbers() -> None:
    shop, me, other = a_shop(), person(), person()
    request_for(shop, me, "MY-MOVING", State.QUEUED)
    request_for(shop, me, "MY-FAILED", State.FAILED)
    request_for(shop, other, "THEIRS", State.SUCCEEDED)
    answer = signed_in(me).get(HOME)
    assert set(numbers(answer)) == {"MY-MOVING", "MY-FAILED"}
    assert "tile" not in read(answer).ids
    assert "The last 14 days" not in words(answer)
    assert doubled_ids(answer) == []


@pytest.mark.parametrize("role", ["manager", "admin"])
def test_home_shows_a_manager_everybodys(role: str) -> None:
    one_of_each(a_shop(), person())
    answer = signed_in(person(role)).get(HOME)
    tiles = dict(
        re.findall(r'<span class="tile-label">([^<]+)</span><strong class="tile-number">(\d+)', answer.content.decode())
    )
    assert tiles == {"In review": "1", "Waiting for approval": "1", "Moving": "5", "Cancelled today": "1"}
    for label, tab in (
        ("In review", "tab=review"),
        ("Waiting for approval", "state=pending_approval"),
        ("Moving", "tab=moving"),
    ):
        assert len(numbers(signed_in(person(role)).get(f"{LIST}?{tab}"))) == int(tiles[label])
    assert {"N-pending_approval", "N-review", "N-queued", "N-rejected"} <= set(numbers(answer))
    assert doubled_ids(answer) == []


def test_the_charts_numbers_add_up_to_what_was_asked_in_its_days() -> None:
    shop, by, today = a_shop(), person(), timezone.localtime().replace(hour=12, minute=0)
    for day in (0, 1, 5, 13):
        for number, state in enumerate(State):
            request_for(shop, by, f"D{day}-{number}", state, at=today - timedelta(days=day))
    request_for(shop, by, "TOO-OLD", at=today - timedelta(days=14))
    rows = _chart(signed_in(person("manager")).get(HOME))
    assert len(rows) == 14
    for _label, *parts, total in rows:
        assert sum(parts) == total
    assert [total for *_parts, total in rows if total] == [len(State)] * 4
    assert rows[-1][-1] == rows[-2][-1] == rows[-6][-1] == rows[0][-1] == len(State)
    assert [sum(column) for column in zip(*[row[1:] for row in rows], strict=True)] == [4, 20, 8, 8, 40]


def _chart(answer: Any) -> list[tuple[Any, ...]]:
    found = []
    for label, cells in re.findall(r'<tr><th scope="row">([^<]+)</th>(.*?)</tr>', answer.content.decode()):
        found.append((label, *(int(one) for one in re.findall(r">(\d+)</td>", cells))))
    return found


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/Los_Angeles"])
def test_a_day_of_the_chart_is_a_day_where_the_reader_is(zone: str) -> None:
    shop, by, boss = a_shop(), person(), person("manager", time_zone=zone)
    with timezone.override(zone):
        midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    request_for(shop, by, "BEFORE", at=midnight - timedelta(seconds=1))
    request_for(shop, by, "AFTER", at=midnight + timedelta(seconds=1))
    rows = _chart(signed_in(boss).get(HOME))
    assert [row[-1] for row in rows[-2:]] == [1, 1]


def test_home_on_the_first_day_says_what_to_do_by_role() -> None:
    admin, agent = signed_in(person("admin")), signed_in(person())
    assert "Add a shop" in words(admin.get(HOME))
    assert reverse("shops:choose") in read(admin.get(HOME)).links
    text = words(agent.get(HOME))
    assert "No shop for you yet" in text
    assert "Nothing waits for you." in text
    assert reverse("shops:choose") not in read(agent.get(HOME)).links
    a_shop()
    assert "No orders known yet" in words(agent.get(HOME))
    assert reverse("orders:list") in read(agent.get(HOME)).links


def test_home_names_a_held_shop_and_why_but_not_one_that_is_not_mine() -> None:
    shop, other, who = a_shop("mine"), a_shop("other"), person(every_shop=False)
    ShopAccess.objects.create(shop=shop, person=who)
    ShopHealth.objects.update(held_since=timezone.now(), hold_advice="The key was refused: make a new one.")
    text = words(signed_in(who).get(HOME))
    assert "Mine is on hold." in text
    assert "The key was refused" in text
    assert other.title not in text


def test_the_newest_come_first_and_no_more_than_fit() -> None:
    shop, me = a_shop(), person()
    at: datetime = timezone.now()
    for number in range(20):
        request_for(shop, me, f"R-{number:02}", at=at - timedelta(hours=number))
    assert numbers(signed_in(me).get(HOME)) == [f"R-{number:02}" for number in range(8)]
