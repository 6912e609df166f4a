"""``manage.py cancellations``: what was asked for, one line each."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cancellations.requests.models import CancellationRequest
from cancellations.requests.report import report
from cancellations.requests.states import State
from cancellations.requests.waiting import with_wait
from cancellations.shops.models import Shop

_COLUMNS = ("id", "shop", "order", "item", "state", "code", "message")


class Command(BaseCommand):
    help = "Print the cancellations, oldest first, one a line."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--shop", default="", help="only this shop's")
        parser.add_argument("--state", default="", help=f"only these: {', '.join(State)}")
        parser.add_argument("--json", action="store_true", help="one JSON object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        related = ("shop", "shop__health", "reason", "requested_by")
        found = with_wait(CancellationRequest.objects.select_related(*related))
        if options["state"] and options["state"] not in list(State):
            raise CommandError(f"There is no state {options['state']}; there are: {', '.join(State)}.")
        if options["shop"] and not Shop.objects.filter(name=options["shop"]).exists():
            raise CommandError(f"There is no shop called {options['shop']}.")
        if options["shop"]:
            found = found.filter(shop__name=options["shop"])
        if options["state"]:
            found = found.filter(state=options["state"])
        for one in found.order_by("pk").iterator(chunk_size=500):
            facts = report(one)
            columns = (facts[name] for name in _COLUMNS)
            line = "\t".join(" ".join(str(value).split()) for value in columns)
            self.stdout.write(json.dumps(facts, ensure_ascii=False) if options["json"] else line)
