"""A select that costs little, however many shops, people or zones it offers."""

from functools import lru_cache
from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

SELECTED = mark_safe(" selected")


class PlainSelect(forms.Select):
    """A select drawn in one go, and once: Django's own renders a template for each option of each page."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """Return the element with its options; groups are not for it."""
        chosen = tuple(str(one) for one in self.format_value(value))
        options = _options(tuple((str(key), str(text)) for key, text in self.choices), chosen)
        return format_html("<select{}>{}</select>", flatatt({"name": name, **self.attrs, **(attrs or {})}), options)


@lru_cache(maxsize=256)
def _options(choices: tuple[tuple[str, str], ...], chosen: tuple[str, ...]) -> SafeString:
    """Draw options; the same shops and states come with every page."""
    return format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        ((value, SELECTED if value in chosen else "", text) for value, text in choices),
    )
