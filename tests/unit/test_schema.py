"""A card's fields: what is filled in on a page or in a file is judged the same way."""

import pytest
from django import forms
from django.core.exceptions import ValidationError

from cancellations.schema import as_lines, clean_values, form_field
from providers.contract import Field


def _check(url: str) -> str:
    if not url.startswith("https://"):
        raise ValidationError("not https.")
    return url


def _clean(field: Field, value: object):
    return clean_values([field], {field.name: value}, check_url=_check)


MODE = Field("mode", "Mode", kind="choice", default="a", choices=(("a", "A"), ("b", "B")))


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        (Field("x", "X"), "  text ", "text"),
        (Field("x", "X", kind="secret"), "päss word", "päss word"),
        (Field("x", "X", kind="switch"), True, True),
        (Field("x", "X", kind="switch", default=True), None, True),
        (Field("x", "X", kind="integer"), 12345678901234567890, "12345678901234567890"),
        (Field("x", "X", kind="integer"), "0012", "0012"),
        (Field("x", "X", kind="url"), "https://a", "https://a"),
        (Field("x", "X", kind="list"), ["A", "B", "A"], ["A", "B"]),
        (Field("x", "X", kind="list"), "A\r\n\r\n B ", ["A", "B"]),
        (Field("x", "X", kind="list"), {"code": "VALUE"}, {"code": "VALUE"}),
        (Field("x", "X", kind="list"), "code = VALUE\nother=More words", {"code": "VALUE", "other": "More words"}),
        (Field("x", "X", kind="list", default=("D",), required=False), "", ["D"]),
        (MODE, "", "a"),
        (MODE, "b", "b"),
    ],
)
def test_a_good_value_is_kept_in_its_stored_form(field, given, kept):
    assert _clean(field, given) == ({field.name: kept}, {})


@pytest.mark.parametrize(
    ("field", "given"),
    [
        (Field("x", "X"), ""),
        (Field("x", "X"), 5),
        (Field("x", "X"), "two\nlines"),
        (Field("x", "X"), "nul\x00"),
        (Field("x", "X", max_length=3), "four"),
        (Field("x", "X", kind="secret"), "abc"),
        (Field("x", "X", kind="secret"), {"env": "NAME"}),
        (Field("x", "X", kind="switch"), "true"),
        (Field("x", "X", kind="integer"), "12a"),
        (Field("x", "X", kind="integer"), "１２"),
        (Field("x", "X", kind="integer"), True),
        (Field("x", "X", kind="url"), "http://a"),
        (Field("x", "X", kind="list"), [1]),
        (Field("x", "X", kind="list"), {"a": ["b"]}),
        (Field("x", "X", kind="list"), []),
        (MODE, "c"),
    ],
)
def test_a_bad_value_is_one_sentence_beside_its_field(field, given):
    _values, faults = _clean(field, given)
    assert list(faults) == [field.name]
    assert faults[field.name].endswith(".")


def test_a_field_nobody_knows_is_a_fault():
    assert "y" in clean_values([Field("x", "X", required=False)], {"y": "1"}, check_url=_check)[1]


def test_a_field_is_asked_for_only_where_its_option_says_so():
    fields = (Field("key", "Key", when=("mode", "a")), Field("word", "Word", when=("mode", "b")))
    assert clean_values(fields, {"key": "k", "word": "w"}, check_url=_check, options={"mode": "a"}) == (
        {"key": "k"},
        {},
    )
    values, faults = clean_values(fields, {"key": "k"}, check_url=_check, options={"mode": "b"})
    assert values == {"word": ""}
    assert list(faults) == ["word"]


def test_a_secrets_form_field_never_renders_what_it_holds():
    form = forms.Form({"s": "canary-secret"})
    form.fields["s"] = form_field(Field("s", "S", kind="secret"))
    html = str(form["s"])
    assert "canary" not in html
    assert 'autocomplete="new-password"' in html


def test_a_list_or_table_goes_into_its_form_field_and_comes_back():
    for value in (["A", "B"], {"a": "A", "b": "B"}):
        assert _clean(Field("x", "X", kind="list"), as_lines(value))[0]["x"] == value
