"""What people fill in to ask for many cancellations at once."""

import uuid
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cancellations.batches.given import MOST_BYTES, MOST_LINES, TOO_LARGE, TOO_MANY
from cancellations.reasons.models import Reason
from cancellations.requests.asking import MOST_NOTE
from cancellations.requests.forms import note_goes_to
from cancellations.selects import PlainSelect
from cancellations.templatetags.desk import gap, grouped
from providers.registry import PROVIDERS

MOST_SELECTED = 10_000


class BulkForm(forms.Form):
    """A reason and a note, and what they are for: pasted text, a file, or orders selected before.

    Attributes:
        selection: Ids of the orders selected, frozen when they were; text, as the page carries it.
    """

    text = forms.CharField(
        label=gettext_lazy("Order or waybill numbers"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false", "autocomplete": "off", "class": "mono"}),
        help_text=gettext_lazy(
            "Paste anything: a chat, a mail, a column of a sheet. Numbers of all platforms are found in it; dates,"
            " amounts, phones and e-mails are left out."
        ),
    )
    file = forms.FileField(
        label=gettext_lazy("Or a file"),
        required=False,
        allow_empty_file=False,
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
        error_messages={"empty": gettext_lazy("The file is empty. Its first line must name the columns.")},
    )
    selection = forms.CharField(required=False, widget=forms.HiddenInput)
    reason = forms.ChoiceField(
        label=gettext_lazy("Reason"),
        widget=PlainSelect,
        help_text=gettext_lazy("One for all of them."),
        error_messages={"required": gettext_lazy("Choose a reason.")},
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=MOST_NOTE,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("For the record; some reasons need one."),
    )
    submission = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {"submission": uuid.uuid4(), **kwargs.get("initial", {})}
        super().__init__(*args, **kwargs)
        note = self.fields["note"]
        note.help_text = gap().join([str(note.help_text), note_goes_to(one.card for one in PROVIDERS.values())])
        self.reasons = {one.code: one for one in Reason.objects.filter(retired_at=None)}
        reason = self.fields["reason"]
        assert isinstance(reason, forms.ChoiceField)
        reason.choices = [("", _("Choose a reason")), *((code, str(one)) for code, one in self.reasons.items())]

    @property
    def selected(self) -> list[int]:
        """The orders selected before; what is no id of one is left out."""
        return ids_of(str(self["selection"].value() or ""))

    def clean_text(self) -> str:
        """Refuse what is too large before it is stored."""
        text = str(self.cleaned_data["text"]).replace("\x00", "")
        if len(text.encode("utf-8", "replace")) > MOST_BYTES:
            raise forms.ValidationError(_(TOO_LARGE) % {"most": filesizeformat(MOST_BYTES)})
        if text.count("\n") > MOST_LINES:
            raise forms.ValidationError(_(TOO_MANY) % {"most": grouped(MOST_LINES)})
        return text

    def clean_file(self) -> "UploadedFile[Any] | None":
        """Refuse what is too large before it is stored."""
        file: UploadedFile[Any] | None = self.cleaned_data["file"]
        if file and (file.size or 0) > MOST_BYTES:
            raise forms.ValidationError(_(TOO_LARGE) % {"most": filesizeformat(MOST_BYTES)})
        if file and sum(piece.count(b"\n") for piece in file.chunks()) > MOST_LINES + 1:
            raise forms.ValidationError(_(TOO_MANY) % {"most": grouped(MOST_LINES)})
        return file

    def clean(self) -> dict[str, Any]:
        """Want exactly one source, and a note where the reason needs one."""
        given = super().clean() or {}
        if not self.errors.keys() & {"text", "file"}:
            sources = [bool(given.get("text", "").strip()), bool(given.get("file")), bool(self.selected)]
            if not any(sources):
                self.add_error("text", _("Paste at least one number, or choose a file."))
            elif sum(sources) > 1:
                self.add_error("file", _("There is a text and a file. Take one of them away: a bulk has one source."))
        if len(self.selected) > MOST_SELECTED:
            most = grouped(MOST_SELECTED)
            self.add_error(None, _("At most %(most)s orders can be selected at once.") % {"most": most})
        reason = self.reasons.get(given.get("reason", ""))
        if reason and reason.note_required and not given.get("note", "").strip():
            self.add_error("note", _("“%(reason)s” needs a note: say in a sentence why.") % {"reason": reason})
        return given


def ids_of(text: str) -> list[int]:
    """Read ids of orders out of a page's field, each once, in their order."""
    return list(dict.fromkeys(int(one) for one in text.split(",") if one.isascii() and one.isdigit() and len(one) < 19))
