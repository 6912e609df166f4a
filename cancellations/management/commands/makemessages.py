"""``manage.py makemessages``: collect what is to be translated, from everywhere, so that a rerun changes nothing."""

from pathlib import Path
from typing import Any

import polib
from django.conf import settings
from django.core.management.commands import makemessages

LOCALE = "zh_Hans"
ELSEWHERE = (".*", "tests", "data", "docs", "static", "node_modules")
HEADER = {
    "Project-Id-Version": "Rescind",
    "Language": LOCALE,
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
    "Plural-Forms": "nplurals=1; plural=0;",
}


class Command(makemessages.Command):
    help = "Collect the strings to translate into the one catalogue; run it in the project's folder."
    # A guess of msgmerge's at a new sentence would be shown nowhere and look like a translation.
    msgmerge_options = [*makemessages.Command.msgmerge_options, "--no-fuzzy-matching"]

    def handle(self, *args: Any, **options: Any) -> None:
        options["locale"] = options["locale"] or [LOCALE]
        options["ignore_patterns"] = [*options["ignore_patterns"], *ELSEWHERE]
        options |= {"no_wrap": True, "no_location": True, "no_obsolete": True}
        super().handle(*args, **options)
        for folder in settings.LOCALE_PATHS:
            for source in Path(folder).rglob("django.po"):
                _tidy(source)


def _tidy(source: Path) -> None:
    """Drop dates, people and hosts from the header: only a changed sentence makes a difference."""
    catalogue = polib.pofile(str(source), wrapwidth=0)
    catalogue.metadata = HEADER | {"Language": source.parent.parent.name}
    catalogue.metadata_is_fuzzy = False
    catalogue.header = "What people read, in Chinese. `make messages` collects; `manage.py build` compiles."
    catalogue.save()
