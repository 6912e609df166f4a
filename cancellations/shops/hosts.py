"""Which addresses a shop may talk to: its card's hosts over https, and what ``PLATFORM_HOSTS`` names."""

import re
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from providers.contract import Card

MOST_CHARACTERS = 255
_PLAIN = re.compile(r"[A-Za-z0-9\-._~:/\[\]]+")
_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")


def check_base_url(card: Card, url: str) -> str:
    """Return the address as it is kept: host in lower case, no trailing slash.

    Raises:
        ValidationError: With one sentence that says what is wrong and what is allowed.
    """
    url = url.strip()
    if len(url) > MOST_CHARACTERS:
        raise ValidationError(_("The address is longer than %(most)d characters."), params={"most": MOST_CHARACTERS})
    for mark, what in (("@", _("a user name")), ("?", _("a query")), ("#", _("a fragment"))):
        if mark in url:
            raise ValidationError(_("The address must not hold %(what)s. Leave it out."), params={"what": what})
    scheme, host, port, path = _parts(url)
    name = f"[{host}]" if ":" in host else host
    shown = name if port in (None, 443) else f"{name}:{port}"
    address = f"{scheme}://{name}{f':{port}' if port else ''}{path}"
    if is_named_by_operator(host, port or (443 if scheme == "https" else 80)):
        return address
    if scheme != "https":
        raise ValidationError(_("The address must begin with https://, so that the keys travel encrypted."))
    if port not in (None, 443) or not any(_matches(host, allowed) for allowed in card.hosts):
        raise ValidationError(
            _(
                "%(platform)s is not reached at %(host)s. Allowed: %(allowed)s, "
                "and what the operator names in PLATFORM_HOSTS."
            ),
            params={"platform": _(card.name), "host": shown, "allowed": ", ".join(_shown(one) for one in card.hosts)},
        )
    return address


def is_named_by_operator(host: str, port: int) -> bool:
    """Tell whether exactly this host and port stand in ``PLATFORM_HOSTS``."""
    return f"{host}:{port}" in named_by_operator()


def named_by_operator() -> frozenset[str]:
    """Return the ``host:port`` pairs of ``PLATFORM_HOSTS``, as the wire compares them: without brackets."""
    return frozenset(one.strip().lower().replace("[", "").replace("]", "") for one in settings.PLATFORM_HOSTS)


def is_local(url: str) -> bool:
    """Tell whether a kept address is one of the operator's own, such as a sandbox, and not the platform's."""
    try:
        scheme, host, port, _path = _parts(url)
    except ValidationError:
        return False
    return is_named_by_operator(host, port or (443 if scheme == "https" else 80))


@lru_cache(1000)  # every call to a platform asks again
def _parts(url: str) -> tuple[str, str, int | None, str]:
    wrong = ValidationError(_("This is not a web address. Write it like https://api.example.com."))
    scheme, separator, _rest = url.partition("://")
    if not separator or scheme.lower() not in ("https", "http") or not _PLAIN.fullmatch(url):
        raise wrong
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise wrong from error
    if ":" not in host and not all(_NAME.fullmatch(label) for label in host.split(".")):
        raise wrong
    if parts.netloc.endswith(":") or port == 0:
        raise wrong
    path = parts.path.rstrip("/")
    if "//" in path or any(segment in (".", "..") for segment in path.split("/")):
        raise wrong
    return scheme.lower(), host, port, path


def _matches(host: str, allowed: str) -> bool:
    return host.endswith(allowed) and host != allowed if allowed.startswith(".") else host == allowed


def _shown(allowed: str) -> str:
    return f"*{allowed}" if allowed.startswith(".") else allowed
