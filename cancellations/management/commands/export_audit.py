"""``manage.py export_audit csv|jsonl``: the audit log to standard output, newest first."""

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cancellations.audit import trail
from cancellations.audit.exporting import FORMATS, export
from cancellations.audit.searching import Eyes, Filters, search
from cancellations.audit.wording import GROUPS
from cancellations.shops.models import Shop


class Command(BaseCommand):
    help = "Print the audit log, newest event first; the export itself becomes an event."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("format", choices=list(FORMATS))
        parser.add_argument("--person", default="", help="who did it: a user name, worker or system")
        parser.add_argument("--what", default="", choices=list(GROUPS), help="only this kind of act")
        parser.add_argument("--shop", default="", help="a shop's short name")
        parser.add_argument("--order", default="", help="an order number, whole")
        parser.add_argument("--from", dest="since", type=date.fromisoformat, help="first day, as 2026-01-31")
        parser.add_argument("--to", dest="until", type=date.fromisoformat, help="last day, included")

    def handle(self, *args: Any, **options: Any) -> None:
        shop = Shop.objects.filter(name=options["shop"]).first()
        if options["shop"] and shop is None:
            raise CommandError(f"There is no shop {options['shop']}.")
        given = {name: options[name] for name in ("person", "what", "shop", "order", "since", "until")}
        filters = Filters(**given, shop_id=shop.pk if shop else None)
        with trail.coming_from("command"):
            lines = export(
                options["format"], search(Eyes(), filters), by=trail.Machine("system", "export_audit"),
                filters=filters, shop=shop,
            )  # fmt: skip
        for line in lines:
            self.stdout.write(line, ending="")
