"""The order page: read fresh where it can be, judged, and the form that asks for a cancellation, once."""

import re
import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cancellations.orders.models import Order, OrderItem
from cancellations.requests import delivery
from cancellations.requests.models import CancellationRequest
from cancellations.requests.states import State
from cancellations.shops import connection, health
from cancellations.shops.models import Pulse
from providers.errors import AuthFailed, Cause
from providers.registry import PROVIDERS
from tests.desk import Stall, person, stall, unit_of
from tests.integration.seen import doubled_ids, read, words

pytestmark = pytest.mark.django_db
platforms = pytest.mark.parametrize("slug", sorted(PROVIDERS))
BY_FRAGMENT = {"HTTP_HX_REQUEST": "true"}


def signed_in(who: Any = None) -> Client:
    client = Client()
    client.force_login(who or person())
    return client


def page_of(order: Order) -> str:
    return reverse("orders:order", args=[order.pk])


def filled_in(order: Order, **more: Any) -> dict[str, Any]:
    """What a browser sends for the form as it is shown now."""
    order.refresh_from_db()
    given = {"reason": "out_of_stock", "note": "", "submission": str(uuid.uuid4()), "version": str(order.version)}
    if unit_of(order):
        given["units"] = unit_of(order)
    return {**given, **more}


def ask(client: Client, order: Order, given: dict[str, Any] | None = None, **more: Any) -> Any:
    return client.post(reverse("orders:cancel", args=[order.pk]), given or filled_in(order), **more)


