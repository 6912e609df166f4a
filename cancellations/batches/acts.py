"""The acts on a bulk: each a POST to its own address, which does one thing and goes back to the bulk."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from cancellations.access import allowed
from cancellations.batches import decisions
from cancellations.batches.models import Batch
from cancellations.batches.page import page_of
from cancellations.batches.sight import batches_of, rows_of
from cancellations.pages import MOST_ID, render_page, see_other
from cancellations.people.signed_in import person_of
from cancellations.requests.refusals import NotAllowed, NotAsked
from cancellations.templatetags.desk import grouped


def _act(permission: str, decide: Callable[[HttpRequest, Batch], str]) -> Callable[..., HttpResponseBase]:
    """Make the view of one act; 409 when it may not be done now, 422 when something is missing, both with the page."""

    @require_POST
    @allowed(permission)
    def view(request: HttpRequest, pk: int) -> HttpResponseBase:
        person = person_of(request)
        batch = get_object_or_404(batches_of(person), pk=pk)
        try:
            said = decide(request, batch)
        except NotAsked as refusal:
            messages.error(request, str(refusal))
            now = get_object_or_404(batches_of(person), pk=pk)
            context = page_of(now, person, "", "") | {
                "typed": request.POST.get("count", ""),
                "count_error": str(refusal) if refusal.field == "count" else "",
            }
            code = 409 if isinstance(refusal, NotAllowed) else 422
            return render_page(request, "batches/batch.html", "batches/batch.html", context, status=code)
        if said:
            messages.success(request, said)
        return see_other(reverse("batches:batch", args=[pk]), request)

    return view


def _start(request: HttpRequest, batch: Batch) -> str:
    decisions.start(batch, by=person_of(request), typed=request.POST.get("count", "")[:20])
    return ""


def _discard(request: HttpRequest, batch: Batch) -> str:
    decisions.discard(batch, by=person_of(request))
    return _("Discarded. Nothing was sent.")


def _pause(request: HttpRequest, batch: Batch) -> str:
    decisions.pause(batch, by=person_of(request))
    return ""


def _resume(request: HttpRequest, batch: Batch) -> str:
    decisions.resume(batch, by=person_of(request))
    return ""


def _stop(request: HttpRequest, batch: Batch) -> str:
    decisions.stop(batch, by=person_of(request))
    return ""


def _retry(request: HttpRequest, batch: Batch) -> str:
    count = decisions.retry(batch, by=person_of(request))
    return ngettext("%(count)s is sent again.", "%(count)s are sent again.", count) % {"count": grouped(count)}


def _choose(request: HttpRequest, batch: Batch) -> str:
    row, order = (request.POST.get(name, "") for name in ("row", "order"))
    if not (_is_key(row) and _is_key(order)):
        raise NotAsked(_("Choose the order that is meant."), "order")
    chosen = rows_of(batch, person_of(request)).select_related("batch").filter(pk=int(row)).first()
    if chosen is None:
        raise NotAllowed(_("This has been decided already, or that order is not among those meant."))
    decisions.choose(chosen, int(order), by=person_of(request))
    return _("Chosen.")


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= MOST_ID


start = _act("request", _start)
discard = _act("request", _discard)
pause = _act("request", _pause)
resume = _act("request", _resume)
stop = _act("withdraw", _stop)
retry = _act("resend", _retry)
choose = _act("request", _choose)
