"""What admins fill in about a shop. Keys are written only: nothing here ever renders one back."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

from cancellations.people.models import Person
from cancellations.schema import as_lines, asked_for, default_of, form_field
from cancellations.shops import configuring
from cancellations.shops.models import MOST_CALLS_PER_SECOND, Environment, Shop
from cancellations.templatetags.desk import gap
from providers.contract import Card, Field


class CardForm(forms.Form):
    """A form part of whose fields come from a card; they are named ``options.<name>`` and ``credential.<name>``."""

    def add_card_fields(self, card: Card, kind: str, options: Mapping[str, Any] | None = None) -> None:
        """Add the card's fields of one kind; given the options, only those they ask for."""
        labels = {one.name: one for one in card.options}
        for one in getattr(card, kind):
            if options is not None and not asked_for(one, options):
                continue
            field = form_field(one)
            if options is None and one.when and one.when[0] in labels:
                only = _("Only where “%(option)s” is “%(value)s”.") % _condition(labels[one.when[0]], one.when[1])
                field.help_text = f"{field.help_text}{gap()}{only}".strip()
            elif options is not None:
                field.required = one.required and one.kind != "switch"
            field.is_optional = not one.required and one.kind != "switch"  # type: ignore[attr-defined]  # for the template
            self.fields[f"{kind}.{one.name}"] = field

    def part(self, kind: str) -> list[forms.BoundField]:
        """Return the bound fields of one kind, for the template."""
        return [self[name] for name in self.fields if name.startswith(f"{kind}.")]

    @property
    def option_fields(self) -> list[forms.BoundField]:
        return self.part("options")

    @property
    def credential_fields(self) -> list[forms.BoundField]:
        return self.part("credential")

    def values(self, kind: str) -> dict[str, Any]:
        """Return what was filled in of one kind, by the card's names."""
        return {
            name.partition(".")[2]: value for name, value in self.cleaned_data.items() if name.startswith(f"{kind}.")
        }

    def refuse(self, error: ValidationError) -> None:
        """Put the faults ``configuring`` found beside their fields."""
        for name, messages in error.message_dict.items():
            for text in messages:
                self.add_error(name if name in self.fields else None, text)


class ShopForm(CardForm):
    """A shop's identity, address, options and rules; for a new one also its name and keys."""

    name = forms.SlugField(
        label=_("Name"),
        max_length=64,
        error_messages={"invalid": _("Use letters, digits, hyphens and underscores only, without spaces.")},
        help_text=_("Short, for files and addresses, such as lazy-cat. It never changes."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}),
    )
    title = forms.CharField(label=_("Title"), max_length=120, help_text=_("What people call the shop."))
    environment = forms.ChoiceField(
        label=_("Environment"),
        choices=[("", _("Choose one")), *Environment.choices],
        help_text=_("In a live shop a cancel is real and cannot be taken back; a sandbox shop is for trying out."),
    )
    base_url = forms.CharField(
        label=_("Base URL"),
        max_length=255,
        help_text=_("Where the platform is reached. Keep what stands here unless the platform told you otherwise."),
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
    )
    calls_per_second = forms.FloatField(
        label=_("Calls per second"),
        required=False,
        min_value=0,
        max_value=MOST_CALLS_PER_SECOND,
        widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
    )
    needs_approval = forms.BooleanField(
        label=_("Needs approval"),
        required=False,
        help_text=_("A manager other than the one who asks has to approve every cancellation."),
    )

    def __init__(self, card: Card, *args: Any, shop: Shop | None = None, **kwargs: Any) -> None:
        self.shop, self.card = shop, card
        example = card.is_example(card.base_url)
        kwargs["initial"] = _of_shop(shop) if shop else {"base_url": "" if example else card.base_url}
        kwargs["initial"] |= _initial_options(card, shop.options if shop else {})
        super().__init__(*args, **kwargs)
        if example:
            self.fields["base_url"].help_text = _("Your shop's own address, such as %(url)s.") % {"url": card.base_url}
        self.fields["calls_per_second"].help_text = _(
            "How many calls all workers together may make. Leave it empty for what fits this platform, %(rate)s; "
            "0 sets no limit."
        ) % {"rate": number_format(card.calls_per_second)}
        self.fields["calls_per_second"].is_optional = True  # type: ignore[attr-defined]  # for the template
        self.add_card_fields(card, "options")
        if shop:
            del self.fields["name"]
        else:
            self.add_card_fields(card, "credential")

    def clean_base_url(self) -> str:
        """Refuse the address that only shows how one looks."""
        url: str = self.cleaned_data["base_url"]
        if self.card.is_example(url):
            raise ValidationError(_("This is only an example. Enter your own shop's address."))
        return url

    def save(self, *, by: Any) -> bool:
        """Create or change the shop; ``False`` when there are faults, which then stand beside their fields."""
        if not self.is_valid():
            return False
        given = {name: value for name, value in self.cleaned_data.items() if "." not in name}
        try:
            if self.shop:
                configuring.change_shop(self.shop, by=by, options=self.values("options"), **given)
            else:
                self.shop = configuring.create_shop(
                    by=by,
                    platform=self.card.slug,
                    options=self.values("options"),
                    credential=self.values("credential"),
                    **given,
                )
        except ValidationError as error:
            self.refuse(error)
            return False
        return True


class CredentialForm(CardForm):
    """A shop's keys, replaced whole."""

    def __init__(self, card: Card, shop: Shop, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.shop = shop
        self.add_card_fields(card, "credential", shop.options)

    def save(self, *, by: Any) -> bool:
        """Replace the keys; ``False`` when there are faults."""
        if not self.is_valid():
            return False
        try:
            self.replaced = configuring.replace_credential(self.shop, self.values("credential"), by=by)
        except ValidationError as error:
            self.refuse(error)
            return False
        return True


class AccessForm(forms.Form):
    """Who may act on a shop, of those who do not act on every shop anyway."""

    people = forms.ModelMultipleChoiceField(
        label=_("People"),
        queryset=Person.objects.filter(every_shop=False).order_by("username"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("One of these people is not there any more. Look again.")},
    )


def _condition(option: Field, value: str) -> dict[str, Any]:
    return {"option": _(option.label), "value": _(dict(option.choices).get(value, value))}


def _of_shop(shop: Shop) -> dict[str, Any]:
    return {
        name: getattr(shop, name) for name in ("title", "environment", "base_url", "calls_per_second", "needs_approval")
    }


def _initial_options(card: Card, options: Mapping[str, Any]) -> dict[str, Any]:
    initial = {}
    for one in card.options:
        value = options.get(one.name, default_of(one))
        initial[f"options.{one.name}"] = as_lines(value) if one.kind == "list" else value
    return initial
