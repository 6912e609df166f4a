"""``manage.py build``: make what is not kept in the repository: compiled messages and static files."""

from pathlib import Path
from typing import Any

import polib
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

# Of packages' files no page asks for; compressing them would take most of the time.
_UNUSED = ["account", "ext", "htmx-4*", "htmax-4*"]


class Command(BaseCommand):
    help = "Compile the messages and collect the static files; only what is out of date."

    def handle(self, *args: Any, **options: Any) -> None:
        for folder in settings.LOCALE_PATHS:
            for source in Path(folder).rglob("*.po"):
                compiled = source.with_suffix(".mo")
                if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
                    polib.pofile(str(source)).save_as_mofile(str(compiled))
        manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
        sources = [file for folder in settings.STATICFILES_DIRS for file in Path(folder).rglob("*") if file.is_file()]
        newest = max((file.stat().st_mtime for file in sources), default=0.0)
        if not manifest.exists() or manifest.stat().st_mtime < newest:
            call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=_UNUSED)
