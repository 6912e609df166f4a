"""S16: what is typed is compared as it is; no parameter reaches further than its column, and no line of the log is forged."""

import base64
import io
import logging
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from cancellations.audit import trail
from cancellations.orders import indexing, sync
from cancellations.orders.models import Order
from config.logs import OneLine
from providers.contract import Buyer, PlatformItem, PlatformOrder
from providers.errors import RateLimited
from tests.desk import person
from tests.security.ground import build, tables
from tests.security.test_S01_routes import TABLE

pytestmark = pytest.mark.django_db
ATTACKS = [
    "'", '"', "';--", "'; DROP TABLE cancellations_order; --", "' OR '1'='1", '" OR ""="', "1 OR 1=1", "1) OR (1=1",
    "' UNION SELECT 1,2,3 --", "') UNION SELECT password FROM cancellations_person --", "1; SELECT pg_sleep(3)", "a'||'b",
    "%' OR '%'='", "%", "%%", "_", "__", "A%1", "A_1", "\\", "\\%", "\\'", "*", "?", "[A-Z]", "$1", "%s", "%(x)s", "{}",
    ":x", "@@version", "/*", "*/", "#", "--", "0x41", "char(65)", "randomblob(1000000000)", "x' AND 1=LIKE('A','B",
]  # fmt: skip


def put(shop: Any, number: str, **more: Any) -> Order:
    said = PlatformOrder(ref={"order_id": f"id-{number}"}, number=number, placed_at=timezone.now(), **more)
    return indexing.put(shop, said, seen_at=timezone.now())


def found(client: Any, query: dict[str, str]) -> list[str]:
    answer = client.get("/orders/", query)
    assert answer.status_code in (200, 422), query
    return sorted(row.number for row in answer.context["results"].page.rows)


def test_S16_wildcards_and_quotes_in_the_search_box_are_letters() -> None:
    house = build(count=8)
    shop, client = house.stall.shop, house.client("admin")
    for number in ("A%1", "A_1", "AX1", "AXY1", "A\\1", "A'1", 'A"1', "A*1", "A[1", "100%", "A%1Z"):
        put(shop, number, buyer=Buyer("Ann O'Hara", "a%b@x.example", "5551234567"),
            items=(PlatformItem(f"i{number}", sku=f"S{number}"),))  # fmt: skip
    assert found(client, {"q": "A%1"}) == ["A%1"]
    assert found(client, {"q": "A_1"}) == ["A_1"]
    assert found(client, {"q": "A\\1"}) == ["A\\1"]
    assert found(client, {"q": "A'1"}) == ["A'1"]
    assert found(client, {"q": "A*1"}) == ["A*1"]
    assert found(client, {"q": "A[1"}) == ["A[1"]
    assert found(client, {"q": "A%", "begins": "1"}) == ["A%1", "A%1Z"]
    assert found(client, {"q": "A_", "begins": "1"}) == ["A_1"]
    assert found(client, {"q": "SA%", "begins": "1"}) == ["A%1", "A%1Z"]
    for nothing in ("%%", "__", "A?1", "A%%1", "a%@x.example", "_%b@x.example", "Ann O%", "555%", "~%", "~" + "0" * 32):
        assert found(client, {"q": nothing}) == [], nothing
        assert found(client, {"q": nothing, "begins": "1"}) == [], nothing


def test_S16_an_attack_in_any_parameter_finds_what_a_text_finds_that_is_nowhere() -> None:
    house = build(count=6)
    client = house.client("admin")
    pages = {
        "/orders/": ("q", "platform", "shop", "status", "cancellable", "placed_from", "amount_min", "currency", "at"),
        "/cancellations/": ("tab", "state", "shop", "reason", "person", "at"),
        "/audit/": ("person", "what", "shop", "order", "since", "until", "at"),
        "/people/": ("q", "role", "state", "page"),
        "/bulk/": ("at",),
        f"/bulk/{house.batch.pk}/": ("show", "at"),
    }
    plain = {
        (page, name): client.get(page, {name: "zzznowherezzz"}).status_code
        for page, names in pages.items()
        for name in names
    }
    before = tables()
    for page, names in pages.items():
        for name in names:
            for attack in ATTACKS if name in ("q", "order", "person", "at") else ATTACKS[::6]:
                answer = client.get(page, {name: attack})
                assert answer.status_code in (200, 422), (page, name, attack)
                if page == "/orders/" and name == "q":
                    assert not answer.context["results"].page.rows, attack
                if name in ("order", "person") and plain[page, name] == 200:
                    key = "lines" if page == "/audit/" else "page"
                    assert not list(answer.context[key]), (page, name, attack)
    assert {name for name, rows in tables().items() if rows != before.get(name)} <= {
        "django_session", "cancellations_auditevent",
    }  # fmt: skip


def test_S16_what_is_typed_reaches_the_database_as_a_parameter_only() -> None:
    house = build(count=8)
    client = house.client("admin")
    mark = "zq9mark'"
    for page, names in {"/orders/": ("q", "currency"), "/audit/": ("person", "order"), "/cancellations/": ("person",),
                        "/people/": ("q",)}.items():  # fmt: skip
        for name in names:
            heard: list[str] = []  # every statement as it is handed over, before its parameters are filled in

            def note(execute: Any, sql: str, *rest: Any) -> Any:
                heard.append(sql)  # noqa: B023 - read in the same turn
                return execute(sql, *rest)

            with connection.execute_wrapper(note):
                client.get(page, {name: mark})
            assert len(heard) > 3
            assert not [sql for sql in heard if "zq9mark" in sql.lower()], (page, name)