def break_line(made: Stall) -> None:
    def unreachable(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("the cable is cut")

    connection.TRANSPORTS[made.shop.base_url] = httpx.MockTransport(unreachable)


def change_there(order: Order) -> None:
    """Let the index learn something new, as a synchronisation would."""
    Order.objects.filter(pk=order.pk).update(version=order.version + 1, status_text="changed there")


# -- reading


@platforms
def test_the_page_shows_the_order_its_age_and_a_form_on_every_platform(slug: str) -> None:
    made = stall(slug)
    order = made.orders()[0]
    answer = signed_in().get(page_of(order))
    seen, text = read(answer), words(answer)
    assert answer.status_code == 200
    assert order.number in text
    assert made.shop.title in text
    assert reverse("orders:cancel", args=[order.pk]) in seen.actions
    assert set(seen.fields) >= {"submission", "version", "note"}
    assert seen.fields["version"] == [str(order.version)]
    assert all(sentence in text for sentence in PROVIDERS[slug].card.consequences)
    first = re.search(r'<div class="small">(.*?)<details', answer.content.decode(), re.DOTALL)
    assert first is not None
    assert first[1].count("<p>") == 2, "what weighs most is said in two lines, the rest is folded away"
    assert doubled_ids(answer) == []


@platforms
def test_the_order_read_fresh_shows_the_same_number_and_loses_nothing(slug: str) -> None:
    made = stall(slug)
    order = made.orders()[0]
    answer = signed_in().get(page_of(order) + "?fresh=1")
    assert answer.status_code == 200
    assert "could not be read" not in words(answer)
    assert order.number in words(answer)
    assert doubled_ids(answer) == []


@platforms
def test_queries_do_not_grow_with_items_history_or_open_requests(slug: str) -> None:
    made = stall(slug)
    order = made.orders()[0]
    client = signed_in()
    ask(client, order)
    few = _queries(client, page_of(order))
    by, first = person(), CancellationRequest.objects.get()
    for number in range(12):
        OrderItem.objects.create(order=order, ref=f"more-{number}", name=f"More {number}", position=50 + number)
        first.pk, first.item_ref, first.submission, first.requested_by = None, f"more-{number}", None, by
        first.save(force_insert=True)
        first.record("cancellation.requested", by=by)
    assert _queries(client, page_of(order)) == few
    assert few < 25


def _queries(client: Client, url: str) -> int:
    client.get(url)
    with CaptureQueriesContext(
        database,
    ) as seen:
        assert client.get(url).status_code == 200
    return len(seen)


def test_an_old_reading_is_renewed_by_a_fragment_and_a_new_one_is_not() -> None:
    made = stall("shoplazza")
    order = made.orders()[0]
    fragment = reverse("orders:fresh", args=[order.pk])
    assert fragment not in signed_in().get(page_of(order)).content.decode()
    Order.objects.update(seen_at=timezone.now() - timedelta(minutes=1))
    assert fragment in signed_in().get(page_of(order)).content.decode()


def test_the_fresh_fragment_leaves_the_form_alone_while_nothing_changed() -> None:
    made = stall("shoplazza")
    order = made.orders()[0]
    url = reverse("orders:fresh", args=[order.pk])
    same = signed_in().get(url, {"version": order.version}, **BY_FRAGMENT)
    assert set(read(same).ids) >= {"order-head", "order-verdict", "order-history"}
    assert "cancel-panel" not in read(same).ids
    key, document = next((key, one) for key, one in made.world.all() if key in order.key)
    made.world.put(key, _cancelled_elsewhere(document))
    changed = signed_in().get(url, {"version": order.version}, **BY_FRAGMENT)
    assert {"cancel-panel", "order-units"} <= set(read(changed).ids)
    assert "It is cancelled already." in words(changed)
    assert read(changed).actions == []


def _cancelled_elsewhere(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "status": "cancelled", "financial_status": "cancelled", "canceled_at": "2026-01-01T00:00:00Z"}


def test_an_unreadable_platform_is_told_and_the_index_shown_with_its_age() -> None:
    made = stall("shoplazza")
    order = made.orders()[0]
    Order.objects.update(seen_at=timezone.now() - timedelta(hours=3))
    break_line(made)
    for url in (page_of(order) + "?fresh=1", reverse("orders:fresh", args=[order.pk])):
        answer = signed_in().get(url)
        text = words(answer)
        assert answer.status_code == 200
        assert "It could not be read just now." in text
        assert "3 hours ago" in text
        assert order.number in text
        assert "the cable is cut" in text


def test_an_order_of_another_persons_shop_is_not_there() -> None:
    order = stall("shoplazza").orders()[0]
    stranger = signed_in(person(every_shop=False))
    assert stranger.get(page_of(order)).status_code == 404
    assert stranger.get(reverse("orders:fresh", args=[order.pk])).status_code == 404
    assert ask(stranger, order).status_code == 404
    assert not CancellationRequest.objects.exists()


def test_the_parcels_traces_are_shown_with_words_and_times() -> None:
    order = stall("shoplazza").orders()[0]
    Order.objects.update(traces=[["2026-03-04T05:06:07+00:00", "", "Left the depot"], [None, "", "Somewhere"]])
    text = words(signed_in().get(page_of(order)))
    assert "Left the depot" in text
    assert "05:06:07" in text
    assert "Somewhere" in text


# -- asking


@platforms
def test_without_script_a_post_leads_to_the_cancellation_by_303(slug: str) -> None:
    order = stall(slug).orders()[0]
    answer = ask(signed_in(), order)
    made = CancellationRequest.objects.get()
    assert answer.status_code == 303
    assert answer.headers["Location"] == reverse("requests:cancellation", args=[made.pk])
    assert made.item_ref == unit_of(order)
    assert made.snapshot["version"] == order.version


def test_with_htmx_the_whole_page_goes_to_the_cancellation() -> None:
    order = stall("shoplazza").orders()[0]
    answer = ask(signed_in(), order, **BY_FRAGMENT)
    assert answer.status_code == 200
    assert answer.headers["HX-Redirect"] == reverse(
        "requests:cancellation", args=[CancellationRequest.objects.get().pk]
    )


@pytest.mark.parametrize("htmx", [{}, BY_FRAGMENT])
def test_a_missing_reason_asks_nothing_and_keeps_what_was_typed(htmx: dict[str, str]) -> None:
    order = stall("shoplazza").orders()[0]
    answer = ask(signed_in(), order, filled_in(order, reason="", note="the buyer rang <twice>"), **htmx)
    assert answer.status_code == 422
    assert "Choose a reason." in words(answer)
    assert read(answer).fields["note"] == ["the buyer rang <twice>"]
    assert not CancellationRequest.objects.exists()


def test_a_reason_that_needs_a_note_says_so_and_stays_chosen() -> None:
    order = stall("shoplazza").orders()[0]
    answer = ask(signed_in(), order, filled_in(order, reason="other", note="  "))
    assert answer.status_code == 422
    assert "needs a note" in words(answer)
    assert ("reason", "other") in read(answer).ticked
    assert not CancellationRequest.objects.exists()


def test_a_reason_the_platform_does_not_list_is_shut_and_refused_with_its_why() -> None:
    made = stall("sellercenter")
    made.shop.options["reasons"] = ["SHORTAGE"]
    made.shop.save()
    order = made.orders()[0]
    client = signed_in()
    shown = client.get(page_of(order))
    assert ("reason", "wrong_address") in read(shown).off
    assert ("reason", "out_of_stock") not in read(shown).off
    assert "Why some reasons can't be picked" in words(shown)
    answer = ask(client, order, filled_in(order, reason="wrong_address", note="kept"))
    assert answer.status_code == 422
    assert "can't be picked in this shop" in words(answer)
    assert read(answer).fields["note"] == ["kept"]
    assert ("units", unit_of(order)) in read(answer).ticked
    assert not CancellationRequest.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"reason": "no_such_reason"}, 422),
        ({"note": "x" * 2001}, 422),
        ({"submission": "not-a-key"}, 422),
        ({"version": ""}, 422),
        ({"version": "99999999999999999999999"}, 409),
        ({"note": "a\x00b"}, 422),
    ],
)
def test_a_form_nobody_was_shown_asks_nothing(wrong: dict[str, str], status: int) -> None:
    order = stall("shoplazza").orders()[0]
    assert ask(signed_in(), order, filled_in(order, **wrong)).status_code == status
    assert not CancellationRequest.objects.exists()


