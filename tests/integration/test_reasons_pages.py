"""The pages of the reasons: everybody reads, admins change, and what the platforms list is read by a worker."""

from dataclasses import replace

import pytest
from django.urls import reverse

from cancellations.audit.models import AuditEvent
from cancellations.reasons.choosing import reasons_for
from cancellations.reasons.models import ListedReasons, Reason, ReasonMapping
from cancellations.reasons.tasks import refresh_reasons
from cancellations.shops import configuring
from cancellations.shops.models import Shop
from providers import registry
from providers.contract import PlatformReason, Provider
from providers.errors import Advice, Unreachable
from tests.desk import person, stall
from tests.integration.pretend import CARD, CREDENTIAL, PretendPlatform

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
WORDS = {"label": "Wrong size", "label_zh": "尺码不对", "position": "15"}


class Listing(PretendPlatform):
    """A pretend platform with a list of reasons."""

    listed: tuple[PlatformReason, ...] = (PlatformReason("SOLD_OUT", "Sold out"), PlatformReason("LOST", "LOST"))

    def list_reasons(self) -> tuple[PlatformReason, ...]:
        return self._answer("list_reasons", self.listed)


@pytest.fixture
def platform(monkeypatch) -> Listing:
    pretend = Listing()
    card = replace(
        CARD,
        reason="listed",
        reasons=(PlatformReason("NONE_LEFT", "None left"),),
        reason_defaults={"out_of_stock": "NONE_LEFT"},
    )
    door = pretend.provider()
    monkeypatch.setitem(registry.PROVIDERS, "pretend", Provider(card, door.open, door.capabilities, None))
    return pretend


@pytest.fixture
def admin(client):
    admin = person("admin", username="boss")
    client.force_login(admin)
    return admin


@pytest.fixture
def shop(platform, admin) -> Shop:
    return make_shop(admin)


def make_shop(by, name: str = "corner", platform: str = "pretend") -> Shop:
    return configuring.create_shop(
        by=by, name=name, title=name.title(), platform=platform, environment="live", credential=CREDENTIAL
    )


def url(name: str, *args: object) -> str:
    return reverse(f"reasons:{name}", args=args)


def events(verb: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(verb=verb).order_by("id"))


def followed(client, path: str, given=None) -> str:
    """Post, and return the page the answer leads to."""
    answer = client.post(path, given or {})
    assert answer.status_code == 303
    return client.get(answer["Location"]).content.decode()


def map_to(client, value: str, shop: str = "", code: str = "out_of_stock"):
    return client.post(url("map", code), {"platform": "pretend", "shop": shop, "value": value})


@pytest.mark.parametrize("role", ["agent", "manager", None])
def test_everybody_reads_and_only_admins_change(client, shop, role):
    client.logout()
    if role:
        client.force_login(person(role))
    reading = [client.get(url("list")), client.get(url("reason", "other"))]
    assert {one.status_code for one in reading} == {200 if role else 302}
    paths = [url(name, "other") for name in ("change", "retire", "restore", "map")]
    paths += [url("create"), url("read_list", shop.name)]
    changing = [client.post(path, {**WORDS, "code": "new_one"}) for path in paths]
    changing += [client.get(url("new")), client.get(url("edit", "other")), client.get(url("lists"))]
    assert {one.status_code for one in changing} == {403 if role else 302}
    if role:
        assert "<form" not in reading[1].content.decode().partition("<main")[2].partition("</main>")[0]
    assert not AuditEvent.objects.filter(verb__startswith="reason.").exists()


def test_the_table_says_what_is_told_where_nothing_is_and_why_not(client, shop):
    Shop.objects.create(name="tb", title="Tao", platform="taobao", environment="sandbox", base_url="")
    page = client.get(url("list")).content.decode()
    assert "NONE_LEFT" in page
    assert "takes none" in page
    assert "Pretend has no value for this reason yet" in page


def test_where_shops_differ_the_table_names_them(client, admin, shop):
    make_shop(admin, "bazaar")
    page = client.get(url("list")).content.decode()
    assert "Bazaar" not in page
    ListedReasons.objects.create(shop=shop, values=["LOST"])
    page = client.get(url("list")).content.decode()
    assert "Bazaar" in page
    assert "Corner" in page


def test_another_persons_shop_is_not_in_the_table(client, shop):
    client.force_login(person("agent", every_shop=False))
    for page in (url("list"), url("reason", "out_of_stock")):
        shown = client.get(page).content.decode()
        assert "NONE_LEFT" not in shown
        assert "Corner" not in shown


def test_the_table_costs_the_same_for_one_shop_and_for_many(
    client, admin, shop, django_assert_num_queries, django_assert_max_num_queries
):
    pages = [url("list"), url("reason", "out_of_stock"), url("lists")]
    counts = []
    client.get(pages[0])  # a sitting's first page is not counted
    for page in pages:
        with django_assert_max_num_queries(20) as few:
            client.get(page)
        counts.append(len(few))
    for number in range(8):
        ListedReasons.objects.create(shop=make_shop(admin, f"shop{number}"), values=["LOST"])
    for page, count in zip(pages, counts, strict=True):
        with django_assert_num_queries(count):
            client.get(page)


