"""Find what a lost message or a dead worker left behind; invents nothing, sends nothing."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from cancellations.audit import trail
from cancellations.requests import restoring
from cancellations.requests.models import LEASE, Attempt, CancellationRequest
from cancellations.requests.reconciliation import CHECKED, unclear
from cancellations.requests.states import State
from cancellations.shops import health
from cancellations.shops.connection import connect
from cancellations.shops.models import Shop, ShopHealth
from providers.errors import AuthFailed, Cause, ProviderError, gettext_noop

PROBE_SECONDS: float = settings.PROBE_SECONDS
# A ping cannot show whether a permission to cancel has come, so a cancel is what tries it: not every minute.
PERMISSION_SECONDS = 15 * 60
# Some platforms lock keys that fail a few times in a row: they are tried after five minutes, then ever more seldom.
LEAST_KEYS_SECONDS, MOST_KEYS_SECONDS = 5 * PROBE_SECONDS, 60 * PROBE_SECONDS
# After so many leases an answer is not waited for any more.
LOST_LEASES = 5
WORKER_LOST = gettext_noop("The worker was lost while it was asking. We look at the order to find out.")


def restored() -> int:
    """Have what came with a backup read at its platforms; notices the backup where nothing waits to be sent."""
    restoring.may_send()
    return restoring.put_in_doubt()


def lost_sends() -> int:
    """Turn every *sending* whose lease is over into *uncertain*; leases are compared by the database's clock."""
    lost = CancellationRequest.objects.select_related("shop").filter(state=State.SENDING, lease_until__lt=Now())
    count = 0
    for cancellation in lost:
        with transaction.atomic():
            count += cancellation.move_to(
                State.UNCERTAIN,
                "cancellation.uncertain",
                by=trail.SYSTEM,
                data={"how": "the lease ran out"},
                lease_until=None,
                code="worker-lost",
                message="",
                advice=WORKER_LOST,
                **unclear(cancellation.shop),
            )
    return count


def lost_attempts() -> int:
    """Close the attempts whose worker will not: evidence that nothing more is known of them."""
    long_ago = Now() - LOST_LEASES * LEASE
    open_still = Attempt.objects.filter(closed_at=None, opened_at__lt=long_ago)
    return open_still.update(closed_at=Now(), outcome="Lost")


def shops_with_work() -> list[int]:
    """Return the shops that have something due to be sent and are not held."""
    return list(
        CancellationRequest.objects.filter(
            state=State.QUEUED, due_at__lte=Now(), shop__active=True, shop__health__held_since=None
        )
        .order_by()
        .values_list("shop", flat=True)
        .distinct()
    )


def shops_with_checks() -> list[int]:
    """Return the shops that have requests whose check is due and are not held."""
    return list(
        CancellationRequest.objects.filter(
            state__in=CHECKED, due_at__lte=Now(), shop__active=True, shop__health__held_since=None
        )
        .order_by()
        .values_list("shop", flat=True)
        .distinct()
    )


def shops_to_probe() -> list[int]:
    """Return the held shops whose next look is due, by the database's clock."""
    held = ShopHealth.objects.filter(shop__active=True).exclude(held_since=None).annotate(clock=Now())
    return [one.shop_id for one in held if (due := _next_look(one)) is None or due < one.clock]


def _next_look(held: ShopHealth) -> datetime | None:
    """Return when a held shop is to be probed, or ``None`` for at once."""
    if held.hold_cause == Cause.KEYS and held.refused_at:
        last = max(held.refused_at, held.probed_at or held.refused_at)
        so_far = (last - held.refused_at).total_seconds()  # as long again is twice as long as the pause before
        return last + timedelta(seconds=min(max(so_far, LEAST_KEYS_SECONDS), MOST_KEYS_SECONDS))
    seconds = {Cause.PERMISSION.value: PERMISSION_SECONDS, Cause.NETWORK.value: PROBE_SECONDS / 4}
    pause = seconds.get(held.hold_cause, PROBE_SECONDS)
    return held.probed_at + timedelta(seconds=pause) if held.probed_at else None


def probe(shop_id: int) -> bool:
    """Read something from a held shop; when that works again, let its requests go."""
    shop = Shop.objects.get(pk=shop_id)
    ShopHealth.objects.filter(shop=shop).update(probed_at=Now())
    try:
        connect(shop).client.ping()
    except ProviderError as error:
        return _judge(shop, error)
    health.release(shop, by=trail.WORKER)
    return True


def _judge(shop: Shop, error: ProviderError) -> bool:
    """Draw from a probe that was refused what it shows; return whether the shop's requests may go."""
    refused = error.cause if isinstance(error, AuthFailed) else None
    held = health.health_of(shop)
    if refused == Cause.PERMISSION and held.hold_cause == Cause.NETWORK:
        return health.release(shop, by=trail.WORKER)  # it answers; what may not read may cancel all the same
    if refused == Cause.KEYS and held.hold_cause != Cause.KEYS and held.held_since:
        health.hold(shop, error)  # from now on probed as seldom as refused keys are
    return False
