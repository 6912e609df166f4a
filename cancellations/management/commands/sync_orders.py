"""``manage.py sync_orders [--shop NAME]``: pull what changed, here and now, until nothing is left to pull."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cancellations.orders import sync
from cancellations.orders.models import Pull
from cancellations.shops.models import Shop


class Command(BaseCommand):
    """Pulls orders; exits 1 when a shop could not be pulled."""

    help = "Pull changed orders of one shop, or of every active one. A run that was cut short goes on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Name a shop, or none for all."""
        parser.add_argument("--shop", metavar="NAME", help="the shop's name; left out: every active shop")

    def handle(self, *args: Any, **options: Any) -> None:
        """Pull shop after shop and print a line for each."""
        shops = Shop.objects.filter(active=True)
        if options["shop"]:
            shops = Shop.objects.filter(name=options["shop"])
            if not shops:
                raise CommandError(f"There is no shop called {options['shop']!r}.")
        broken = 0
        for shop in shops:
            while sync.pull(shop):
                pass
            state = Pull.objects.get(shop=shop)
            broken += bool(state.error) and state.error != sync.CANNOT
            outcome = state.error or (
                "another worker is pulling it." if state.lease_until else f"{state.seen} orders read."
            )
            self.stdout.write(f"{shop.name}: {outcome}")
        if broken:
            raise CommandError(f"{broken} of {len(shops)} shops could not be pulled.")
