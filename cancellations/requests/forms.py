"""What people fill in to cancel, and to find what was cancelled."""

import uuid
from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cancellations.orders.models import Order
from cancellations.reasons.choosing import Choice, reasons_for
from cancellations.reasons.models import Reason
from cancellations.requests.asking import MOST_NOTE
from cancellations.requests.states import State
from cancellations.selects import PlainSelect
from cancellations.shops.connection import card_of
from cancellations.shops.models import Shop
from cancellations.templatetags.desk import gap
from providers.contract import Card


class ReasonSelect(forms.Select):
    """A select whose unpickable reasons are shown but disabled."""

    def __init__(self, choices_here: list[Choice]) -> None:
        super().__init__()
        self.shut = {one.reason.code for one in choices_here if not one.pickable}

    def create_option(self, name: str, value: Any, label: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, label, *args, **kwargs)
        if value in self.shut:
            option["attrs"]["disabled"] = True
        return option


def note_goes_to(cards: Iterable[Card]) -> str:
    """Say which platforms are sent the note, too."""
    told = {_(card.name): card.note_sent for card in cards if card.note_sent}
    text = _("%(platform)s is sent its first %(count)s characters with the reason: write nothing private.")
    return gap().join(text % {"platform": name, "count": count} for name, count in told.items())


class CancelForm(forms.Form):
    """Reason and note for one order, or for some of its items.

    Attributes:
        unpickable: Reasons that can't be picked in this shop, each with its why.
    """

    reason = forms.ChoiceField(label=_("Reason"), error_messages={"required": _("Choose a reason.")})
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=MOST_NOTE,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("For the record; some reasons need one."),
    )
    units = forms.MultipleChoiceField(
        label=_("Items"), required=False, widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("This order has no item %(value)s.")},
    )  # fmt: skip
    anyway = forms.BooleanField(label=_("Ask the platform anyway"), required=False)
    submission = forms.UUIDField(widget=forms.HiddenInput)
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, order: Order, *args: Any, by_item: bool, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"submission": uuid.uuid4(), "version": order.version})
        super().__init__(*args, **kwargs)
        choices, card = reasons_for(order.shop), card_of(order.shop)
        reason = self.fields["reason"]
        assert isinstance(reason, forms.ChoiceField)
        reason.widget = ReasonSelect(choices)
        reason.choices = [("", _("Choose a reason")), *((one.reason.code, str(one.reason)) for one in choices)]
        self.unpickable = [one for one in choices if not one.pickable]
        self.noted = [one.reason for one in choices if one.pickable and one.reason.note_required]
        if self.noted:
            reasons = {"reasons": ", ".join(map(str, self.noted))}
            self.fields["note"].help_text = _("For the record. Needed with: %(reasons)s.") % reasons
        if card.note_sent:
            self.fields["note"].help_text += gap() + note_goes_to([card])
        self.by_item = by_item
        if by_item:
            units = self.fields["units"]
            assert isinstance(units, forms.MultipleChoiceField)
            units.choices = [(item.ref, item.name or item.ref) for item in order.items.all()]
        else:
            del self.fields["units"]

    def clean(self) -> dict[str, Any]:
        """Ask for at least one item where items are cancelled one by one."""
        cleaned = super().clean() or {}
        if self.by_item and not cleaned.get("units") and "units" not in self.errors:
            self.add_error("units", _("Choose at least one item."))
        return cleaned


TABS = {
    "needs": _("Needs me"),
    "moving": _("Moving"),
    "review": _("In review"),
    "done": _("Done"),
    "all": _("All"),
}
STATE_LABELS = {
    State.PENDING_APPROVAL: _("Waiting for approval"),
    State.QUEUED: _("Waiting"),
    State.SENDING: _("Sending"),
    State.ACCEPTED: _("Accepted, not finished"),
    State.UNCERTAIN: _("Not sure yet"),
    State.SUCCEEDED: _("Cancelled"),
    State.REJECTED: _("Refused"),
    State.FAILED: _("Not cancelled"),
    State.DECLINED: _("Declined"),
    State.WITHDRAWN: _("Withdrawn"),
}


class FilterForm(forms.Form):
    """The filters of the list of cancellations; its whole state is in the address."""

    state = forms.ChoiceField(label=_("State"), required=False, widget=PlainSelect)
    shop = forms.ModelChoiceField(
        Shop.objects.none(), label=_("Shop"), required=False, to_field_name="name", widget=PlainSelect
    )
    reason = forms.ModelChoiceField(
        Reason.objects.all(), label=_("Reason"), required=False, to_field_name="code", widget=PlainSelect
    )
    person = forms.CharField(label=_("Asked by"), required=False, max_length=150)

    def __init__(self, shops: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        state = self.fields["state"]
        assert isinstance(state, forms.ChoiceField)
        state.choices = [("", _("Any state")), *((key.value, label) for key, label in STATE_LABELS.items())]
        shop, reason = self.fields["shop"], self.fields["reason"]
        assert isinstance(shop, forms.ModelChoiceField)
        assert isinstance(reason, forms.ModelChoiceField)
        shop.queryset = shops
        shop.empty_label = _("Any shop")
        reason.empty_label = _("Any reason")
