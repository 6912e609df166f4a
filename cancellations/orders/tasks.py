"""Doorbells of the index: pull a shop, read a file handed in. The rows say what; a lost one is rung again."""

from celery import shared_task

from cancellations import ring
from cancellations.orders import importing, refused, sync
from cancellations.shops.models import Shop


@shared_task
def sync_shop(shop_id: int) -> None:
    """Pull what changed in one shop."""
    shop = Shop.objects.filter(pk=shop_id, active=True).first()
    if shop and sync.pull(shop):
        ring.ring(sync_shop, shop_id)


@shared_task
def sync_due() -> None:
    """Ring for every shop that is due, and for files a worker left unread; forget what was wrong with old ones."""
    for shop in sync.due():
        ring.ring(sync_shop, shop.pk)
    for run in importing.unread():
        ring.ring(import_file, run.pk)
    refused.forget()


@shared_task
def import_file(import_id: int) -> None:
    """Read a file of orders that was handed in on a page."""
    importing.run(import_id)