def cursor(*parts: object) -> str:
    return base64.urlsafe_b64encode("|".join(map(str, parts)).encode()).decode().rstrip("=")


def test_S16_a_tampered_cursor_gives_a_page_and_never_another_shops_rows() -> None:
    house = build()
    now = timezone.now().isoformat()
    tampered = [
        "", "x", "=", "%", "a" * 5000, cursor("f", now, 1, 1), cursor("f", now, -1, 1), cursor("f", now, 2**63, 1),
        cursor("f", now, 10**30, 1), cursor("b", now, 1, 0), cursor("f", now, 1, 10**9 + 1), cursor("f", "now", 1, 1),
        cursor("f", "2026-01-01", 1, 1), cursor("f", "0001-01-01T00:00:00+00:00", 1, 1), cursor("x", now, 1, 1),
        cursor("f", "9999-12-31T23:59:59.999999+00:00", 2**63 - 1, 10**9), cursor("b", "0001-01-01T00:00:00+14:00", 1, 1),
        cursor("b", "9999-12-31T23:59:59-14:00", 1, 1), cursor("f", now, "1 OR 1=1", 1), cursor("f", now, 1, 1, 1),
        cursor("f", now, "１", 1), cursor("f", now, "1_0", 1), "\x00", "é", cursor("f", now, True, 1),
    ]  # fmt: skip
    for role in ("admin", "outsider"):
        client = house.client(role)
        for at in tampered:
            for page in ("/orders/", "/cancellations/", "/audit/", "/orders/?q=1&begins=1"):
                if role == "outsider" and page == "/audit/":
                    continue
                glue = "&" if "?" in page else "?"
                answer = client.get(f"{page}{glue}at={at}")
                assert answer.status_code == 200, (page, at)
                if role == "outsider":
                    assert house.cancellation.order_number not in answer.content.decode()
    for number in ("-1", "0", "99999999999999999999", "1.5", "１", "x", "\x00"):
        assert house.client("admin").get("/people/", {"page": number}).status_code == 200, number


def test_S16_no_column_of_anything_can_be_chosen_to_sort_or_filter_by() -> None:
    """Parameters nobody asked for are not looked at."""
    house = build()
    client = house.client("admin")
    for page in ("/orders/", "/cancellations/", "/audit/", "/people/", "/shops/"):
        plain = client.get(page)
        shape = plain.content.decode().count("<tr")
        for name in (
            "sort",
            "order_by",
            "o",
            "requested_by__password__startswith",
            "shop__credential__sealed__gt",
            "limit",
        ):
            answer = client.get(page, {name: "-password"})
            assert answer.status_code == 200
            assert answer.content.decode().count("<tr") == shape, (page, name)


FORGERY = "innocent\r\n2026-01-01 00:00:00,000 CRITICAL root all is lost\n\x1b[2J\u2028x\x85y\x00"


def log_of(act: Any) -> str:
    """Return what the log's console shows while something is done."""
    out = io.StringIO()
    ear = logging.StreamHandler(out)
    ear.setFormatter(OneLine("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    old = root.level
    root.addHandler(ear)
    root.setLevel(logging.DEBUG)
    try:
        act()
    finally:
        root.removeHandler(ear)
        root.setLevel(old)
    return out.getvalue()


def test_S16_a_line_of_the_log_cannot_be_forged(monkeypatch: pytest.MonkeyPatch) -> None:
    house = build()
    shop = house.stall.shop
    client = house.client("admin")

    def provoke() -> None:
        logging.getLogger("cancellations").warning("Shop %s: %s", FORGERY, FORGERY)
        logging.getLogger("cancellations").warning(f"{FORGERY}")  # noqa: G004 - the worst way to write one
        try:
            raise ValueError(FORGERY)
        except ValueError:
            logging.getLogger("cancellations").exception("it broke %s", FORGERY)
        client.get("/nothing/" + FORGERY.replace("\x00", "") + "/")
        client.post("/accounts/login/", {"login": FORGERY, "password": FORGERY})
        client.get("/orders/", {"q": FORGERY}, headers={"X-Forwarded-For": "1.2.3.4, " + "evil"})
        monkeypatch.setattr(sync, "connect", lambda *_a, **_k: (_ for _ in ()).throw(RateLimited(FORGERY, FORGERY)))
        sync.pull(shop)

    text = log_of(provoke)
    assert "it broke" in text
    assert "innocent" in text
    for line in text.splitlines():
        assert not line.startswith("2026-01-01 00:00:00,000 CRITICAL"), line
        assert not line.startswith("all is lost")
    assert "\x1b" not in text
    assert "\x00" not in text


def test_S16_names_and_origins_in_the_record_are_cut_and_cannot_pose_as_another_column(client: Any) -> None:
    with trail.coming_from("9" * 500 + FORGERY):
        event = trail.record("x.y", by=person(), subject_kind="x", subject=FORGERY * 50, order_number=FORGERY * 50)
    event.refresh_from_db()
    assert len(event.origin) <= 64
    assert len(event.subject) <= 200


def test_S16_every_page_that_takes_a_query_is_in_the_list_above() -> None:
    lists = {route for route, answers in TABLE.items() if "GET" in answers and route.endswith(":list")}
    assert lists == {
        "orders:list",
        "requests:list",
        "batches:list",
        "audit:list",
        "people:list",
        "shops:list",
        "reasons:list",
    }
