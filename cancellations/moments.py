"""Moments and lengths of time in words, in the reader's language and zone."""

from datetime import date, datetime, timedelta
from functools import lru_cache

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext, ngettext, pgettext

WEEK = timedelta(days=7)
UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def exact_text(moment: datetime) -> str:
    """Return a moment to the second, in the active zone, with the zone's name."""
    local = timezone.localtime(moment)
    shape = pgettext("a day and a time of day", "%(day)s, %(time)s")
    return shape % {"day": _day(local.date(), get_language()), "time": f"{local:%H:%M:%S} {local.tzname()}"}


@lru_cache(maxsize=4096)
def _day(day: date, language: str | None) -> str:
    """Return a day in words. Kept, for a list shows the same days on every page and Django is slow at it."""
    # Translators: Django's date format letters.
    return date_format(day, pgettext("date format", "j M Y"))


def ago(moment: datetime, now: datetime | None = None) -> str:
    """Return a moment relative to now ("3 minutes ago", "in 30 seconds"); more than a week off, the day.

    ``app.js`` counts on in the same words by ``Intl.RelativeTimeFormat``.
    """
    now = now or timezone.now()
    gap = now - moment
    if abs(gap) >= WEEK:
        return _day(timezone.localtime(moment).date(), get_language())
    seconds = int(abs(gap).total_seconds())
    for unit, size in UNITS:
        if seconds >= size:
            return _counted(seconds // size, unit, past=gap >= timedelta())
    return gettext("just now")


def _counted(number: int, unit: str, *, past: bool) -> str:
    words = {
        ("day", True): ngettext("%d day ago", "%d days ago", number),
        ("day", False): ngettext("in %d day", "in %d days", number),
        ("hour", True): ngettext("%d hour ago", "%d hours ago", number),
        ("hour", False): ngettext("in %d hour", "in %d hours", number),
        ("minute", True): ngettext("%d minute ago", "%d minutes ago", number),
        ("minute", False): ngettext("in %d minute", "in %d minutes", number),
        ("second", True): ngettext("%d second ago", "%d seconds ago", number),
        ("second", False): ngettext("in %d second", "in %d seconds", number),
    }
    return words[unit, past] % number


def span(seconds: float | None) -> str:
    """Return a length of time as people say it: ``340 ms``, ``1.2 s``, ``3 min``, ``2 h``."""
    if seconds is None:
        return "–"
    if seconds < 1:
        return gettext("%d ms") % round(seconds * 1000)
    if seconds < 60:
        return gettext("%s s") % _short(seconds)
    if seconds < 7200:
        return gettext("%d min") % round(seconds / 60)
    return gettext("%d h") % round(seconds / 3600)


def _short(seconds: float) -> str:
    """Return seconds with one decimal where it says something."""
    return f"{seconds:.1f}".removesuffix(".0")
