"""``manage.py arm``: say what keeps this installation from sending, and let it send."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db.models import Count

from cancellations.audit import trail
from cancellations.batches import ending
from cancellations.requests import restoring
from cancellations.requests.models import CancellationRequest
from cancellations.requests.states import OPEN
from cancellations.shops import arming
from cancellations.shops.arming import Standing

CONFIRM = "--nothing-else-sends"


class Command(BaseCommand):
    help = (
        "Say whether this installation may send, and why not. After a restored backup or on a database that was moved "
        f"{CONFIRM} lets it send again: what is open in the backup is read first and never sent by itself."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(CONFIRM, action="store_true", help="no other copy of this database sends any more")
        parser.add_argument("--restored", action="store_true", help="this is a backup that was restored: disarm it")

    def handle(self, *args: Any, **options: Any) -> None:
        with trail.coming_from("command"):
            arming.forget()
            restoring.may_send()
            found = arming.standing()
            if found == Standing.ARMED and not options["restored"]:
                self.stdout.write("Armed: this installation may send.")
                return
            if found == Standing.ARMED:
                restoring.disarm("a person said that it is a restored backup")
            self._tell()
            if not options["nothing_else_sends"]:
                self.stdout.write(
                    f"Still disarmed. Once nothing else sends from this database: manage.py arm {CONFIRM}"
                )
                sys.exit(1)
            if found == Standing.COPY:  # it may be older than what was sent from where it came from
                restoring.disarm("taken over from another installation")
            ended = ending.end_what_was_restored()
            restoring.arm("a person confirmed it")
            self.stdout.write(
                "Armed. What was open is in doubt: workers read it at its platforms and send none of it by themselves. "
                f"{ended} bulks were ended: hand in again what is left of them."
            )

    def _tell(self) -> None:
        for sentence in arming.WORDS[arming.standing()]:
            self.stdout.write(sentence)
        counted = CancellationRequest.objects.filter(state__in=OPEN).order_by().values_list("state")
        states = ", ".join(f"{number} {state}" for state, number in counted.annotate(Count("pk")).order_by("state"))
        self.stdout.write(f"Open in this database: {states or 'nothing'}.")
