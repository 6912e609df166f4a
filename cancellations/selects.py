"""A select that costs little, however many shops, people or zones it offers."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils.choices import BaseChoiceIterator
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

SELECTED = mark_safe(" selected")


class Pairs(BaseChoiceIterator):
    """Choices that are (value, text) already: Django looks into each of other ones for groups."""

    def __init__(self, pairs: Sequence[tuple[str, Any]]) -> None:
        self.pairs = pairs

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return iter(self.pairs)


class PlainSelect(forms.Select):
    """A select drawn in one go, and once: Django's own renders a template for each option of each page."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """Return the element with its options; a choice whose text is a list is a group of options."""
        chosen = tuple(str(one) for one in self.format_value(value))
        drawn = format_html_join("", "{}", ((part,) for part in _parts(self.choices, chosen)))
        return format_html("<select{}>{}</select>", flatatt({"name": name, **self.attrs, **(attrs or {})}), drawn)


def _parts(choices: Iterable[tuple[str, Any]], chosen: tuple[str, ...]) -> Iterator[SafeString]:
    """Yield the options between groups, and each group."""
    for grouped, some in groupby(choices, lambda one: isinstance(one[1], list | tuple)):
        if grouped:
            for label, inner in some:
                yield format_html('<optgroup label="{}">{}</optgroup>', label, _options(_texts(inner), chosen))
        else:
            yield _options(_texts(some), chosen)


def _texts(choices: Iterable[tuple[str, Any]]) -> tuple[tuple[str, str], ...]:
    return tuple((str(key), str(text)) for key, text in choices)


@lru_cache(maxsize=256)
def _options(choices: tuple[tuple[str, str], ...], chosen: tuple[str, ...]) -> SafeString:
    """Draw options; the same shops and states come with every page."""
    return format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        ((value, SELECTED if value in chosen else "", text) for value, text in choices),
    )