def test_a_form_with_a_broken_key_gets_a_new_one_so_that_the_next_try_goes() -> None:
    order = stall("shoplazza").orders()[0]
    client = signed_in()
    (key,) = read(ask(client, order, filled_in(order, submission="not-a-key"))).fields["submission"]
    assert ask(client, order, filled_in(order, submission=key)).status_code == 303


def test_items_must_be_chosen_and_must_be_this_orders() -> None:
    made = stall("sellercenter")
    order = made.orders()[0]
    none = ask(signed_in(), order, filled_in(order, units=[], note="kept"))
    assert none.status_code == 422
    assert "Choose at least one item." in words(none)
    assert read(none).fields["note"] == ["kept"]
    strange = ask(signed_in(), order, filled_in(order, units=["not-an-item"]))
    assert strange.status_code == 422
    assert not CancellationRequest.objects.exists()


def test_several_items_at_once_are_several_requests_and_lead_back_to_the_order() -> None:
    made = stall("sellercenter")
    order = next(one for one in made.orders() if len(_open_items(one)) > 1)
    units = _open_items(order)[:2]
    answer = ask(signed_in(), order, filled_in(order, units=units))
    assert answer.status_code == 303
    assert answer.headers["Location"] == page_of(order)
    assert set(CancellationRequest.objects.values_list("item_ref", flat=True)) == set(units)
    shown = signed_in().get(page_of(order))
    assert {f"status-{one.pk}" for one in CancellationRequest.objects.all()} <= set(read(shown).ids)
    assert not set(read(shown).fields.get("units", [])) & set(units)


def _open_items(order: Order) -> list[str]:
    return [item.ref for item in order.items.all() if item.cancellable is not False]


@pytest.mark.parametrize("htmx", [{}, BY_FRAGMENT])
def test_an_order_that_changed_meanwhile_is_shown_anew_and_what_was_typed_kept(htmx: dict[str, str]) -> None:
    order = stall("shoplazza").orders()[0]
    client = signed_in()
    given = filled_in(order, note="the buyer rang")
    change_there(order)
    answer = ask(client, order, given, **htmx)
    assert answer.status_code == 409
    assert "changed while you were looking" in words(answer)
    assert "changed there" in words(answer)
    assert read(answer).fields["note"] == ["the buyer rang"]
    assert ("reason", "out_of_stock") in read(answer).ticked
    assert not CancellationRequest.objects.exists()
    again = {**given, "version": read(answer).fields["version"][0]}
    assert ask(client, order, again).status_code == 303


@pytest.mark.parametrize("htmx", [{}, BY_FRAGMENT])
def test_an_order_cancelled_meanwhile_offers_no_form_and_says_why(htmx: dict[str, str]) -> None:
    order = stall("shoplazza").orders()[0]
    given = filled_in(order)
    change_there(order)
    Order.objects.update(status="cancelled", cancellable=False)
    answer = ask(signed_in(), order, given, **htmx)
    assert answer.status_code == 409
    assert "changed while you were looking" in words(answer)
    assert "It is cancelled already." in words(answer)
    assert reverse("orders:cancel", args=[order.pk]) not in read(answer).actions
    assert not CancellationRequest.objects.exists()


