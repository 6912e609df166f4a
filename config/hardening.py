"""What the settings refuse to start with: conveniences of loopback where others can reach the site, and a known key."""

import ipaddress
from collections.abc import Iterator, Sequence

SHORTEST_SECRET = 40  # characters
_GUESSED = ("django-insecure-", "change", "secret", "default", "example")


def is_loopback(host: str) -> bool:
    """Tell whether a host of ``ALLOWED_HOSTS`` is this machine only; a wildcard never is."""
    if host == "localhost" or host.endswith(".localhost"):
        return not host.startswith(".")
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def refusals(*, debug: bool, plain_http: bool, secret_key: str, hosts: Sequence[str]) -> Iterator[str]:
    """Yield why nothing may start with these settings, one sentence each; no key is ever shown."""
    outside = [host for host in hosts if not is_loopback(host)]
    if debug and outside:
        yield f"DEBUG is for loopback only, and ALLOWED_HOSTS names {', '.join(outside)}."
    if plain_http and outside:
        yield f"INSECURE_HTTP is for loopback only, and ALLOWED_HOSTS names {', '.join(outside)}."
    if len(secret_key) < SHORTEST_SECRET or len(set(secret_key)) < 8:
        yield "SECRET_KEY is too short or repeats itself: make one of at least 50 random characters."
    elif secret_key.lower().startswith(_GUESSED):
        yield "SECRET_KEY is a default one: make one of at least 50 random characters."
