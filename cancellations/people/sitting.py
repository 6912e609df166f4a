"""How long a sign-in lasts: half an hour without use, half a day in all. The session itself keeps both marks.

Django's own limit is neither: it begins anew with every save.
"""

import time
from typing import Any

from django.conf import settings

BEGUN, USED = "begun", "used"  # in the session: whole seconds since 1970
NOTED_EVERY = 60


def begin(request: Any, **_facts: Any) -> None:
    """Mark the session somebody has just signed in with; hears Django's ``user_logged_in``."""
    request.session[BEGUN] = request.session[USED] = int(time.time())


def is_over(session: Any) -> bool:
    """Tell whether a signed-in session was left unused for too long, or is too old; one without marks is new."""
    now = int(time.time())
    idle, age = now - session.get(USED, now), now - session.get(BEGUN, now)
    return bool(idle > settings.SESSION_IDLE_SECONDS or age > settings.SESSION_COOKIE_AGE)


def note_use(session: Any) -> None:
    """Keep that it is used now; a write at most once a minute."""
    now = int(time.time())
    if BEGUN not in session:
        session[BEGUN] = session[USED] = now
    elif now - session[USED] >= NOTED_EVERY:
        session[USED] = now
