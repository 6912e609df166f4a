"""``manage.py audit verify | replay | seal | head``: is the record whole, and does it tell where everything stands?"""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cancellations.audit.anchoring import line_of
from cancellations.audit.findings import Verdict
from cancellations.audit.models import Seal
from cancellations.audit.sealing import seal
from cancellations.audit.verifying import verify
from cancellations.requests.replaying import replay


class Command(BaseCommand):
    help = (
        "Check the audit log's chain (verify), replay the events and compare them with every request (replay), "
        "seal what is not sealed yet (seal), or print the last seal (head)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("act", choices=["verify", "replay", "seal", "head"])
        parser.add_argument("--against", metavar="FILE", help="seals kept elsewhere, one `audit head` a line")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["act"] == "seal":
            made = seal()
            self.stdout.write(line_of(made) if made else "Nothing to seal.")
        elif options["act"] == "head":
            last = Seal.objects.order_by("-number").first()
            if last is None:
                raise CommandError("Nothing is sealed yet.")
            self.stdout.write(line_of(last))
        elif options["act"] == "replay":
            self._replay(options)
        else:
            self._verify(options)

    def _replay(self, options: dict[str, Any]) -> None:
        found = replay()
        if options["json"]:
            self.stdout.write(json.dumps(asdict(found), ensure_ascii=False))
        else:
            counts = f"{found.count} differences over {found.requests} requests and {found.events} events."
            self.stdout.write("\n".join([*found.differences, counts]))
        if found.count:
            sys.exit(1)

    def _verify(self, options: dict[str, Any]) -> None:
        against = [Path(options["against"])] if options["against"] else []
        if against and not against[0].is_file():
            raise CommandError(f"There is no file {against[0]}.")
        found = verify(*against)
        self.stdout.write(json.dumps(_facts(found), ensure_ascii=False) if options["json"] else _text(found))
        if not found.whole:
            sys.exit(1)


def _facts(found: Verdict) -> dict[str, Any]:
    return {
        "whole": found.whole,
        "events": found.events,
        "seals": found.seals,
        "unsealed": found.unsealed,
        "anchored": found.anchored,
        "up_to": found.up_to.isoformat() if found.up_to else None,
        "faults": [{"kind": one.kind, "where": one.where, "text": one.text} for one in found.faults],
    }


def _text(found: Verdict) -> str:
    lines = [f"{one.kind}: {one.text}" for one in found.faults]
    up_to = found.up_to.isoformat(timespec="seconds") if found.up_to else "never"
    word = "Whole" if found.whole else f"BROKEN in {len(found.faults)} places"
    lines.append(
        f"{word}: {found.events} events under {found.seals} seals up to {up_to}; {found.unsealed} not sealed yet; "
        f"compared with {found.anchored} seals noted outside the database."
    )
    return "\n".join(lines)
