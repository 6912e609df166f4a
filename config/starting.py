"""The checks of ``manage.py check``, for what does not start through it: web servers, workers and beat do not ask."""

from django.core.checks import ERROR, run_checks
from django.core.exceptions import ImproperlyConfigured


def refuse_misconfigured() -> None:
    """Look at every setting that can be judged without a database.

    Raises:
        ImproperlyConfigured: With a sentence for each that is wrong, and what to write instead; no key is shown.
    """
    found = [one for one in run_checks() if one.is_serious(ERROR)]
    if found:
        raise ImproperlyConfigured(" ".join(f"{one.msg} {one.hint or ''}".strip() for one in found))
