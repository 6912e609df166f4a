"""System checks: the keys are present and well formed, the operator's hosts and the platforms' cards are; times fit."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ValidationError

from cancellations.shops import vault
from cancellations.shops.hosts import check_base_url
from providers import registry
from providers.contract import Card, Field

SHORTEST_KEY = 16
LEAST_CHECKS = 4
_KEY_ENTRY = re.compile(rf"[A-Za-z0-9_-]{{1,16}}:.{{{SHORTEST_KEY},}}")
_HOST_AND_PORT = re.compile(r"(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):\d{1,5}")
_SLUG = re.compile(r"[a-z][a-z0-9]{1,31}")


@register()
def check_keys(**_kwargs: Any) -> list[CheckMessage]:
    """Look at ``CREDENTIAL_KEYS``, ``AUDIT_KEYS``, ``SEARCH_KEY`` and ``PLATFORM_HOSTS``; no key is ever shown."""
    found: list[CheckMessage] = []
    try:
        vault.parse_keys(settings.CREDENTIAL_KEYS)
    except vault.BadKeys as error:
        hint = "Write id:base64 of 32 random bytes; several are separated by commas, the newest first."
        found.append(Error(f"CREDENTIAL_KEYS: {error}.", hint=hint, id="rescind.E001"))
    if not settings.AUDIT_KEYS or not all(_KEY_ENTRY.fullmatch(one) for one in settings.AUDIT_KEYS):
        hint = f"Write id:secret with at least {SHORTEST_KEY} characters of secret; the newest first."
        found.append(Error("AUDIT_KEYS is missing or malformed.", hint=hint, id="rescind.E002"))
    if len(settings.SEARCH_KEY) < SHORTEST_KEY:
        hint = f"Write at least {SHORTEST_KEY} random characters, and never change them: searches depend on them."
        found.append(Error("SEARCH_KEY is missing or too short.", hint=hint, id="rescind.E003"))
    for entry in sorted(settings.PLATFORM_HOSTS):
        if not _HOST_AND_PORT.fullmatch(entry):
            hint = "Write host:port exactly, as 127.0.0.1:8765."
            found.append(Error(f"PLATFORM_HOSTS: {entry!r} is not host:port.", hint=hint, id="rescind.E004"))
    return found


@register()
def check_times(**_kwargs: Any) -> list[CheckMessage]:
    """See that a call ends before its worker counts as lost, and that an unclear one is looked at ever more seldom."""
    found: list[CheckMessage] = []
    if not 0 < settings.CALL_SECONDS < settings.LEASE_SECONDS:
        hint = "Make LEASE_SECONDS at least three times as long as CALL_SECONDS."
        found.append(Error("CALL_SECONDS is not below LEASE_SECONDS.", hint=hint, id="rescind.E005"))
    if len(settings.CHECK_SECONDS) < LEAST_CHECKS or sorted(settings.CHECK_SECONDS) != settings.CHECK_SECONDS:
        hint = f"Write at least {LEAST_CHECKS} numbers of seconds, each as long as the one before or longer."
        found.append(Error("CHECK_SECONDS is too short, or does not ascend.", hint=hint, id="rescind.E006"))
    return found


@register()
def check_cards(**_kwargs: Any) -> list[CheckMessage]:
    """Look at every registered platform's card."""
    return [
        Error(f"The card of {slug}: {fault}.", id="rescind.E010")
        for slug, provider in registry.PROVIDERS.items()
        for fault in card_faults(slug, provider.card)
    ]


def card_faults(slug: str, card: Card) -> Iterator[str]:
    """Yield what is wrong with a card, each as the end of a sentence."""
    if slug != card.slug or not _SLUG.fullmatch(slug):
        yield f"it is registered as {slug!r} and calls itself {card.slug!r}"
    try:
        if check_base_url(card, card.base_url) != card.base_url:
            yield "its base URL is not written as it is kept"
    except ValidationError as error:
        yield f"its base URL: {' '.join(error.messages)}"
    if not card.lookup or not any(one.identity for one in card.lookup):
        yield "no look-up field says which order is meant"
    if not card.credential:
        yield "it has no credential"
    listed = {one.value for one in card.reasons}
    if card.reason == "listed" and not set(card.reason_defaults.values()) <= listed:
        yield "a default reason is not one of its listed values"
    if any(key != key.lower() for key in card.private):
        yield "its private keys are not all in lower case"
    if card.shared_by and card.shared_by not in {one.name for one in card.credential if one.required}:
        yield "what shares a budget of calls is not a field of its credential that is always there"
    for kind in ("options", "credential", "lookup"):
        yield from _field_faults(kind, getattr(card, kind), card.options)


def _field_faults(kind: str, fields: Sequence[Field], options: Sequence[Field]) -> Iterator[str]:
    names = [one.name for one in fields]
    if len(set(names)) != len(names):
        yield f"two of its {kind} have the same name"
    deciding = {one.name: one for one in options}
    for one in fields:
        if not one.label:
            yield f"{kind}.{one.name} has no label"
        if one.kind == "choice" and one.default not in ("", *dict(one.choices)):
            yield f"the default of {kind}.{one.name} is not among its choices"
        if one.kind == "choice" and not one.choices:
            yield f"{kind}.{one.name} has no choices"
        if kind == "options" and one.kind == "secret":
            yield f"the option {one.name} is a secret; secrets belong to the credential"
        if one.when and one.when[0] not in deciding:
            yield f"{kind}.{one.name} depends on an option that does not exist"
