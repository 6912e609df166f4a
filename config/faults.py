"""When something can't be taken, and when a page breaks: its incident goes to the log and to the person to quote."""

import logging
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseServerError
from django.template import loader
from django.template.defaultfilters import filesizeformat
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.views import defaults

from cancellations.pages import see_other

logger = logging.getLogger(__name__)
MOST_DRAINED = 64 * 1024 * 1024


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer 400; what was larger than is taken leads back to the form it came from, and says so there."""
    if not isinstance(exception, RequestDataTooBig):
        return defaults.bad_request(request, exception)
    drained = 0
    while drained < MOST_DRAINED and (piece := request.read(64 * 1024)):  # else the browser sees a cut line
        drained += len(piece)
    most = filesizeformat(settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0)
    text = _("That was larger than %(most)s, so nothing of it was kept. Hand it in as a file, or in several parts.")
    form = urlsplit(request.headers.get("Referer", ""))
    if form.netloc != request.get_host():
        return HttpResponse(text % {"most": most}, status=413, content_type="text/plain; charset=utf-8")
    messages.error(request, text % {"most": most})
    return see_other(form.path, request)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 without touching the database: it may be what broke."""
    incident = getattr(request, "incident", "")
    match = request.resolver_match
    # The route and not the path: a path may hold a one-time key.
    logger.error("incident %s: %s %s", incident, request.method, (match.route or "/") if match else "?", exc_info=True)
    try:
        page = loader.get_template("500.html").render({"incident": incident})
    except Exception:
        logger.exception("the page that says so cannot be made either")
        page = f"<h1>500</h1><p>{escape(incident)}</p>"
    response = HttpResponseServerError(page)
    response._has_been_logged = True  # type: ignore[attr-defined]  # Django would log it again, with the path
    return response
