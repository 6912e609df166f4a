"""Home: what needs me, what is moving, what came of the last requests; for managers the days behind them."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncDate
from django.http import HttpRequest, HttpResponseBase
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from cancellations.access import allowed, may
from cancellations.orders.models import Order
from cancellations.pages import render_page
from cancellations.people.models import Person
from cancellations.people.signed_in import person_of
from cancellations.requests.finding import in_tab, needs
from cancellations.requests.models import CancellationRequest
from cancellations.requests.states import MOVING, State
from cancellations.shops.models import Shop
from cancellations.shops.scope import shops_of, visible_to

DAYS = 14
_LINES = 8


@require_GET
@allowed("search")
def home(request: HttpRequest) -> HttpResponseBase:
    """The first page after signing in."""
    person = person_of(request)
    visible = visible_to(
        person, CancellationRequest.objects.select_related("shop", "shop__health", "requested_by", "reason")
    )
    manager = may(person, "approve")
    mine = visible if manager else visible.filter(requested_by=person)
    theirs = needs(person, visible)
    moving = in_tab("moving", person, mine)
    shops = list(shops_of(person).select_related("health"))
    context = {
        "manager": manager,
        "needs": list(theirs.order_by("-requested_at", "-id")[:_LINES]),
        "moving": list(moving.exclude(pk__in=theirs.values("pk")).order_by("-requested_at", "-id")[:_LINES]),
        "results": list(in_tab("done", person, mine).order_by("-requested_at", "-id")[:_LINES]),
        "held": [shop for shop in shops if _held(shop)],
        "shops": shops,
        "empty": not visible_to(person, Order.objects.all()).exists(),
        **(_days(visible) if manager else {}),
        **(_tiles(visible, person) if manager else {}),
    }
    return render_page(request, "home.html", "_home.html", context)


def _held(shop: Shop) -> bool:
    health = getattr(shop, "health", None)
    return bool(health and health.held_since)


def _tiles(visible: QuerySet[CancellationRequest], person: Person) -> dict[str, Any]:
    return visible.aggregate(
        reviews=Count("pk", filter=Q(state=State.UNCERTAIN, in_review=True)),
        approvals=Count("pk", filter=Q(state=State.PENDING_APPROVAL)),
        under_way=Count("pk", filter=Q(state__in=[*MOVING, State.PENDING_APPROVAL], in_review=False)),
        today=Count("pk", filter=Q(state=State.SUCCEEDED, state_since__gte=_today())),
    )


def _today() -> datetime:
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def _days(visible: QuerySet[CancellationRequest]) -> dict[str, Any]:
    """Return the last two weeks by day of asking and outcome, for the chart and its table."""
    first = _today() - timedelta(days=DAYS - 1)
    rows = (
        visible.filter(requested_at__gte=first)
        .order_by()
        .annotate(day=TruncDate("requested_at"))
        .values("day")
        .annotate(
            cancelled=Count("pk", filter=Q(state=State.SUCCEEDED)),
            moving=Count("pk", filter=Q(state__in=[*MOVING, State.PENDING_APPROVAL])),
            refused=Count("pk", filter=Q(state__in=[State.REJECTED, State.FAILED])),
            dropped=Count("pk", filter=Q(state__in=[State.WITHDRAWN, State.DECLINED])),
        )
    )
    known = {row["day"]: (row["cancelled"], row["moving"], row["refused"], row["dropped"]) for row in rows}
    days = [(first + timedelta(days=number)).date() for number in range(DAYS)]
    bars = [(formats.date_format(day, "MONTH_DAY_FORMAT"), known.get(day, (0, 0, 0, 0))) for day in days]
    legend = [(_("Cancelled"), "good"), (_("Open"), "warn"), (_("Refused or not cancelled"), "bad"),
              (_("Withdrawn or declined"), "quiet")]  # fmt: skip
    return {"bars": bars, "legend": legend, "any_bars": bool(known)}
