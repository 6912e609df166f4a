"""The order page: read fresh, judged, and the place where a cancellation is asked for."""

import uuid
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from cancellations.access import allowed
from cancellations.orders import lookup
from cancellations.orders.models import Order
from cancellations.pages import render_page, see_other
from cancellations.people.signed_in import person_of
from cancellations.requests import asking
from cancellations.requests.forms import CancelForm
from cancellations.requests.models import CancellationRequest
from cancellations.requests.order_page import is_cancelled, order_page, units_of
from cancellations.requests.refusals import NotAsked
from cancellations.requests.states import OPEN
from cancellations.shops.connection import capabilities_of, card_of
from cancellations.shops.scope import visible_to
from providers.errors import ProviderError

FRESH_SECONDS = 10
ASK_ANYWAY = gettext_lazy("The platform is expected to refuse this. Tick here to ask it all the same.")
ASK_AGAIN = gettext_lazy("This was cancelled from here before. Tick here to ask the platform once more.")


def _orders(request: HttpRequest) -> QuerySet[Order]:
    return visible_to(
        person_of(request), Order.objects.select_related("shop", "shop__health").prefetch_related("items")
    )


def _read(order: Order) -> tuple[Order, ProviderError | None]:
    """Read an order again; the index as it was when that fails."""
    try:
        lookup.read_fresh(order.shop, order.ref)
    except ProviderError as error:
        return order, error
    return Order.objects.select_related("shop", "shop__health").prefetch_related("items").get(pk=order.pk), None


@require_GET
@allowed("search")
def order(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The page, from the index; a fragment then reads the order fresh. ``?fresh=1`` reads it before answering."""
    found = get_object_or_404(_orders(request), pk=pk)
    error = None
    if "fresh" in request.GET and capabilities_of(found.shop).get_order:
        found, error = _read(found)
    context = order_page(found, person_of(request), error=error)
    age = (timezone.now() - found.seen_at).total_seconds()
    context["refresh"] = context["readable"] and not error and "fresh" not in request.GET and age > FRESH_SECONDS
    return render_page(request, "orders/order.html", "orders/_order.html", context)


@require_GET
@allowed("search")
def fresh(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The order read now; the cancel panel is left alone while nothing about the order changed (``?version=``)."""
    found = get_object_or_404(_orders(request), pk=pk)
    error = None
    if capabilities_of(found.shop).get_order:
        found, error = _read(found)
    context: dict[str, Any] = order_page(found, person_of(request), error=error)
    context["panel"] = request.GET.get("version") != str(found.version)
    return render_page(request, "orders/_fresh.html", "orders/_fresh.html", context)


@require_POST
@allowed("request")
def create(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Ask for the cancellation. 422 with the form's errors; 409 when the order changed since it was shown."""
    found = get_object_or_404(_orders(request), pk=pk)
    form = CancelForm(found, request.POST, by_item=card_of(found.shop).unit == "item")
    if not form.is_valid():
        return _again(request, found, form, 422)
    given = form.cleaned_data
    units = given.get("units") or [""]
    if earlier := _asked_already(found, units, given["submission"]):
        return _done(request, found, [asking.Asked(one, fresh=False) for one in earlier])
    if given["version"] != found.version:
        form.add_error("version", _("The order changed while you were looking. Look at it again, then decide."))
        return _again(request, found, form, 409)
    seen = frozenset(asking.done_of([found]).values_list("pk", flat=True))  # first: what comes later is not seen
    chosen = [unit for unit in units_of(found) if unit.ref in units]
    if any(is_cancelled(found, unit) for unit in chosen):
        form.add_error("units" if form.by_item else None, _("It is cancelled already."))
        return _again(request, found, form, 422)
    if any(unit.verdict.asks_anyway for unit in chosen) and not given["anyway"]:
        again = any(unit.verdict.done for unit in chosen)
        form.add_error("anyway", ASK_AGAIN if again else ASK_ANYWAY)
        return _again(request, found, form, 422)
    try:
        asked = asking.request_cancellation(
            by=person_of(request),
            order=found,
            units=units,
            reason_code=given["reason"],
            note=given["note"],
            submission=given["submission"],
            again=seen,
        )
    except NotAsked as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        return _again(request, found, form, 422)
    return _done(request, found, asked)


def _asked_already(found: Order, units: list[str], submission: Any) -> list[CancellationRequest]:
    """Return what this very form gave before, or what is open, when that holds for every unit; else nothing."""
    units_asked = CancellationRequest.objects.filter(shop=found.shop, order_key=found.key, item_ref__in=units)
    known = units_asked.filter(Q(submission=submission) | Q(state__in=OPEN))
    by_unit = {one.item_ref: one for one in sorted(known, key=lambda one: one.submission == submission)}
    return [by_unit[ref] for ref in units] if by_unit.keys() >= set(units) else []


def _again(request: HttpRequest, found: Order, form: CancelForm, status: int) -> HttpResponse:
    """Show the form once more, its hidden fields whole; with it the whole order when that is what changed."""
    posted = request.POST.copy()
    for name, value in (("submission", uuid.uuid4()), ("version", found.version)):
        if name in form.errors:
            posted[name] = str(value)
    form.data = posted
    context = order_page(found, person_of(request), form=form)
    fragment = "orders/_changed.html" if status == 409 else "orders/_panel.html"
    return render_page(request, "orders/order.html", fragment, context, status=status)


def _done(request: HttpRequest, found: Order, asked: list[asking.Asked]) -> HttpResponseBase:
    fresh_ones = [one for one in asked if one.fresh]
    if not fresh_ones:
        messages.info(request, _("This was asked for already. Here is what became of it."))
    elif len(fresh_ones) < len(asked):
        text = ngettext("%(count)s item was asked for already.", "%(count)s items were asked for already.",
                        len(asked) - len(fresh_ones))  # fmt: skip
        messages.info(request, text % {"count": len(asked) - len(fresh_ones)})
    if len(asked) == 1:
        url = reverse("requests:cancellation", args=[asked[0].cancellation.pk])
    else:
        url = reverse("orders:order", args=[found.pk])
    return see_other(url, request=request)
