"""Moments and lengths of time in words, in the reader's language and zone."""

from datetime import date, datetime, timedelta
from functools import lru_cache

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext, ngettext_lazy, pgettext

WEEK = timedelta(days=7)
UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
# (unit, whether it is past) → its words.
COUNTED = {
    ("day", True): ngettext_lazy("%d day ago", "%d days ago"),
    ("day", False): ngettext_lazy("in %d day", "in %d days"),
    ("hour", True): ngettext_lazy("%d hour ago", "%d hours ago"),
    ("hour", False): ngettext_lazy("in %d hour", "in %d hours"),
    ("minute", True): ngettext_lazy("%d minute ago", "%d minutes ago"),
    ("minute", False): ngettext_lazy("in %d minute", "in %d minutes"),
    ("second", True): ngettext_lazy("%d second ago", "%d seconds ago"),
    ("second", False): ngettext_lazy("in %d second", "in %d seconds"),
}


def exact_text(moment: datetime) -> str:
    """Return a moment to the second, in the active zone, with the zone's name."""
    return _exact(timezone.localtime(moment), get_language())


def ago(moment: datetime, now: datetime | None = None) -> str:
    """Return a moment relative to now ("3 minutes ago", "in 30 seconds"); more than a week off, the day.

    ``app.js`` counts on in the same words by ``Intl.RelativeTimeFormat``.
    """
    return _near(timezone.localtime(moment), now or timezone.now(), get_language())


class Clock:
    """Who reads, in which zone, and when: found out once for a whole list, for that is most of the work."""

    def __init__(self) -> None:
        self._zone, self._language, self._now = timezone.get_current_timezone(), get_language(), timezone.now()

    def both(self, moment: datetime) -> tuple[str, str]:
        """Return a moment exactly and relative to now."""
        local = moment.astimezone(self._zone)
        return _exact(local, self._language), _near(local, self._now, self._language)


def _exact(local: datetime, language: str | None) -> str:
    return _shape(language) % {"day": _day(local.date(), language), "time": f"{local:%H:%M:%S} {local.tzname()}"}


def _near(local: datetime, now: datetime, language: str | None) -> str:
    gap = now - local
    if abs(gap) >= WEEK:
        return _day(local.date(), language)
    seconds = int(abs(gap).total_seconds())
    for unit, size in UNITS:
        if seconds >= size:
            return str(COUNTED[unit, gap >= timedelta()] % (seconds // size))
    return gettext("just now")


@lru_cache(maxsize=8)
def _shape(language: str | None) -> str:
    return pgettext("a day and a time of day", "%(day)s, %(time)s")


@lru_cache(maxsize=4096)
def _day(day: date, language: str | None) -> str:
    """Return a day in words. Kept, for a list shows the same days on every page and Django is slow at it."""
    # Translators: Django's date format letters.
    return date_format(day, pgettext("date format", "j M Y"))


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
