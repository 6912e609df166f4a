"""/healthz/: do the database and the broker answer, within three seconds? Says which does not, and nothing else."""

import time
from collections.abc import Callable
from threading import Thread

from django.db import connections
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from cancellations.ring import broker_answers

SECONDS = 3.0


def database_answers() -> None:
    """Ask the database the cheapest question; runs in a thread of its own, whose connection ends with it."""
    connection = connections["default"]
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    finally:
        connection.close()


CHECKS: dict[str, Callable[[], None]] = {"database": database_answers, "broker": broker_answers}


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """Answer 200 when all is well, else 503, naming the part that does not answer."""
    found = dict.fromkeys(CHECKS, "no answer")

    def look(name: str, check: Callable[[], None]) -> None:
        try:
            check()
        except Exception:  # noqa: BLE001 - whatever it is, the part does not answer, and the cause may hold an address
            return
        found[name] = "ok"

    deadline = time.monotonic() + SECONDS
    threads = [Thread(target=look, args=pair, daemon=True) for pair in CHECKS.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    told = dict(found)
    return JsonResponse(told, status=200 if set(told.values()) == {"ok"} else 503)
