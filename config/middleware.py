"""Headers, incidents, how long a sign-in lasts, language, one's own settings, an expired sign-in in a fragment."""

import ipaddress
import uuid
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect

from cancellations.audit import trail
from cancellations.people import sitting

Respond = Callable[[HttpRequest], HttpResponse]

POLICY = "; ".join(
    (
        "default-src 'none'",
        *(f"{kind}-src 'self'" for kind in ("script", "style", "img", "connect", "font")),
        "form-action 'self'",
        "base-uri 'none'",
        "object-src 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def SecurityHeadersMiddleware(respond: Respond) -> Respond:
    """Send the same strict headers with every answer; a view that says otherwise of its own, and files, keep theirs."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = respond(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return middleware


# Fragments that ask by themselves while a page is open: nobody need sit before it.
POLLED = frozenset({
    "requests:status", "orders:pulls", "orders:imported", "audit:record", "reasons:lists", "batches:progress",
    "batches:batch",
})  # fmt: skip


def SessionLimitsMiddleware(respond: Respond) -> Respond:
    """End a sign-in that was left unused or is too old, and note that the others are used."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if SESSION_KEY in request.session and sitting.is_over(request.session):
            request.session.flush()
        response = respond(request)
        if SESSION_KEY in request.session and not _is_poll(request):
            sitting.note_use(request.session)
        return response

    return middleware


def _is_poll(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and bool(getattr(request, "htmx", False)) and match.view_name in POLLED


def IncidentMiddleware(respond: Respond) -> Respond:
    """Give every request an id that the log, the audit trail and the error page share."""

    def middleware(request: HttpRequest) -> HttpResponse:
        incident = str(uuid.uuid4())
        request.incident = incident  # type: ignore[attr-defined]
        with trail.coming_from(origin_of(request), incident):
            response = respond(request)
        response.headers["X-Incident"] = incident
        return response

    return middleware


def origin_of(request: HttpRequest) -> str:
    """Return the client's IP address; a proxy's word for it only where the settings say that there is one.

    Behind one proxy the last entry is what that proxy saw; all before it is whatever the client claimed.
    """
    address = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        address = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip() or address
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return ""


def LanguageMiddleware(respond: Respond) -> Respond:
    """Speak the language of the cookie, else of the browser; a person's own choice comes after (below)."""

    def middleware(request: HttpRequest) -> HttpResponse:
        language = translation.get_language_from_request(request)
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = respond(request)
        patch_vary_headers(response, ["Accept-Language", "Cookie"])
        response.headers.setdefault("Content-Language", language)
        return response

    return middleware


def PersonMiddleware(respond: Respond) -> Respond:
    """Use the person's language and zone; sign out whoever was deactivated; let no cache keep a signed-in page."""

    def middleware(request: HttpRequest) -> HttpResponse:
        person = request.user
        if not person.is_authenticated:
            if SESSION_KEY in request.session:  # signed in once, and may not any more
                logout(request)
            return respond(request)
        language = person.language if person.language in dict(settings.LANGUAGES) else translation.get_language()
        with translation.override(language), timezone.override(zone_of(person.time_zone)):
            response = respond(request)
        if language:
            response.headers["Content-Language"] = language
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return middleware


def zone_of(name: str) -> ZoneInfo:
    """Return a zone by name; the house's own where there is no such zone."""
    try:
        return ZoneInfo(name or settings.TIME_ZONE)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(settings.TIME_ZONE)


def FragmentMiddleware(respond: Respond) -> Respond:
    """Turn a redirect to the sign-in page inside a fragment into a navigation of the whole page."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = respond(request)
        if not getattr(request, "htmx", False) or response.status_code != 302:
            return response
        door = resolve_url(settings.LOGIN_URL)
        if urlsplit(response.headers["Location"]).path != door:
            return response
        try:
            page = request.htmx.current_url_abs_path  # type: ignore[attr-defined]
        except ValueError:  # what the header holds is no address
            page = None
        return HttpResponseClientRedirect(f"{door}?{urlencode({'next': page})}" if page else door)

    return middleware
