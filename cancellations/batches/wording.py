"""What a batch, its plan and its progress are in words: verdicts, outcomes, and one sentence about where it stands."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from cancellations.batches.models import Batch
from cancellations.batches.states import BatchState, PauseCause, Verdict
from cancellations.requests.wording import Headline
from cancellations.templatetags.desk import grouped


@dataclass(frozen=True)
class Word:
    """A label with its tone."""

    label: str | Promise
    tone: str


# In the order in which a plan tells them. They share a bar with a legend, so no two have the same tone.
VERDICTS: dict[str, Word] = {
    Verdict.READY: Word(gettext_lazy("Will be cancelled"), "good"),
    Verdict.READY_APPROVAL: Word(gettext_lazy("Needs approval"), "violet"),
    Verdict.AMBIGUOUS: Word(gettext_lazy("Which one?"), "warn"),
    Verdict.CANCELLED: Word(gettext_lazy("Cancelled already"), "teal"),
    Verdict.OPEN: Word(gettext_lazy("Asked for already"), "info"),
    Verdict.CANNOT: Word(gettext_lazy("Can't be cancelled"), "dull"),
    Verdict.UNKNOWN: Word(gettext_lazy("Not found"), "bad"),
    Verdict.BAD: Word(gettext_lazy("Can't be read"), "pale-bad"),
    Verdict.DOUBLED: Word(gettext_lazy("Doubled"), "quiet"),
}

# The same of a plan that was put away: nothing of it comes any more.
PUT_AWAY: dict[str, Word] = VERDICTS | {
    Verdict.READY: Word(gettext_lazy("Would have been cancelled"), "pale"),
    Verdict.READY_APPROVAL: Word(gettext_lazy("Would have needed approval"), "violet"),
}

# What became of the rows that were to be cancelled; no two have the same tone here, either.
OUTCOMES: dict[str, Word] = {
    "succeeded": Word(gettext_lazy("Cancelled"), "good"),
    "moving": Word(gettext_lazy("Under way"), "info"),
    "waits": Word(gettext_lazy("Not asked yet"), "pale"),
    "pending_approval": Word(gettext_lazy("Waiting for approval"), "violet"),
    "uncertain": Word(gettext_lazy("Not sure yet"), "warn"),
    "rejected": Word(gettext_lazy("Refused"), "bad"),
    "failed": Word(gettext_lazy("Not cancelled"), "dull"),
    "withdrawn": Word(gettext_lazy("Withdrawn or not asked"), "quiet"),
}
# While a bulk is paused most of what was asked for is held back, and only a little ends by itself.
HELD_BACK = Word(gettext_lazy("Waiting or under way"), "info")
BUCKETS = {
    "queued": "moving", "sending": "moving", "accepted": "moving", "succeeded": "succeeded", "uncertain": "uncertain",
    "rejected": "rejected", "failed": "failed", "withdrawn": "withdrawn", "declined": "withdrawn",
    "pending_approval": "pending_approval",
}  # fmt: skip


def verdicts_of(batch: Batch) -> dict[str, Word]:
    """Return the words for the verdicts of a plan, as it stands."""
    return PUT_AWAY if batch.state == BatchState.DISCARDED else VERDICTS


def headline(batch: Batch, ready: int, *, first: bool = False, approval: bool = False) -> Headline:
    """Return where a batch stands, in a sentence, and what to do.

    Args:
        ready: How many rows the plan would have asked for.
        first: Only the canary is under way.
        approval: Nothing moves before somebody has approved what went first.
    """
    if batch.state == BatchState.PLANNING:
        text = _("Every number is looked up. Nothing is sent to any platform. You may leave this page.")
        return Headline("info", "clock", _("The plan is being made."), text)
    if batch.state == BatchState.PLANNED:
        return _planned(batch, ready)
    if batch.state == BatchState.RUNNING:
        if approval:
            text = _("Where a shop needs approval, a few go first; its others follow once somebody has approved those.")
            return Headline("violet", "clock", _("Waiting for approval."), text)
        if first:
            text = _("A few go first. When their platforms have confirmed them, the others follow.")
            return Headline("info", "play-circle", _("Running: the first few."), text)
        text = _("You may leave this page or close the browser; it goes on.")
        return Headline("info", "play-circle", _("Running."), text)
    if batch.state == BatchState.PAUSED:
        return _paused(batch)
    if batch.state == BatchState.STOPPED and not batch.finished_at:
        text = _("What was under way ends by itself. What comes back unsent is taken back, too; nothing else is sent.")
        return Headline("quiet", "stop-circle", _("Stopping."), text)
    if batch.state == BatchState.STOPPED:
        text = _("What was not sent is taken back. What was under way ends by itself.")
        return Headline("quiet", "stop-circle", _("Stopped."), text)
    if batch.state == BatchState.DISCARDED:
        return Headline("quiet", "trash", _("Discarded."), _("The plan was put away. Nothing was sent."))
    text = _("Every row has its outcome, or waits for a person. The result file has a line for each.")
    return Headline("good", "check-circle", _("Done."), text)


def _planned(batch: Batch, ready: int) -> Headline:
    if batch.error:
        return Headline("bad", "x-circle", _("It could not be read."), _(batch.error) % batch.error_data)
    if not batch.plan_total:
        text = _(
            "Nothing in it looks like the number of an order. Discard this plan, and paste the numbers themselves."
        )
        return Headline("warn", "exclamation-triangle", _("No order numbers were found."), text)
    if not ready:
        text = _("See below why. Discard this plan, or make another.")
        return Headline("warn", "exclamation-triangle", _("Nothing in it can be cancelled."), text)
    title = ngettext(
        "The plan: %(number)s would be cancelled.", "The plan: %(number)s would be cancelled.", ready
    ) % {"number": grouped(ready)}  # fmt: skip
    text = _("Nothing has been sent. Look the plan over, then start it, or discard it.")
    return Headline("info", "clipboard-document-list", title, text)


def _paused(batch: Batch) -> Headline:
    if batch.paused_why == PauseCause.PERSON:
        text = _("What the platforms have already ends by itself; nothing else is sent until somebody resumes it.")
        return Headline("warn", "pause-circle", _("Paused."), text)
    why = {
        PauseCause.CANARY: _("One of the first few did not go well, so the others were not sent."),
        PauseCause.FAILURES: _("Too many of the last ones were refused or failed."),
        PauseCause.DOUBT: _("Of too many of the last ones the outcome is not known."),
    }.get(PauseCause(batch.paused_why), "")
    text = _("%(why)s Look at them, then resume it or stop it.") % {"why": why}
    return Headline("warn", "pause-circle", _("It paused by itself."), text)
