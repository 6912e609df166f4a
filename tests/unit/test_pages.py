"""Keyset paging and the two faces of a page."""

from datetime import UTC, datetime, timedelta

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils.translation import get_language, override
from django_htmx.middleware import HtmxMiddleware

from cancellations.audit.models import AuditEvent
from cancellations.downloads import PIECE, in_pieces
from cancellations.pages import Count, Cursor, Keyset, capped_count, see_other, wants_fragment

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def events(count: int, same_moment: int = 1) -> None:
    """Write events, so many of them sharing each moment."""
    AuditEvent.objects.bulk_create(
        AuditEvent(
            at=NOON + timedelta(seconds=number // same_moment), verb="a.b", subject_kind="x", subject=str(number)
        )
        for number in range(count)
    )


def request(**headers: str):
    made = RequestFactory().get("/", headers=headers)
    HtmxMiddleware(lambda _: HttpResponse())(made)
    return made


def test_a_cursor_comes_back_from_its_text_as_it_was():
    cursor = Cursor(NOON + timedelta(microseconds=7), 91, first=51, back=True)
    assert Cursor.read(cursor.text()) == cursor


@pytest.mark.parametrize(
    "text",
    ["", "x", "💥", "Zg", "%00", Cursor(NOON, 2**63).text(), Cursor(NOON, 1, first=0).text(), Cursor(NOON, -1).text(),
     Cursor(NOON.replace(tzinfo=None), 1).text(), Cursor(NOON, 1).text()[:-3], "A" * 5000],
)  # fmt: skip
def test_a_cursor_nobody_wrote_is_no_cursor(text):
    assert Cursor.read(text) is None


@pytest.mark.django_db
@pytest.mark.parametrize("same_moment", [1, 4, 100])
def test_walking_forward_shows_every_row_once_newest_first_and_walking_back_the_same_pages(same_moment):
    events(23, same_moment)
    expected = list(AuditEvent.objects.order_by("-at", "-id").values_list("pk", flat=True))
    pages = [Keyset("at", size=5).page(AuditEvent.objects.all())]
    while pages[-1].next:
        pages.append(Keyset("at", size=5).page(AuditEvent.objects.all(), pages[-1].next))
    assert [row.pk for page in pages for row in page] == expected
    assert [(page.first, page.last) for page in pages] == [(1, 5), (6, 10), (11, 15), (16, 20), (21, 23)]
    back = pages[-1]
    for page in reversed(pages[:-1]):
        back = Keyset("at", size=5).page(AuditEvent.objects.all(), back.previous)
        assert [row.pk for row in back] == [row.pk for row in page]
        assert (back.first, back.next) == (page.first, page.next)
    assert back.previous == ""


@pytest.mark.django_db
def test_a_row_that_arrives_while_somebody_pages_moves_no_later_page():
    events(12)
    first = Keyset("at", size=5).page(AuditEvent.objects.all())
    second = [row.pk for row in Keyset("at", size=5).page(AuditEvent.objects.all(), first.next)]
    AuditEvent.objects.create(at=NOON + timedelta(days=1), verb="a.b", subject_kind="x")
    assert [row.pk for row in Keyset("at", size=5).page(AuditEvent.objects.all(), first.next)] == second


@pytest.mark.django_db
def test_a_broken_cursor_and_one_past_the_end_show_the_first_page():
    events(7)
    first = [row.pk for row in Keyset("at", size=5).page(AuditEvent.objects.all())]
    for text in ("nonsense", Cursor(NOON - timedelta(days=1), 1, first=6).text()):
        page = Keyset("at", size=5).page(AuditEvent.objects.all(), text)
        assert [row.pk for row in page] == first
        assert (page.first, page.previous) == (1, "")


@pytest.mark.django_db
def test_a_page_costs_one_query(django_assert_num_queries):
    events(12)
    first = Keyset("at", size=5).page(AuditEvent.objects.all())
    with django_assert_num_queries(1):
        Keyset("at", size=5).page(AuditEvent.objects.all(), first.next)


@pytest.mark.django_db
def test_counting_stops_at_the_cap_and_says_so():
    events(7)
    assert str(capped_count(AuditEvent.objects.all(), most=5)) == "5+"
    assert str(capped_count(AuditEvent.objects.all(), most=7)) == "7"
    assert str(Count(10_000, capped=True)) == "10,000+"


def test_only_a_plain_htmx_request_gets_a_fragment():
    asked = {"HX-Request": "true"}
    assert wants_fragment(request(**asked))
    assert not wants_fragment(request())
    assert not wants_fragment(request(**asked, **{"HX-History-Restore-Request": "true"}))
    assert not wants_fragment(request(**asked, **{"HX-Boosted": "true"}))


def test_after_a_post_a_browser_is_sent_on_and_htmx_navigates():
    plain = see_other("/x/", request())
    assert (plain.status_code, plain.headers["Location"]) == (303, "/x/")
    assert see_other("/x/").status_code == 303
    assert see_other("/x/", request(**{"HX-Request": "true"})).headers["HX-Redirect"] == "/x/"


def test_a_file_goes_in_few_pieces_the_first_of_them_before_all_is_read():
    read = []
    lines = (read.append(at) or f"{at:099}\n" for at in range(10_000))
    pieces = in_pieces(lines)
    first = next(pieces)
    assert len(read) * 100 == len(first) < 2 * PIECE
    rest = [*pieces]
    assert len(rest) < 10_000 * 100 / PIECE
    assert b"".join([first, *rest]).splitlines() == [b"%099d" % at for at in range(10_000)]
    assert [*in_pieces([])] == []
    assert [*in_pieces(["猫", "\n"])] == ["猫\n".encode()]


def test_a_file_speaks_the_readers_language_though_the_request_is_over():
    with override("zh-hans"):
        pieces = in_pieces(f"{get_language()}{'-' * PIECE}" for _ in range(3))
    assert [piece[:7] for piece in pieces] == [b"zh-hans"] * 3
    assert get_language() == "en"
