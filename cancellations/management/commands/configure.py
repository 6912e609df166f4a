"""``configure FILE.toml``: people and shops from a file, whole or not at all."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from cancellations.audit import trail
from cancellations.shops.file_reading import FaultyFile
from cancellations.shops.from_file import configure


class Command(BaseCommand):
    """Make people and shops as a TOML file says; run again, it changes nothing."""

    help = "Make people and shops as a TOML file says. A bad file changes nothing and names every fault."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.toml")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            with trail.coming_from("command"):
                changes = configure(path, by=trail.Machine("system", "configure"))
        except FaultyFile as error:
            for fault in error.faults:
                self.stderr.write(f"{path}:{fault.line}: {fault.say}" if fault.line else f"{path}: {fault.say}")
            raise CommandError(_("Nothing was changed: the file has faults, named above.")) from None
        for change in changes:
            self.stdout.write(change)
        if not changes:
            self.stdout.write(_("nothing changed"))
