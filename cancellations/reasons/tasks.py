"""Doorbell of the reasons: read what one shop's platform lists."""

from celery import shared_task

from cancellations.reasons import refreshing
from cancellations.shops.models import Shop


@shared_task
def refresh_reasons(shop_id: int) -> None:
    """Read one shop's list; a shop that is gone or switched off is left alone."""
    shop = Shop.objects.filter(pk=shop_id, active=True).first()
    if shop:
        refreshing.refresh(shop)
