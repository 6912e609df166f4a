"""What people fill in to find orders, and to hand a file of them in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cancellations.orders.filters import Filters
from cancellations.orders.importing import MOST_BYTES
from cancellations.orders.models import OrderStatus
from cancellations.selects import Pairs, PlainSelect
from cancellations.shops.models import Shop
from cancellations.shops.scope import Seen
from providers import registry
from providers.contract import Field

ANSWERS = (
    ("yes", gettext_lazy("Can be cancelled")),
    ("no", gettext_lazy("Cannot be cancelled")),
    ("unknown", gettext_lazy("Not known")),
)


class Day(forms.DateInput):
    """A day in the form browsers send it, whatever the language."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


@dataclass(frozen=True)
class Chip:
    """A filter that is set: what to call it, its value, and the parameters that go when it is removed."""

    label: str
    value: str
    names: tuple[str, ...]


class SearchForm(forms.Form):
    """The filters of the list, as they stand in its address."""

    CHOSEN = ("platform", "shop", "status", "cancellable")

    q = forms.CharField(required=False, max_length=200, strip=True, widget=forms.HiddenInput)
    begins = forms.BooleanField(required=False, widget=forms.HiddenInput)
    platform = forms.ChoiceField(widget=PlainSelect, label=gettext_lazy("Platform"), required=False)
    shop = forms.ChoiceField(widget=PlainSelect, label=gettext_lazy("Shop"), required=False)
    status = forms.ChoiceField(widget=PlainSelect, label=gettext_lazy("Status"), required=False)
    cancellable = forms.ChoiceField(widget=PlainSelect, label=gettext_lazy("Verdict"), required=False)
    placed_from = forms.DateField(label=gettext_lazy("Placed from"), required=False, widget=Day)
    placed_to = forms.DateField(label=gettext_lazy("Placed to"), required=False, widget=Day)
    amount_min = forms.DecimalField(
        label=gettext_lazy("Amount from"), required=False, max_digits=19, decimal_places=4, localize=False
    )
    amount_max = forms.DecimalField(
        label=gettext_lazy("Amount to"), required=False, max_digits=19, decimal_places=4, localize=False
    )
    currency = forms.CharField(label=gettext_lazy("Currency"), required=False, max_length=8)

    def __init__(self, data: Mapping[str, Any], shops: Sequence[Seen]) -> None:
        super().__init__(data)
        self._titles = {shop.name: shop.title for shop in shops}
        platforms = sorted({shop.platform for shop in shops})
        self._choose("platform", [(slug, _platform_name(slug)) for slug in platforms])
        self._choose("shop", list(self._titles.items()))
        self._choose("status", list(OrderStatus.choices))
        self._choose("cancellable", list(ANSWERS))

    def _choose(self, name: str, choices: Sequence[tuple[str, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = Pairs([("", _("All")), *choices])

    def look(self) -> str:
        """Return what decides how the filters above look, in one language: two forms of the same look are alike."""
        choices = (self.fields[name].choices.pairs for name in self.CHOSEN)  # type: ignore[attr-defined]
        given = (self.data.get(name) for name in self.CHOSEN)
        return sha256(repr((*choices, *given, self.errors)).encode()).hexdigest()

    def clean(self) -> dict[str, Any]:
        """Find ends that stand before their beginnings."""
        given = super().clean() or {}
        if given.get("placed_from") and given.get("placed_to") and given["placed_from"] > given["placed_to"]:
            self.add_error("placed_to", _("This day is before the one in “Placed from”."))
        low, high = given.get("amount_min"), given.get("amount_max")
        if low is not None and high is not None and low > high:
            self.add_error("amount_max", _("This is less than “Amount from”."))
        return given

    def filters(self) -> Filters:
        """Return what was filled in soundly; what was not is left open, and its field says so."""
        given = self.cleaned_data
        return Filters(
            text=given.get("q", "").replace("\x00", ""),
            platform=given.get("platform", ""),
            shop=given.get("shop", ""),
            status=given.get("status", ""),
            cancellable=given.get("cancellable", ""),
            placed_from=given.get("placed_from"),
            placed_to=given.get("placed_to"),
            amount_min=given.get("amount_min"),
            amount_max=given.get("amount_max"),
            currency=given.get("currency", "").strip().upper(),
            begins=given.get("begins", False),
        )

    def chips(self) -> Iterator[Chip]:
        """Yield what narrows the list."""
        given = self.cleaned_data
        if given.get("q"):
            label = _("Begins with") if given.get("begins") else _("Search")
            yield Chip(label, given["q"], ("q", "begins"))
        for name in ("platform", "shop", "status", "cancellable"):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            if given.get(name):
                yield Chip(str(field.label), str(dict(field.choices)[given[name]]), (name,))  # type: ignore[arg-type]
        for name in ("placed_from", "placed_to"):
            if given.get(name):
                yield Chip(str(self.fields[name].label), date_format(given[name], "SHORT_DATE_FORMAT"), (name,))
        for name in ("amount_min", "amount_max"):
            if given.get(name) is not None:
                yield Chip(str(self.fields[name].label), number_format(given[name].normalize()), (name,))
        if given.get("currency"):
            yield Chip(str(self.fields["currency"].label), given["currency"].upper(), ("currency",))


class ImportForm(forms.Form):
    """A file of orders for one shop."""

    shop = forms.ModelChoiceField(
        label=gettext_lazy("Shop"),
        queryset=Shop.objects.none(),
        to_field_name="name",
        empty_label=gettext_lazy("Choose a shop"),
        error_messages={"required": gettext_lazy("Choose the shop these orders are from.")},
    )
    file = forms.FileField(
        label=gettext_lazy("File"),
        allow_empty_file=False,
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv,text/plain"}),
        error_messages={
            "required": gettext_lazy("Choose a file."),
            "empty": gettext_lazy("The file is empty. Its first line must name the columns."),
        },
    )

    def __init__(self, *args: Any, shops: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chooser = self.fields["shop"]
        assert isinstance(chooser, forms.ModelChoiceField)
        chooser.queryset = shops.filter(active=True)

    def clean_file(self) -> "UploadedFile[Any]":
        """Refuse what is too large before it is stored."""
        file: UploadedFile[Any] = self.cleaned_data["file"]
        if file.size and file.size > MOST_BYTES:
            most = filesizeformat(MOST_BYTES)
            raise forms.ValidationError(_("The file is larger than %(most)s. Split it into several.") % {"most": most})
        return file


class LookupForm(forms.Form):
    """The look-up fields a platform needs besides what was typed; what it lists is offered while typing."""

    def __init__(
        self,
        fields: Sequence[Field],
        listed: Mapping[str, Sequence[tuple[str, str]]],
        prefix: str,
        initial: Mapping[str, str],
    ) -> None:
        super().__init__(auto_id=f"{prefix}-%s", initial=dict(initial))
        self.lists: dict[str, Sequence[tuple[str, str]]] = {}
        for one in fields:
            attrs = {"autocomplete": "off", "spellcheck": "false"}
            if listed.get(one.name):
                self.lists[f"{prefix}-{one.name}-list"] = listed[one.name]
                attrs["list"] = f"{prefix}-{one.name}-list"
            self.fields[one.name] = forms.CharField(
                label=_(one.label),
                help_text=_(one.help) if one.help else "",
                max_length=one.max_length,
                widget=forms.TextInput(attrs=attrs),
            )


def _platform_name(slug: str) -> str:
    provider = registry.PROVIDERS.get(slug)
    return _(provider.card.name) if provider else slug
