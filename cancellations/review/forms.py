"""What people narrow the audit log by."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cancellations.audit.searching import Filters
from cancellations.audit.wording import GROUPS
from cancellations.selects import PlainSelect
from cancellations.shops.models import Shop


class Day(forms.DateInput):
    """A day in the form browsers send it, whatever the language."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


@dataclass(frozen=True)
class Chip:
    """A filter that is set."""

    name: str
    label: str | Promise
    value: str


class FilterForm(forms.Form):
    """The filters as they stand in the address; what is wrong is left out, and said."""

    person = forms.CharField(
        label=_("Who"),
        required=False,
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "placeholder": "agent1, worker"}),
    )
    what = forms.ChoiceField(label=_("What"), required=False, widget=PlainSelect)
    shop = forms.ChoiceField(label=_("Shop"), required=False, widget=PlainSelect)
    order = forms.CharField(
        label=_("Order number"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    since = forms.DateField(label=_("From"), required=False, widget=Day)
    until = forms.DateField(label=_("To"), required=False, widget=Day)

    def __init__(self, data: Mapping[str, Any], shops: Sequence[Shop]) -> None:
        super().__init__(data)
        self._shops = {shop.name: shop for shop in shops}
        self._choose("what", _("Anything"), [(word, label) for word, (label, _verbs) in GROUPS.items()])
        self._choose("shop", _("Any shop"), [(shop.name, shop.title) for shop in shops])

    def clean(self) -> dict[str, Any]:
        """Find an end that stands before its beginning."""
        given = super().clean() or {}
        if given.get("since") and given.get("until") and given["since"] > given["until"]:
            self.add_error("until", _("This day is before the one in “From”."))
        return given

    def _choose(self, name: str, nothing: Any, choices: Sequence[tuple[str, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", nothing), *choices]

    @property
    def chosen_shop(self) -> Shop | None:
        """The shop asked for."""
        return self._shops.get(self.cleaned_data.get("shop", ""))

    def filters(self) -> Filters:
        """Return what is asked for; only after ``is_valid()``."""
        given = {name: value for name, value in self.cleaned_data.items() if value}
        if "order" in given:
            given["order"] = given["order"].replace("\x00", "")
        return Filters(**given, shop_id=self.chosen_shop.pk if self.chosen_shop else None)

    def chips(self) -> Iterator[Chip]:
        """Yield what narrows the list."""
        for name, value in self.cleaned_data.items():
            if not value:
                continue
            field = self.fields[name]
            if isinstance(field, forms.ChoiceField):
                value = str(dict(field.choices)[value])  # type: ignore[arg-type]
            elif isinstance(field, forms.DateField):
                value = date_format(value, "SHORT_DATE_FORMAT")
            yield Chip(name, str(field.label), value)
