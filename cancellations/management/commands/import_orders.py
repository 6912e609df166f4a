"""``manage.py import_orders --shop NAME FILE``: a CSV of orders into the index, here and now."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cancellations.audit import trail
from cancellations.orders import importing
from cancellations.orders.cells import Fault
from cancellations.shops.models import Shop
from providers.errors import ProviderError


class Command(BaseCommand):
    """Reads a file of orders and says on stderr what is wrong as it is met; exits 1 when anything was refused."""

    help = "Read a CSV of orders into the index. The first line names the columns; the import page has a template."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Name the shop and the file."""
        parser.add_argument("--shop", required=True, metavar="NAME", help="the shop's name")
        parser.add_argument("file", type=Path, metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import, and print every refused line and the numbers."""
        shop = Shop.objects.filter(name=options["shop"]).first()
        if shop is None:
            raise CommandError(f"There is no shop called {options['shop']!r}. manage.py configure makes one.")
        try:
            with options["file"].open("rb") as file, trail.coming_from("command"):
                result = importing.import_file(shop, file, tell=self._name)
                data = {"file": options["file"].name, **importing.counts(result)}
                importing.record(shop, "orders.imported", by=trail.SYSTEM, data=data)
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from error
        except ProviderError as error:
            raise CommandError(error.advice.admin or error.advice.agent) from error
        self.stdout.write(f"{result.good} orders kept, {result.bad} lines refused, {result.repeated} repeated.")
        if result.error:
            raise CommandError(result.error % result.data)
        if result.bad:
            raise CommandError("Some lines were refused; the others are in the index.")

    def _name(self, number: int, fault: Fault) -> None:
        self.stderr.write(f"line {number}: {fault.sentence % fault.data}")
