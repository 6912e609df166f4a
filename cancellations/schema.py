"""A card's tuple of Field → Django form fields; and one way of judging what was filled in, on a page or in a file."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from providers.contract import Field

# Shorter secrets could not be told from ordinary text when they are blotted out of what is kept.
SHORTEST_SECRET = 4
MOST_LISTED = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

Check = Callable[[str], str]


def asked_for(field: Field, options: Mapping[str, Any]) -> bool:
    """Tell whether a field is asked for with these options."""
    return field.when is None or str(options.get(field.when[0], "")).lower() == field.when[1].lower()


def default_of(field: Field) -> Any:
    """Return a field's default in the form it is stored: a bool, a list, or text."""
    if field.kind == "switch":
        return bool(field.default)
    if field.kind == "list":
        return list(field.default or ())
    return str(field.default or "")


def form_field(field: Field) -> forms.Field:
    """Return the form field of a card's field; :func:`clean_values` judges what comes back."""
    words: dict[str, Any] = {
        "label": _(field.label),
        "help_text": _(field.help) if field.help else "",
        "required": field.required and field.when is None and field.kind != "switch",
    }
    if field.kind == "switch":
        return forms.BooleanField(**words)
    if field.kind == "choice":
        return forms.ChoiceField(choices=[(value, _(label)) for value, label in field.choices], **words)
    if field.kind == "list":
        return forms.CharField(widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}), **words)
    plain = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
    if field.kind == "secret":
        hidden = {**plain, "autocomplete": "new-password"}
        widget: forms.Widget = forms.PasswordInput(attrs=hidden, render_value=False)
        return forms.CharField(max_length=field.max_length, widget=widget, **words)
    if field.kind in ("url", "integer"):
        plain["inputmode"] = "url" if field.kind == "url" else "numeric"
    return forms.CharField(max_length=field.max_length, widget=forms.TextInput(attrs=plain), **words)


def clean_values(
    fields: Iterable[Field],
    given: Mapping[str, Any],
    *,
    check_url: Check,
    options: Mapping[str, Any] | None = None,
) -> tuple[dict[str, Any], dict[str, str]]:
    """Judge what was filled in.

    Args:
        given: By field name; what is left out (or "") takes the field's default.
        check_url: Returns an address as it is kept, or raises ValidationError.
        options: What decides which fields are asked for; by default the values themselves. Fields that are not asked
            for keep their value when they are options, and are left out otherwise.

    Returns:
        The values as they are stored, and one sentence per field that cannot be used.
    """
    fields, values, faults = tuple(fields), {}, {}
    for name in given:
        if name not in {one.name for one in fields}:
            faults[name] = _("This platform knows no such field.")
    for one in fields:
        raw = given.get(one.name)
        empty = raw is None or (isinstance(raw, str) and not raw.strip())
        try:
            values[one.name] = default_of(one) if empty else _cleaned(one, raw, check_url)
        except ValidationError as error:
            values[one.name] = default_of(one)
            faults[one.name] = " ".join(error.messages)
    deciding = values if options is None else options
    for one in fields:
        if not asked_for(one, deciding):
            if options is not None:
                values.pop(one.name, None)
        elif one.required and one.kind != "switch" and one.name not in faults and values.get(one.name) in ("", []):
            faults[one.name] = _("%(field)s is missing.") % {"field": _(one.label)}
    return values, faults


def _cleaned(field: Field, raw: Any, check_url: Check) -> Any:
    if field.kind == "switch":
        if not isinstance(raw, bool):
            raise ValidationError(_("Say true or false."))
        return raw
    if field.kind == "list":
        return _listed(raw)
    if field.kind == "integer" and type(raw) is int:
        raw = str(raw)
    if not isinstance(raw, str):
        raise ValidationError(_("This must be text."))
    text = raw.strip()
    if len(text) > field.max_length:
        raise ValidationError(_("At most %(most)d characters."), params={"most": field.max_length})
    if _CONTROL.search(text):
        raise ValidationError(_("It holds a line break or a control character; copy it again."))
    if field.kind == "url":
        return check_url(text)
    if field.kind == "choice" and text not in dict(field.choices):
        known = ", ".join(value for value, _label in field.choices)
        raise ValidationError(_("Choose one of: %(known)s."), params={"known": known})
    if field.kind == "integer" and not (text.isascii() and text.isdigit()):
        raise ValidationError(_("Only digits are allowed here."))
    if field.kind == "secret" and len(text) < SHORTEST_SECRET:
        raise ValidationError(_("This is too short to be one."))
    return text


def _listed(raw: Any) -> Any:
    """Return a list of text, or a table of text when one was given (each line ``name = value`` in a form)."""
    if isinstance(raw, str):
        lines = [line.strip() for line in raw.splitlines() if line.strip()]
        if lines and all("=" in line for line in lines):
            pairs = (line.partition("=") for line in lines)
            raw = {name.strip(): value.strip() for name, _sign, value in pairs}
        else:
            raw = lines
    values = list(raw.values()) if isinstance(raw, dict) else raw
    if not isinstance(values, list | tuple) or not all(isinstance(one, str) and one.strip() for one in values):
        raise ValidationError(_("This must be a list of texts."))
    if len(values) > MOST_LISTED or any(len(one) > 255 or _CONTROL.search(one) for one in values):
        raise ValidationError(_("At most %(most)d entries of 255 characters each."), params={"most": MOST_LISTED})
    if isinstance(raw, dict):
        if not all(name.strip() for name in raw):
            raise ValidationError(_("This must be a list of texts."))
        return {name.strip(): value.strip() for name, value in raw.items()}
    return list(dict.fromkeys(one.strip() for one in values))


def as_lines(value: Any) -> str:
    """Return a stored list or table as the text of its form field."""
    if isinstance(value, Mapping):
        return "\n".join(f"{name} = {one}" for name, one in value.items())
    return "\n".join(value or ())
