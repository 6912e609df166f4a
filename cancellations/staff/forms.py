"""What admins fill in about people, and how they find one among many."""

from typing import Any

from django import forms
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from cancellations.people.models import Person, Role
from cancellations.selects import PlainSelect
from cancellations.shops.models import Shop
from cancellations.shops.scope import shops_of
from cancellations.staff import managing

STATES = (("", _("Active and deactivated")), ("active", _("Active")), ("inactive", _("Deactivated")))


class PersonForm(forms.Form):
    """Name, role and shops; of somebody who exists the name stays.

    Attributes:
        by: The admin, who can give only what they have themselves.
    """

    username = forms.CharField(
        label=_("Name to sign in with"),
        max_length=150,
        help_text=_("Letters, digits and @ . + - _ only. It stands in the record and never changes."),
        validators=[UnicodeUsernameValidator()],
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}),
    )
    role = forms.ChoiceField(
        label=_("Role"),
        choices=Role.choices,
        help_text=_(
            "Agents find and cancel orders. Managers also approve, settle unclear outcomes and read the record. "
            "Admins also set up shops, reasons and people."
        ),
    )
    every_shop = forms.BooleanField(
        label=_("Every shop"),
        required=False,
        help_text=_("Also those still to come. What is ticked below counts no more."),
    )
    shops = forms.ModelMultipleChoiceField(
        label=_("Shops"),
        queryset=Shop.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("All others are invisible to this person."),
        error_messages={"invalid_choice": _("One of these shops is not there any more. Look again.")},
    )

    def __init__(self, *args: Any, by: Person, person: Person | None = None, **kwargs: Any) -> None:
        self.by, self.person = by, person
        if person:
            chosen = list(person.access.values_list("shop", flat=True))
            kwargs["initial"] = {"role": person.role, "every_shop": person.every_shop, "shops": chosen}
        super().__init__(*args, **kwargs)
        shops = self.fields["shops"]
        assert isinstance(shops, forms.ModelMultipleChoiceField)
        shops.queryset = shops_of(by)
        if person:
            del self.fields["username"]
        if person and person.pk == by.pk:
            self.fields["role"].disabled = True
            self.fields["role"].help_text = _("Your own role is changed by another admin.")
        if not by.every_shop:
            self.fields["every_shop"].disabled = True
            self.fields["every_shop"].help_text = _("Only an admin who acts on every shop can give this.")

    def save(self) -> bool:
        """Make or change the person; ``False`` when there are faults, which then stand beside their fields.

        ``changed`` then says whether anything differed.
        """
        if not self.is_valid():
            return False
        data = self.cleaned_data
        shops = None if data["every_shop"] else list(data["shops"])
        try:
            if self.person:
                self.changed = managing.change_person(self.person, role=data["role"], shops=shops, by=self.by)
            else:
                name = data["username"]
                self.person = managing.create_person(username=name, role=data["role"], shops=shops, by=self.by)
        except ValidationError as error:
            self.add_error(None, error)
            return False
        return True


class FilterForm(forms.Form):
    """The filters of the list of people; its whole state is in the address."""

    q = forms.CharField(label=_("Name"), required=False, max_length=150)
    role = forms.ChoiceField(label=_("Role"), required=False, choices=[("", _("Any role")), *Role.choices])
    shop = forms.ModelChoiceField(
        Shop.objects.none(),
        label=_("Shop"),
        required=False,
        to_field_name="name",
        empty_label=_("Any shop"),
        widget=PlainSelect,
    )
    state = forms.ChoiceField(label=_("State"), required=False, choices=STATES)

    def __init__(self, *args: Any, by: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shop = self.fields["shop"]
        assert isinstance(shop, forms.ModelChoiceField)
        shop.queryset = shops_of(by)

    def find(self) -> QuerySet[Person]:
        """Return who fits, the active first, by name. A filter that cannot be understood finds nobody."""
        people = Person.objects.order_by("-is_active", "username")
        if not self.is_valid():
            return people.none()
        wanted = self.cleaned_data
        if wanted["q"]:
            people = people.filter(username__icontains=wanted["q"].strip())
        if wanted["role"]:
            people = people.filter(role=wanted["role"])
        if wanted["state"]:
            people = people.filter(is_active=wanted["state"] == "active")
        if wanted["shop"]:
            people = people.filter(Q(every_shop=True) | Q(pk__in=wanted["shop"].access.values("person")))
        return people