def test_what_is_cancelled_already_has_no_form_and_is_not_asked_even_so() -> None:
    order = stall("shoplazza").orders()[0]
    Order.objects.update(status="cancelled", cancellable=False)
    shown = signed_in().get(page_of(order))
    assert "It is cancelled already." in words(shown)
    assert reverse("orders:cancel", args=[order.pk]) not in read(shown).actions
    answer = ask(signed_in(), order, filled_in(order, anyway="on"))
    assert answer.status_code == 422
    assert "It is cancelled already." in words(answer)
    assert not CancellationRequest.objects.exists()


@pytest.mark.parametrize("seen_since", [False, True])
@platforms
def test_R02_what_we_cancelled_says_when_and_by_whom_and_is_asked_again_only_by_a_worded_act(
    slug: str, seen_since: bool
) -> None:
    made, who = stall(slug), person(username="anna")
    order = made.orders()[0]
    ask(signed_in(who), order)
    delivery.drain(made.shop.pk)
    done = CancellationRequest.objects.get()
    assert done.state == State.SUCCEEDED
    gap = timedelta(minutes=1 if seen_since else -1)
    Order.objects.update(seen_at=done.state_since + gap, status="open", cancellable=True, source="platform")
    OrderItem.objects.update(status="open", cancellable=True)
    text = words(signed_in().get(page_of(order)))
    assert "It was cancelled from here: asked for by anna, done " in text
    assert ("shows it otherwise since" in text) == seen_since
    refused = ask(signed_in(), order)
    assert refused.status_code == 422
    assert "Tick here to ask the platform once more." in words(refused)
    assert "anyway" in read(refused).fields
    assert CancellationRequest.objects.count() == 1
    assert ask(signed_in(), order, filled_in(order, anyway="on")).status_code == 303
    assert CancellationRequest.objects.count() == 2


def test_what_we_cancelled_and_the_platform_shows_so_has_no_form_and_names_who_and_when() -> None:
    made, who = stall("shoplazza"), person(username="anna")
    order = made.orders()[0]
    ask(signed_in(who), order)
    delivery.drain(made.shop.pk)
    page = signed_in().get(page_of(order) + "?fresh=1")
    assert "It is cancelled already. It was cancelled from here: asked for by anna, done " in words(page)
    assert reverse("orders:cancel", args=[order.pk]) not in read(page).actions


@pytest.mark.parametrize("over", [False, True])
def test_a_double_click_leads_to_the_one_cancellation_with_a_sentence(over: bool) -> None:
    made = stall("shoplazza")
    order = made.orders()[0]
    client = signed_in()
    given = filled_in(order)
    first = ask(client, order, given)
    if over:  # the second click may arrive when all is done and the order reads cancelled
        delivery.drain(made.shop.pk)
        assert CancellationRequest.objects.get().state == State.SUCCEEDED
    second = ask(client, order, given)
    assert second.status_code == 303
    assert second.headers["Location"] == first.headers["Location"]
    assert "asked for already" in words(client.get(second.headers["Location"]))
    assert CancellationRequest.objects.count() == 1


@pytest.mark.parametrize("changed", [False, True])
def test_a_second_agent_gets_the_first_ones_page(changed: bool) -> None:
    order = stall("shoplazza").orders()[0]
    other = filled_in(order, reason="customer_request")
    first = ask(signed_in(), order)
    if changed:
        change_there(order)
    second = signed_in()
    answer = ask(second, order, other)
    assert answer.headers["Location"] == first.headers["Location"]
    assert "asked for already" in words(second.get(answer.headers["Location"]))
    assert CancellationRequest.objects.count() == 1


def test_what_the_platform_will_refuse_is_asked_only_by_a_persons_insistence() -> None:
    order = stall("shoplazza").orders()[0]
    Order.objects.update(cancellable=False, why="It was packed.", status="open")
    client = signed_in()
    shown = client.get(page_of(order))
    assert "It was packed." in words(shown)
    assert "anyway" in read(shown).fields
    refused = ask(client, order, filled_in(order, note="kept"))
    assert refused.status_code == 422
    assert read(refused).fields["note"] == ["kept"]
    assert not CancellationRequest.objects.exists()
    half = ask(client, order, filled_in(order, reason="", anyway="on"))
    assert ("anyway", "on") in read(half).ticked
    assert ask(client, order, filled_in(order, anyway="on")).status_code == 303


