"""When a page breaks: its incident goes to the log with the traceback, and to the person to quote."""

import logging

from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.template import loader

logger = logging.getLogger(__name__)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 without touching the database: it may be what broke."""
    incident = getattr(request, "incident", "")
    match = request.resolver_match
    # The route and not the path: a path may hold a one-time key.
    logger.error("incident %s: %s %s", incident, request.method, (match.route or "/") if match else "?", exc_info=True)
    response = HttpResponseServerError(loader.get_template("500.html").render({"incident": incident}))
    response._has_been_logged = True  # type: ignore[attr-defined]  # Django would log it again, with the path
    return response
