"""The operators' page: what is stuck, what is in doubt, which circuits are open, and whether the machinery runs."""

import shutil
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, Q, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from cancellations import ring
from cancellations.access import allowed
from cancellations.moments import ago, exact_text
from cancellations.pages import render_page
from cancellations.people.signed_in import person_of
from cancellations.requests.models import CancellationRequest
from cancellations.requests.progress import PERSON_LATE, WORKER_LATE
from cancellations.requests.states import OPEN, State
from cancellations.shops import arming
from cancellations.shops.models import Pulse, Shop
from cancellations.shops.scope import shops_of, visible_to
from cancellations.templatetags.desk import grouped

MOST_LINES = 20
LEAST_ROOM = 32 * 1024 * 1024
_HELD = Q(shop__health__held_since__isnull=False) | Q(shop__active=False)
_SHOWN = ("shop", "shop__health", "requested_by", "reason")


@dataclass(frozen=True)
class Trouble:
    """One thing that is wrong.

    Attributes:
        what: The fact and its cause; ``step``: what to do next; ``url``: where.
    """

    what: str
    step: str
    url: str = ""


@require_GET
@allowed("shops")
def operations(request: HttpRequest) -> HttpResponseBase:
    """One page for who keeps the desk running."""
    person = person_of(request)
    cancellations = visible_to(person, CancellationRequest.objects.order_by())
    shops = list(shops_of(person).filter(active=True).select_related("health"))
    now = timezone.now()
    pulse = Pulse.objects.filter(name="worker").first()
    late = overdue(cancellations, now)
    facts: dict[str, Any] = cancellations.filter(Q(state__in=OPEN) | ~Q(alarm="")).aggregate(
        waiting=Count("pk", filter=Q(state=State.QUEUED)),
        oldest=Min("state_since", filter=Q(state=State.QUEUED)),
        sending=Count("pk", filter=Q(state=State.SENDING)),
        uncertain=Count("pk", filter=Q(state=State.UNCERTAIN, in_review=False)),
        reviews=Count("pk", filter=Q(state=State.UNCERTAIN, in_review=True)),
        alarms=Count("pk", filter=~Q(alarm="")),
    )
    facts |= {
        "room": shutil.disk_usage(settings.DATA_DIR).free,
        "broker": ring.is_broker_there(),
        "standing": arming.standing(),
        "pulse": pulse.at if pulse else None,
        "heard": Pulse.is_heard(),
        "alive": Pulse.has_worker(),
        "held": [shop for shop in shops if _health(shop, "held_since")],
        "told": [shop for shop in shops if (until := _health(shop, "wait_until")) and until > now],
        "late_count": late.count(),
        "late": list(late.select_related(*_SHOWN).order_by("state_since")[:MOST_LINES]),
    }
    return render_page(request, "operations.html", "_operations.html", {**facts, "troubles": troubles(facts)})


def _health(shop: Shop, name: str) -> datetime | None:
    found: datetime | None = getattr(getattr(shop, "health", None), name, None)
    return found


def overdue(cancellations: QuerySet[CancellationRequest], now: datetime) -> QuerySet[CancellationRequest]:
    """Narrow to those whose deadline is over (``requests.progress.deadline``) and which no hold explains."""
    by_worker = Q(state__in=[State.QUEUED, State.ACCEPTED, State.UNCERTAIN], due_at__lt=now - WORKER_LATE) & ~_HELD
    by_person = Q(state=State.PENDING_APPROVAL) | Q(state=State.UNCERTAIN, in_review=True)
    lost = Q(state=State.SENDING, lease_until__lt=now - Pulse.SILENCE)
    held = Q(state=State.QUEUED, held_since__lt=now - PERSON_LATE)
    return cancellations.filter(by_worker | lost | held | (by_person & Q(state_since__lt=now - PERSON_LATE)))


def troubles(facts: dict[str, Any]) -> list[Trouble]:
    """Say what is wrong, why, and what to do, the gravest first."""
    found = []
    if facts["standing"] != arming.Standing.ARMED:
        cause, step = arming.WORDS[facts["standing"]]
        found.append(Trouble(_(cause), _(step)))
    if not facts["broker"]:
        what = _("The broker does not answer: nobody is told that there is work.")
        step = _("Start it, or mend BROKER_URL. Nothing is lost: what was asked for stands in the database.")
        found.append(Trouble(what, step))
    if facts["room"] < LEAST_ROOM:
        what = _("The disk of DATA_DIR is full but for %(room)s.") % {"room": filesizeformat(facts["room"])}
        step = _("Make room there. What can't be written down is neither accepted nor sent; it goes on by itself.")
        found.append(Trouble(what, step))
    if not facts["heard"]:
        since = ago(facts["pulse"]) if facts["pulse"] else _("never")
        what = _("No sweep has run for a minute; the last one: %(when)s.") % {"when": since}
        step = _("No worker shows a sign of life. Start one; see that it reaches the broker and the database.")
        if facts["alive"]:
            step = _("A worker runs, but nobody rings for it. Start beat; see that both reach the broker.")
        found.append(Trouble(what, step))
    if facts["alarms"]:
        text = ngettext(
            "%(count)s order is not what its cancellation was said to have made of it.",
            "%(count)s orders are not what their cancellations were said to have made of them.",
            facts["alarms"],
        )
        step = _("Look at each at its platform, ask anew if need be, and close the alarm.")
        url = reverse("requests:list") + "?tab=needs"
        found.append(Trouble(text % {"count": grouped(facts["alarms"])}, step, url))
    found += [_held(shop) for shop in facts["held"]]
    for shop in facts["told"]:
        when = exact_text(shop.health.wait_until)
        what = _("%(shop)s: the platform wants no call until %(when)s.") % {"shop": shop, "when": when}
        step = _("Wait. If it happens often, set fewer calls per second for the shop.")
        found.append(Trouble(what, step, reverse("shops:shop", args=[shop.name])))
    if facts["late_count"]:
        text = ngettext(
            "%(count)s request is past its deadline.",
            "%(count)s requests are past their deadline.",
            facts["late_count"],
        )
        step = _("They stand below; the page of each says who acts next.")
        found.append(Trouble(text % {"count": grouped(facts["late_count"])}, step))
    return found


def _held(shop: Shop) -> Trouble:
    step = _("Mend its keys or settings, then check the connection. Its requests wait.")
    if shop.health.hold_cause == "network":
        step = _("See whether the platform is down, and whether this machine reaches it.")
    why = shop.health.hold_advice
    what = _("%(shop)s is on hold: %(why)s") % {"shop": shop, "why": _(why) if why else shop.health.hold_message}
    return Trouble(what, step, reverse("shops:shop", args=[shop.name]))
