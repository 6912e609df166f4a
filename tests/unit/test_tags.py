"""What the tags put on a page."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.conf import settings
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone, translation

from cancellations.batches.wording import OUTCOMES, PUT_AWAY, VERDICTS
from cancellations.charts import ceiling
from cancellations.marks import MARKS
from cancellations.moments import ago, span
from cancellations.orders.models import OrderStatus
from cancellations.pages import Page
from cancellations.requests.states import State
from providers.exchange import BLOT

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def show(source: str, **context: object) -> str:
    return Template(source).render(Context(context))


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


@pytest.mark.parametrize("word", [*State, *OrderStatus.values])
def test_every_state_and_status_has_a_mark_beside_its_words(word):
    html = show("{% badge word %}", word=word)
    assert "<svg" in html
    assert 'aria-hidden="true"' in html
    assert words(html) == str(MARKS[word].label)


def test_states_of_different_meaning_never_look_the_same():
    looks = [(str(MARKS[state].label), MARKS[state].icon, MARKS[state].tone) for state in State]
    assert len({label for label, _, _ in looks}) == len(looks)


@pytest.mark.parametrize("told", [VERDICTS, PUT_AWAY, OUTCOMES], ids=["a plan", "a plan put away", "a run"])
def test_no_two_parts_of_a_bar_have_the_same_tone(told):
    tones = [one.tone for one in told.values()]
    assert len(set(tones)) == len(tones)
    known = re.findall(r'^\[data-tone="([\w-]+)"\]', (settings.BASE_DIR / "static/css/tokens.css").read_text(), re.M)
    assert set(tones) <= set(known)


def test_a_request_shows_that_it_is_in_review_or_had_been_cancelled_before():
    assert words(show("{% badge r %}", r=SimpleNamespace(state="uncertain", in_review=True))) == "In review"
    assert words(show("{% badge r %}", r=SimpleNamespace(state="succeeded", already=True))) == "Was already cancelled"
    assert words(show("{% badge r %}", r=SimpleNamespace(state="queued", in_review=True))) == "Waiting"


def test_what_comes_from_outside_is_escaped_everywhere():
    bad = "<script>&\"'"
    shop = SimpleNamespace(platform=bad, title=bad)
    html = show(
        "{% badge bad detail=bad label=bad %}{% verdict None bad %}{% copy bad label=bad %}{% platform shop %}"
        "{% money 1 bad %}{{ bad|pretty }}{% dots steps %}{% when None empty=bad %}{% chart rows legend title=bad %}",
        bad=bad, shop=shop, steps=[(bad, "now")], rows=[(bad, (1,))], legend=[(bad, "good")],
    )  # fmt: skip
    assert "<script" not in html
    assert "&amp;amp;" not in html


def test_a_moment_is_relative_with_the_exact_time_in_the_readers_zone_on_hover():
    with timezone.override(ZoneInfo("Asia/Shanghai")):
        html = show("{% when at %}", at=timezone.now() - timedelta(minutes=3, seconds=5))
        exact = show("{% when at exact=True %}", at=NOW)
    assert ">3 minutes ago<" in html
    assert re.search(r'title="\d+ \w+ \d{4}, \d\d:\d\d:\d\d CST"', html)
    assert 'datetime="20' in html
    assert ">20 Nov 2026, 20:00:00 CST<" in exact
    assert "never" in show("{% when None %}")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "just now"), (1, "1 second ago"), (59, "59 seconds ago"), (60, "1 minute ago"), (7199, "1 hour ago"),
     (86400 * 6, "6 days ago"), (86400 * 8, "12 Nov 2026"), (-30, "in 30 seconds"), (-3600, "in 1 hour")],
)  # fmt: skip
def test_how_long_ago_is_said_in_words(seconds, text):
    assert ago(NOW - timedelta(seconds=seconds), NOW) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "–"), (0.34, "340 ms"), (1.24, "1.2 s"), (5, "5 s"), (180, "3 min"), (7200, "2 h")]
)
def test_lengths_of_time_are_short(seconds, text):
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [("1234.5000", "EUR", "1,234.50 EUR"), ("1200.0000", "JPY", "1,200 JPY"), ("0.0125", "USD", "0.0125 USD"),
     ("0", "CNY", "0.00 CNY"), (None, "CNY", "–"), ("-7", "EUR", "-7.00 EUR"), ("1E+3", "EUR", "1,000.00 EUR")],
)  # fmt: skip
def test_money_keeps_every_digit_the_platform_gave_and_its_currency(amount, currency, text):
    amount = Decimal(amount) if amount else None
    assert words(show("{% money amount currency %}", amount=amount, currency=currency)) == text


def test_money_is_grouped_by_thousands_in_chinese_too():
    with translation.override("zh-hans"):
        assert words(show("{% money amount currency %}", amount=Decimal("1234567.5"), currency="CNY")) == (
            "1,234,567.50 CNY"
        )


def test_an_id_is_shown_whole_and_can_be_copied():
    long = "x" * 180
    html = show('{% copy text label="order number" %}', text=long)
    assert f"<code>{long}</code>" in html
    assert f'data-copy="{long}"' in html
    assert 'aria-label="Copy order number"' in html


def test_json_is_indented_and_what_was_blotted_out_is_marked():
    html = show("{{ body|pretty }}", body='{"名": "王", "token": "' + BLOT + '"}')
    assert "\n  &quot;名&quot;: &quot;王&quot;" in html
    assert f">{BLOT}</mark>" in html
    assert show("{{ body|pretty }}", body="{not json") == "{not json"


def test_a_chart_shows_each_number_also_in_a_table_and_uses_no_inline_style():
    html = show(
        '{% chart rows legend title="Days" %}',
        rows=[("7 Nov", (3, 0)), ("8 Nov", (1, 2))],
        legend=[("Cancelled", "good"), ("Refused", "bad")],
    )
    assert html.count("<rect data-tone") == 3
    assert [words(row) for row in re.findall(r"<tr><th scope=\"row\">.*?</tr>", html)] == ["7 Nov 3 0 3", "8 Nov 1 2 3"]
    assert "style" not in html


def test_an_empty_chart_still_draws():
    assert "<svg" in show("{% chart rows legend %}", rows=[], legend=[("Cancelled", "good")])


@pytest.mark.parametrize(("most", "top"), [(0, 5), (4, 5), (5, 5), (6, 10), (11, 20), (21, 50), (101, 200)])
def test_a_scale_ends_at_a_round_number_not_under_the_highest_bar(most, top):
    assert ceiling(most) == top


def test_the_pager_keeps_the_query_and_changes_only_the_cursor():
    html = show(
        "{% pager page 1234 %}",
        request=RequestFactory().get("/orders/", {"q": "a&b", "at": "old"}),
        page=Page(rows=[1, 2], first=51, next="N", previous="P"),
    )
    assert 'href="?q=a%26b&amp;at=N"' in html
    assert 'href="?q=a%26b&amp;at=P"' in html
    assert "51–52 of 1234" in words(html)


class Sample(forms.Form):
    name = forms.CharField(label="Name", help_text="What people call it.")
    hidden = forms.CharField(
        widget=forms.HiddenInput, error_messages={"required": "The page is too old. Load it again."}
    )
    kind = forms.ChoiceField(label="Kind", choices=[("a", "A")], widget=forms.RadioSelect)


def test_an_error_stands_beside_its_field_and_in_the_summary_with_a_link_to_it():
    form = Sample({})
    summary, field = show("{% errors form %}", form=form), show("{% field form.name %}", form=form)
    assert '<a href="#id_name">Name</a>' in summary
    assert "Load it again." in summary
    described = re.search(r'aria-describedby="([^"]+)"', field)
    assert described
    for part in described[1].split():
        assert f'id="{part}"' in field
    assert 'aria-invalid="true"' in field
    assert show("{% errors form %}", form=Sample()).strip() == ""


def test_a_group_of_choices_is_a_fieldset_with_a_legend():
    html = show("{% field form.kind %}", form=Sample())
    assert "<fieldset" in html
    assert "<legend>Kind" in html


def test_a_platform_that_is_gone_shows_its_slug():
    assert show('{{ "gone"|platform_name }}') == "gone"
