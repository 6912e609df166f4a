"""What admins fill in about a reason, and about what is sent for it."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from cancellations.reasons import managing
from cancellations.reasons.models import Reason
from cancellations.shops.models import Shop


class ReasonForm(forms.ModelForm):  # type: ignore[type-arg]  # not to be subscripted at run time
    """A reason; of one that exists the code stays."""

    class Meta:
        model = Reason
        fields = ["code", *managing.CHANGEABLE]
        labels = {"label": _("Label"), "label_zh": _("Label in Chinese"), "code": _("Code"), "position": _("Position")}
        help_texts = {
            "code": _("Short, for commands and exports, such as wrong_size. It never changes."),
            "label": _("In English: what the one who cancels picks."),
            "label_zh": _("Shown to people who read Chinese; left empty, they see the English one or its translation."),
            "note_required": _("Whoever picks it has to say in a sentence why."),
            "position": _("Lower numbers come first."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["note_required"].label = _("Needs a note")
        if self.instance.pk:
            del self.fields["code"]

    def keep(self, *, by: Any) -> bool:
        """Make or change the reason; ``False`` when there are faults, which then stand beside their fields.

        ``changed`` then says whether anything differed.
        """
        if not self.is_valid():
            return False
        try:
            if self.instance.pk:
                self.changed = managing.change_reason(self.instance, by=by, **self.cleaned_data)
            else:
                self.instance, self.changed = managing.create_reason(by=by, **self.cleaned_data), True
        except ValidationError as error:
            self.add_error(None, error)
            return False
        return True


class MappingForm(forms.Form):
    """What is sent for one reason on a platform, or in one shop of it."""

    platform = forms.CharField(max_length=32, widget=forms.HiddenInput)
    shop = forms.ModelChoiceField(
        Shop.objects.none(), required=False, to_field_name="name", widget=forms.HiddenInput,
        error_messages={"invalid_choice": _("This shop is not there any more. Open the page again.")},
    )  # fmt: skip
    value = forms.CharField(label=_("Is told"), required=False, max_length=managing.MOST_VALUE)

    def __init__(self, *args: Any, shops: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shop = self.fields["shop"]
        assert isinstance(shop, forms.ModelChoiceField)
        shop.queryset = shops

    def offer(self, values: Iterable[tuple[str, str]], nothing: str) -> None:
        """Turn the value into a choice; ``nothing`` says what "" means."""
        self.fields["value"].widget = forms.Select(choices=[("", nothing), *values])

    def keep(self, reason: Reason, *, by: Any) -> bool:
        """Map the reason; ``False`` when there are faults. ``changed`` then says whether anything differed."""
        if not self.is_valid():
            return False
        data = self.cleaned_data
        try:
            self.changed = managing.map_reason(
                reason, platform=data["platform"], shop=data["shop"], value=data["value"], by=by
            )
        except ValidationError as error:
            self.add_error("value", error)
            return False
        return True
