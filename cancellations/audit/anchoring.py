"""Seals noted outside the database, where whoever owns the database does not reach: they show a cut tail."""

import logging
from itertools import islice
from pathlib import Path

from django.conf import settings

from cancellations.audit import findings
from cancellations.audit.findings import Verdict
from cancellations.audit.models import Seal

LINES_AT_ONCE = 500
LONGEST_NUMBER = 18

logger = logging.getLogger(__name__)


def anchor_file() -> Path:
    """Return where this machine notes its seals."""
    return Path(settings.DATA_DIR) / "seals.log"


def line_of(one: Seal) -> str:
    """Return a seal as a line to be kept elsewhere."""
    return f"{one.number} {one.at.isoformat()} {one.count} {one.digest}"


def note(one: Seal) -> None:
    """Note a seal that is committed."""
    try:
        with anchor_file().open("a", encoding="ascii") as file:
            file.write(line_of(one) + "\n")
    except OSError as error:  # the seal stands; the next line vouches for this one, too
        logger.error("Seal %s could not be noted in %s: %s", one.number, anchor_file(), error.strerror)


def compare(verdict: Verdict, file: Path) -> None:
    """Compare the database with what a file knows: a chain cut at its end is whole in itself."""
    if not file.exists():
        return
    with file.open(encoding="ascii", errors="replace") as lines:
        parts = (line.split() for line in lines)
        sound = (one for one in parts if len(one) == 4 and one[0].isdecimal() and len(one[0]) <= LONGEST_NUMBER)
        while some := [(int(one[0]), one[3]) for one in islice(sound, LINES_AT_ONCE)]:
            have = dict(Seal.objects.filter(number__in=[one[0] for one in some]).values_list("number", "digest"))
            for number, digest in some:
                verdict.anchored += 1
                if number not in have:
                    verdict.note("cut", f"seal {number}", findings.CUT, seal=number)
                elif have[number] != digest:
                    verdict.note("cut", f"seal {number}", findings.EXCHANGED, seal=number)