class TestTheCatalogue:
    def test_a_new_reason_can_be_picked_at_once(self, client, admin, shop):
        page = followed(client, url("create"), {**WORDS, "code": "wrong_size", "note_required": "on"})
        assert "Wrong size" in page
        made = Reason.objects.get(code="wrong_size")
        assert (made.label_zh, made.note_required, made.position) == ("尺码不对", True, 15)
        assert [one.reason.code for one in reasons_for(shop)][1] == "wrong_size"
        (event,) = events("reason.created")
        assert (event.actor, event.subject_id, event.data["after"]["label"]) == ("boss", "wrong_size", "Wrong size")

    @pytest.mark.parametrize("code", ["", "other", "new", "lists", "two words", "x" * 41])
    def test_a_code_that_cannot_be_used_is_refused_and_nothing_is_lost(self, client, admin, code):
        answer = client.post(url("create"), {**WORDS, "code": code}, headers=HTMX)
        assert answer.status_code == 422
        page = answer.content.decode()
        assert 'id="id_code_error"' in page
        assert "尺码不对" in page
        assert Reason.objects.count() == 9

    def test_words_change_and_the_code_never_does(self, client, admin):
        followed(client, url("change", "other"), {**WORDS, "code": "renamed", "note_required": "on"})
        changed = Reason.objects.get(code="other")
        assert (changed.label, changed.position) == ("Wrong size", 15)
        (event,) = events("reason.changed")
        assert event.data["before"] == {"label": "Another reason", "label_zh": "", "position": 90}
        assert event.data["after"] == {"label": "Wrong size", "label_zh": "尺码不对", "position": 15}

    def test_a_change_that_cannot_be_kept_changes_nothing(self, client, admin):
        answer = client.post(url("change", "other"), {**WORDS, "label": ""})
        assert answer.status_code == 422
        assert Reason.objects.get(code="other").label == "Another reason"
        assert events("reason.changed") == []

    def test_a_label_in_chinese_is_shown_to_those_who_read_it(self, client, admin):
        followed(client, url("change", "other"), {**WORDS, "note_required": "on"})
        assert "尺码不对" in client.get(url("list"), headers={"Accept-Language": "zh-hans"}).content.decode()
        assert "尺码不对" not in client.get(url("list")).content.decode()

    def test_a_retired_reason_is_kept_not_offered_and_can_be_restored(self, client, admin, shop):
        for act in ("retire", "retire"):
            followed(client, url(act, "other"))
        assert "other" not in {one.reason.code for one in reasons_for(shop)}
        page = client.get(url("list")).content.decode()
        assert "Another reason" in page.partition("Retired")[2]
        for act in ("restore", "restore"):
            followed(client, url(act, "other"))
        assert "other" in {one.reason.code for one in reasons_for(shop)}
        assert [len(events(f"reason.{one}")) for one in ("retired", "restored")] == [1, 1]

    def test_the_last_reason_on_offer_stays(self, client, admin):
        codes = list(Reason.objects.values_list("code", flat=True))
        for code in codes:
            page = followed(client, url("retire", code))
        assert "last reason on offer" in page
        assert [one.code for one in Reason.objects.filter(retired_at=None)] == [codes[-1]]


