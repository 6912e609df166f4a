"""``manage.py cancel``: ask for one cancellation, and wait for its outcome if wanted."""

import json
import sys
import time
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cancellations.audit import trail
from cancellations.orders.models import Order
from cancellations.people.models import Person
from cancellations.requests.asking import check, request_cancellation
from cancellations.requests.models import CancellationRequest
from cancellations.requests.naming import name_order
from cancellations.requests.order_page import is_cancelled, units_of
from cancellations.requests.refusals import NotAsked
from cancellations.requests.report import NOT_ASKED, exit_code, is_settled, report
from cancellations.shops.scope import shops_of
from providers.errors import ProviderError

_LOOK_EVERY_SECONDS = 0.2


class Command(BaseCommand):
    help = (
        "Ask for a cancellation. Exits 0 succeeded, 2 rejected or failed, 3 still moving, uncertain or waiting for a "
        "person, 64 not asked."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--shop", required=True, help="the shop's name")
        parser.add_argument("--order", required=True, metavar="ID", help="the order's id or number")
        parser.add_argument("--item", default="", metavar="ID", help="the item, where items are cancelled")
        parser.add_argument(
            "--field", action="append", default=[], metavar="NAME=VALUE", help="a further look-up field"
        )
        parser.add_argument("--reason", required=True, metavar="CODE")
        parser.add_argument("--note", default="", metavar="TEXT")
        parser.add_argument("--by", required=True, metavar="USER", help="who asks")
        parser.add_argument("--wait", type=float, default=0.0, metavar="SECONDS", help="wait for the outcome so long")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of a sentence")

    def run_from_argv(self, argv: list[str]) -> None:
        """Exit 64 on bad arguments, too."""
        try:
            super().run_from_argv(argv)
        except SystemExit as end:
            if end.code == 2 and not getattr(self, "_asked", False):
                sys.exit(NOT_ASKED)
            raise

    def handle(self, *args: Any, **options: Any) -> None:
        self._asked = False
        with trail.coming_from("command"):
            try:
                cancellation, fresh = self._ask(options)
            except (NotAsked, CommandError) as refusal:
                self._not_asked(str(refusal), options["json"])
            except ProviderError as error:
                self._not_asked(f"{error.code}: {error.message or error.advice.agent}", options["json"])
        if not fresh:
            self._print(cancellation, options["json"])
            self.stderr.write("Not asked: one is open already, or was done just now; this is its state.")
            sys.exit(NOT_ASKED)
        self._asked = True
        ends = time.monotonic() + options["wait"]
        while not is_settled(cancellation) and time.monotonic() < ends:
            time.sleep(_LOOK_EVERY_SECONDS)
            cancellation = self._again(cancellation.pk)
        self._print(cancellation, options["json"])
        sys.exit(exit_code(cancellation))

    def _ask(self, options: dict[str, Any]) -> tuple[CancellationRequest, bool]:
        person = Person.objects.filter(username__iexact=options["by"], is_active=True).first()
        if person is None:
            raise CommandError(f"There is nobody called {options['by']} who may sign in.")
        shop = shops_of(person).filter(name=options["shop"]).first()
        if shop is None:
            raise CommandError(f"{options['by']} has no shop called {options['shop']}.")
        fields = {}
        for text in options["field"]:
            name, sign, value = text.partition("=")
            if not sign:
                raise CommandError(f"--field takes NAME=VALUE, not {text!r}.")
            fields[name] = value
        check(person, shop, options["reason"], options["note"])  # before the platform is asked or an order made
        order = name_order(shop, options["order"], fields)
        self._refuse_once_more(order, options["item"])
        (asked,) = request_cancellation(
            by=person,
            order=order,
            units=[options["item"]],
            reason_code=options["reason"],
            note=options["note"],
            via="command",
        )
        return self._again(asked.cancellation.pk), asked.fresh

    @staticmethod
    def _refuse_once_more(order: Order, item: str) -> None:
        """A script that runs twice must not ask the platform twice.

        Raises:
            CommandError: The unit is cancelled, or was cancelled from here.
        """
        for unit in units_of(order):
            if unit.ref == item and (is_cancelled(order, unit) or unit.verdict.done):
                raise CommandError(unit.verdict.why)

    @staticmethod
    def _again(pk: int) -> CancellationRequest:
        related = ("shop", "shop__health", "reason", "requested_by")
        return CancellationRequest.objects.select_related(*related).get(pk=pk)

    def _print(self, cancellation: CancellationRequest, as_json: bool) -> None:
        facts = report(cancellation)
        self.stdout.write(json.dumps(facts, ensure_ascii=False) if as_json else f"{facts['id']} {facts['says']}")

    def _not_asked(self, sentence: str, as_json: bool) -> NoReturn:
        if as_json:
            blank = {"id": None, "state": "not_asked", "code": "not_asked", "message": sentence, "attempts": 0}
            self.stdout.write(json.dumps(blank, ensure_ascii=False))
        else:
            self.stderr.write(f"Not asked: {sentence}")
        sys.exit(NOT_ASKED)