def test_one_doubtful_item_among_others_offers_to_insist_and_remembers_it() -> None:
    made = stall("sellercenter")
    order = next(one for one in made.orders() if len(_open_items(one)) > 1)
    unit = _open_items(order)[0]
    OrderItem.objects.filter(order=order, ref=unit).update(cancellable=False, why="It was packed.")
    client = signed_in()
    first = ask(client, order, filled_in(order, units=[unit]))
    assert first.status_code == 422
    assert "anyway" in read(first).fields
    second = ask(client, order, filled_in(order, units=[unit], anyway="on", reason=""))
    assert ("anyway", "on") in read(second).ticked
    assert ask(client, order, filled_in(order, units=[unit], anyway="on")).status_code == 303


# -- what stands in the way


def test_a_shop_that_needs_approval_says_so_before_and_after() -> None:
    order = stall("shoplazza", needs_approval=True).orders()[0]
    client = signed_in()
    assert "This shop needs approval" in words(client.get(page_of(order)))
    text = words(client.get(ask(client, order).headers["Location"]))
    assert "Waiting for approval." in text


def test_a_held_shop_says_so_and_takes_the_request_all_the_same() -> None:
    made = stall("shoplazza")
    order = made.orders()[0]
    health.hold(made.shop, AuthFailed("401", "no", cause=Cause.KEYS))
    client = signed_in()
    assert "on hold" in words(client.get(page_of(order)))
    assert "the shop is on hold" in words(client.get(ask(client, order).headers["Location"]))


@platforms
def test_a_shop_that_is_switched_off_takes_no_request(slug: str) -> None:
    made = stall(slug)
    order = made.orders()[0]
    given = filled_in(order)
    made.shop.active = False
    made.shop.save()
    client = signed_in()
    shown = client.get(page_of(order))
    assert "switched off" in words(shown)
    assert reverse("orders:cancel", args=[order.pk]) not in read(shown).actions
    answer = ask(client, order, given)
    assert answer.status_code == 422
    assert "switched off" in words(answer)
    assert not CancellationRequest.objects.exists()


@pytest.mark.parametrize(("seconds", "away"), [(None, True), (61, True), (5, False)])
def test_with_no_worker_there_the_queued_request_says_that_nobody_sends(seconds: int | None, away: bool) -> None:
    order = stall("shoplazza").orders()[0]
    client = signed_in()
    if seconds is not None:
        Pulse.objects.create(name="worker", at=timezone.now() - timedelta(seconds=seconds))
    answer = ask(client, order)
    for url in (answer.headers["Location"], page_of(order)):
        assert ("nobody is sending now" in words(client.get(url))) is away


def test_the_page_of_an_order_follows_its_open_request() -> None:
    made = stall("shoplazza")
    order = made.orders()[0]
    client = signed_in()
    Pulse.objects.create(name="worker", at=timezone.now())
    ask(client, order)
    one = CancellationRequest.objects.get()
    html = client.get(page_of(order)).content.decode()
    assert reverse("requests:status", args=[one.pk]) + "?compact=1" in html
    assert reverse("orders:cancel", args=[order.pk]) not in html
    delivery.drain(made.shop.pk)
    after = client.get(reverse("requests:status", args=[one.pk]) + "?compact=1&moment=x", **BY_FRAGMENT)
    assert "Cancelled." in words(after)
    assert "hx-get" not in after.content.decode()
    assert "Nothing was done to this order here yet." not in words(client.get(page_of(order)))


def test_every_item_says_who_says_so_and_as_of_when() -> None:
    order = stall("sellercenter").orders()[0]
    page = words(signed_in().get(page_of(order)))
    assert page.count("says Seller Center,") == order.items.count()


def test_who_the_buyer_is_to_the_platform_is_not_shown_whole() -> None:
    order = stall("wechat").orders()[0]
    openid = order.ref["openid"]
    assert len(openid) > 8
    page = signed_in().get(page_of(order)).content.decode()
    assert openid not in page
    assert f"{openid[:3]}•••" in page
    assert order.ref["waybill_id"] in page


@platforms
def test_the_form_and_the_record_say_where_the_note_goes(slug: str) -> None:
    made = stall(slug)
    order = made.orders()[0]
    client = signed_in()
    goes = PROVIDERS[slug].card.note_sent
    assert ("first 255 characters" in words(client.get(page_of(order)))) is bool(goes)
    ask(client, order, {**filled_in(order), "note": "The buyer called."})
    page = client.get(reverse("requests:cancellation", args=[CancellationRequest.objects.get().pk]))
    assert "The buyer called." in words(page)
    assert ("is sent its first 255 characters" in words(page)) is bool(goes)