class TestMapping:
    def test_maps_a_platform_and_one_of_its_shops(self, client, admin, shop):
        ListedReasons.objects.create(shop=shop, values=["SOLD_OUT", "LOST"])
        assert map_to(client, "SOLD_OUT").status_code == 303
        assert map_to(client, "LOST", "corner", "undeliverable").status_code == 303
        told = {one.reason.code: one.value for one in reasons_for(shop) if one.pickable}
        assert told == {"out_of_stock": "SOLD_OUT", "undeliverable": "LOST"}
        first, second = events("reason.mapped")
        assert (first.subject_id, first.shop) == ("out_of_stock", "")
        assert first.data == {"platform": "pretend", "before": {"value": ""}, "after": {"value": "SOLD_OUT"}}
        assert (second.subject_id, second.shop) == ("undeliverable", "corner")

    def test_offers_the_listed_values_with_what_the_platform_calls_them(self, client, admin, shop):
        ListedReasons.objects.create(shop=shop, values=["7", "8"], labels={"7": "Sold out", "8": "Lost"})
        page = client.get(url("reason", "out_of_stock")).content.decode()
        assert '<option value="7">7 · Sold out</option>' in page

    def test_a_value_the_platform_does_not_list_is_refused_beside_its_field(self, client, admin, shop):
        answer = map_to(client, "INVENTED", "corner")
        assert answer.status_code == 422
        assert "“INVENTED” is not among the values the platform lists" in answer.content.decode()
        assert not ReasonMapping.objects.exists()
        assert events("reason.mapped") == []

    def test_nothing_takes_the_mapping_back(self, client, admin, shop):
        ListedReasons.objects.create(shop=shop, values=["NONE_LEFT", "LOST"])
        map_to(client, "LOST")
        map_to(client, "")
        map_to(client, "")
        assert not ReasonMapping.objects.exists()
        assert next(one.value for one in reasons_for(shop) if one.reason.code == "out_of_stock") == "NONE_LEFT"
        assert len(events("reason.mapped")) == 2

    def test_a_mapping_made_twice_is_one_row_and_one_event(self, client, admin, shop):
        for _ in range(2):
            map_to(client, "NONE_LEFT")
        assert ReasonMapping.objects.count() == 1
        assert len(events("reason.mapped")) == 1

    @pytest.mark.parametrize(
        "given",
        [
            {"platform": "nowhere", "value": "x"},
            {"platform": "taobao", "value": "x"},
            {"platform": "taobao", "shop": "corner", "value": "NONE_LEFT"},
            {"platform": "pretend", "shop": "not-there", "value": "NONE_LEFT"},
            {"platform": "pretend", "value": "x" * 256},
        ],
    )
    def test_what_makes_no_sense_is_refused(self, client, admin, shop, given):
        answer = client.post(url("map", "out_of_stock"), given)
        assert answer.status_code == 422
        assert not ReasonMapping.objects.exists()

    def test_another_persons_shop_cannot_be_mapped(self, client, shop):
        limited = person("admin", every_shop=False)
        client.force_login(limited)
        assert map_to(client, "NONE_LEFT", "corner").status_code == 422
        assert not ReasonMapping.objects.exists()


class TestReadingLists:
    def test_the_button_rings_for_a_worker_and_the_page_waits(
        self, client, admin, shop, platform, rung, django_capture_on_commit_callbacks
    ):
        with django_capture_on_commit_callbacks(execute=True):
            page = followed(client, url("read_list", shop.name))
        assert rung == [("refresh_reasons", (shop.pk,))]
        assert platform.opened == []  # the web process itself asked nobody
        assert 'hx-trigger="every 2s"' in page
        refresh_reasons(shop.pk)
        page = client.get(url("lists"), headers=HTMX).content.decode()
        assert "SOLD_OUT" in page
        assert "every 2s" not in page
        (event,) = events("shop.reasons_listed")
        assert (event.actor_kind, event.shop, event.data["after"]) == (
            "worker",
            "corner",
            {"values": ["SOLD_OUT", "LOST"]},
        )
        assert events("shop.reasons_asked")[0].actor == "boss"

    def test_the_same_list_again_is_no_event(self, shop):
        for _ in range(2):
            refresh_reasons(shop.pk)
        assert len(events("shop.reasons_listed")) == 1

    def test_a_failed_reading_keeps_the_last_good_list_and_says_what_to_do(self, client, admin, shop, platform):
        refresh_reasons(shop.pk)
        read_at = ListedReasons.objects.get().read_at
        platform.error = Unreachable("timeout", "no answer", advice=Advice("Ask later.", "Look at the network."))
        refresh_reasons(shop.pk)
        kept = ListedReasons.objects.get()
        assert (kept.values, kept.read_at) == (["SOLD_OUT", "LOST"], read_at)
        page = client.get(url("lists")).content.decode()
        assert "The last reading failed" in page
        assert "Look at the network." in page
        platform.error = None
        refresh_reasons(shop.pk)
        assert "The last reading failed" not in client.get(url("lists")).content.decode()

    def test_an_empty_list_is_not_a_good_one(self, client, admin, shop, platform):
        refresh_reasons(shop.pk)
        platform.listed = ()
        refresh_reasons(shop.pk)
        assert ListedReasons.objects.get().values == ["SOLD_OUT", "LOST"]
        assert "listed no reason" in client.get(url("lists")).content.decode()

    def test_a_shop_switched_off_is_not_asked(self, client, admin, shop, platform, rung):
        configuring.set_active(shop, False, by=admin)
        assert "is switched off" in followed(client, url("read_list", shop.name))
        refresh_reasons(shop.pk)
        assert (rung, platform.opened) == ([], [])

    def test_another_persons_shop_is_not_there(self, client, shop):
        client.force_login(person("admin", every_shop=False))
        assert client.post(url("read_list", shop.name)).status_code == 404
        assert "Corner" not in client.get(url("lists")).content.decode()

    def test_a_real_operators_sandbox_answers(self, admin):
        made = stall("sellercenter", count=1, learn=False)
        refresh_reasons(made.shop.pk)
        listed = ListedReasons.objects.get(shop=made.shop)
        assert listed.failed_at is None, listed.problem_words
        assert "SHORTAGE" in listed.values or "SHORTAGE" in listed.labels
        assert any(one.pickable for one in reasons_for(made.shop) if one.reason.code == "out_of_stock")
