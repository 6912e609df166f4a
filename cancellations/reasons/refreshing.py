"""The reasons a shop's platform lists, read from it again. The last good answer is kept whatever goes wrong."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from cancellations.audit import trail
from cancellations.reasons.models import ListedReasons
from cancellations.shops.connection import connect
from cancellations.shops.models import Shop
from providers.errors import ProviderError

_NONE_LISTED = gettext_noop("The platform listed no reason for a cancel. The values read before are kept.")
_CANNOT = gettext_noop("This platform has no list of reasons to read.")


def refresh(shop: Shop, *, by: Any = trail.WORKER) -> bool:
    """Ask the platform which reasons it takes, and keep the answer.

    Returns:
        Whether a list came back. If not, the row says why and what to do; the values of before stay.
    """
    try:
        connection = connect(shop)
        if not connection.capabilities.list_reasons:
            _note_failure(shop, _CANNOT)
            return False
        reasons = connection.client.list_reasons()
    except ProviderError as error:
        words = f"{error.message[:300]} ({error.code})" if error.message else error.code
        _note_failure(shop, error.advice.admin or error.advice.agent, words)
        return False
    values = list(dict.fromkeys(one.value for one in reasons if one.value))
    if not values:
        _note_failure(shop, _NONE_LISTED)
        return False
    labels = {one.value: one.label for one in reasons if one.label and one.label != one.value}
    with transaction.atomic():
        before = ListedReasons.objects.select_for_update().filter(shop=shop).values_list("values", flat=True).first()
        fresh = {"values": values, "labels": labels, "read_at": timezone.now()}
        ListedReasons.objects.update_or_create(
            shop=shop, defaults={**fresh, "failed_at": None, "problem": "", "problem_words": ""}
        )
        if before != values:
            _record("shop.reasons_listed", shop, by, before={"values": before or []}, after={"values": values})
    return True


def _note_failure(shop: Shop, problem: str, words: str = "") -> None:
    why = {"failed_at": timezone.now(), "problem": problem, "problem_words": words}
    ListedReasons.objects.update_or_create(shop=shop, defaults=why)


def _record(verb: str, shop: Shop, by: Any, **data: Any) -> None:
    trail.record(verb, by=by, subject_kind="shop", subject_id=shop.pk, subject=shop.title, shop=shop, data=data)
