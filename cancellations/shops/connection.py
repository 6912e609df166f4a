"""The way from a shop to its platform: unseal the credential, build the wire, hand out a client.

It must not know what the client is used for.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import httpx
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_noop

from cancellations.schema import asked_for
from cancellations.shops import arming, hosts, vault
from cancellations.shops.models import Credential, Shop
from cancellations.shops.scope import Seen
from cancellations.shops.tokens import tokens_of
from providers import registry
from providers.contract import (
    Cancel,
    Capabilities,
    Card,
    Client,
    OrderQuery,
    Page,
    PlatformOrder,
    PlatformReason,
    Provider,
    Receipt,
    Ref,
)
from providers.errors import Advice, AuthFailed, Cause, ProviderError
from providers.wire import Wire, wire_for

CREDENTIAL = "credential"
Value = TypeVar("Value")

# In-process ways to a platform by base URL: tests put a sandbox here. Empty in production.
TRANSPORTS: dict[str, httpx.BaseTransport] = {}

_WAITS = gettext_noop(
    "This shop's connection is not set up completely. Your request waits and goes by itself once it is mended."
)
_UNKNOWN_PLATFORM = gettext_noop("This version of Rescind does not know the shop's platform. Install one that does.")
_NO_CREDENTIAL = gettext_noop("No keys are stored for this shop. Enter them under “Replace keys”, then check.")
_LOST_KEY = gettext_noop(
    "The shop's keys are sealed under a key that is missing from CREDENTIAL_KEYS. Put it back, or replace them."
)
_BROKEN_SEAL = gettext_noop("The shop's stored keys were altered and cannot be opened. Replace them, then check.")
_KEYS_OF_ELSEWHERE = gettext_noop(
    "These keys were entered for the platform's own address, and are not sent to one the operator named, such as a "
    "sandbox. Enter the keys that belong there under “Replace keys”, or correct the address."
)
_INCOMPLETE = gettext_noop("The stored keys do not fit the shop's settings any more. Replace them, then check.")
_FORBIDDEN_HOST = gettext_noop(
    "The shop's address is not one this platform may be reached at. Correct it, or name it in PLATFORM_HOSTS."
)


@dataclass(frozen=True)
class Connection:
    """A way to one platform for one shop, for one job; it is not shared between threads."""

    client: Client
    wire: Wire
    card: Card
    capabilities: Capabilities

    @property
    def exchanges(self) -> list[dict[str, Any]]:
        """What went over the wire so far, redacted, as plain JSON types."""
        return [one.as_json() for one in self.wire.exchanges]


def provider_of(shop: Shop | Seen) -> Provider:
    """Return the platform folder's door.

    Raises:
        AuthFailed: Cause ``settings``: no such platform in this version.
    """
    provider = registry.PROVIDERS.get(shop.platform)
    if provider is None:
        raise _unusable("unknown-platform", f"no platform is called {shop.platform!r}", _UNKNOWN_PLATFORM)
    return provider


def card_of(shop: Shop | Seen) -> Card:
    """Return the card of a shop's platform. Raises as :func:`provider_of`."""
    return provider_of(shop).card


def rate_of(shop: Shop) -> float:
    """Return how many calls a second a shop may make: what an admin set, else what the card says; 0 for any number."""
    return card_of(shop).calls_per_second if shop.calls_per_second is None else shop.calls_per_second


def capabilities_of(shop: Shop | Seen) -> Capabilities:
    """Return what can be asked of a shop with its options. Raises as :func:`provider_of`."""
    return provider_of(shop).capabilities(shop.options)


def connect(shop: Shop, *, seconds: float | None = None, stored: Credential | None = None) -> Connection:
    """Make a connection; no network is touched.

    Args:
        stored: The shop's credential, where it was read just now.
        seconds: Total deadline of each call; by default ``CALL_SECONDS``.

    Raises:
        AuthFailed: Cause ``settings``: the credential is missing, unreadable or incomplete, the address is not
            allowed, or the database belongs to another installation. Its advice tells the admin what to mend.
    """
    if arming.standing() == arming.Standing.COPY:
        raise _unusable("copy", "the database belongs to another installation", arming.COPY_STEP)
    provider = provider_of(shop)
    card, seconds = provider.card, seconds or settings.CALL_SECONDS
    _check_addresses(shop, card)
    stored = stored or Credential.objects.filter(shop=shop).first()
    if stored is None:
        raise _unusable("no-credential", "no credential is stored", _NO_CREDENTIAL)
    if stays_local(shop, card) and not stored.local:
        raise _unusable("keys-of-elsewhere", "the keys were entered for the platform itself", _KEYS_OF_ELSEWHERE)
    credential = read_credential(stored)
    needed = [one.name for one in card.credential if one.required and asked_for(one, shop.options)]
    if any(not credential.get(name) for name in needed):
        raise _unusable("incomplete-credential", "the stored credential lacks a field", _INCOMPLETE)
    plain = {one.name for one in card.credential if one.kind != "secret"}
    wire = wire_for(
        shop.base_url,
        [value for name, value in credential.items() if name not in plain and value],
        card.private,
        transport=TRANSPORTS.get(shop.base_url),
        local=hosts.named_by_operator(),
        total_seconds=seconds,
    )
    client = provider.open(
        wire=wire,
        options=shop.options,
        credential=credential,
        tokens=tokens_of(shop, card, stored, credential, seconds),
        now=timezone.now,
    )
    return Connection(_Guarded(client, wire), wire, card, provider.capabilities(shop.options))


def read_credential(stored: Credential) -> dict[str, str]:
    """Open a stored credential.

    Raises:
        AuthFailed: Cause ``settings``: it cannot be opened.
    """
    try:
        opened: dict[str, str] = json.loads(vault.unseal(stored.sealed, purpose=CREDENTIAL, shop_pk=stored.shop_id))
    except vault.LostKey as error:
        raise _unusable("lost-key", str(error), _LOST_KEY) from error
    except vault.SealError as error:
        raise _unusable("broken-seal", str(error), _BROKEN_SEAL) from error
    return opened


def stays_local(shop: Shop, card: Card) -> bool:
    """Tell whether one of a shop's addresses is the operator's own, such as a sandbox, and not the platform's."""
    return any(hosts.is_local(address) for address in _addresses(shop, card))


def _addresses(shop: Shop, card: Card) -> tuple[str, ...]:
    further = (shop.options.get(one.name) for one in card.options if one.kind == "url")
    return (shop.base_url, *filter(None, further))


def _check_addresses(shop: Shop, card: Card) -> None:
    """Look at the addresses again: the row may be older than the operator's list, or restored from elsewhere."""
    if shop.base_url in TRANSPORTS:
        return
    try:
        for address in _addresses(shop, card):
            hosts.check_base_url(card, address)
    except ValidationError as error:
        raise _unusable("address", " ".join(error.messages), _FORBIDDEN_HOST) from error


def _unusable(code: str, message: str, advice: str) -> AuthFailed:
    return AuthFailed(code, message, advice=Advice(_WAITS, advice), cause=Cause.SETTINGS)


class ClientFault(Exception):
    """A client stumbled over an answer; says how. Its own words stay behind: they may quote a key or a buyer."""


class _Guarded:
    """The client as everybody gets it: a platform that repeats our keys in an error does not carry them further."""

    def __init__(self, client: Client, wire: Wire) -> None:
        self._client, self._wire = client, wire

    def ping(self) -> None:
        self._call(self._client.ping)

    def list_orders(self, query: OrderQuery) -> Page:
        return self._call(self._client.list_orders, query)

    def get_order(self, ref: Ref) -> PlatformOrder:
        return self._call(self._client.get_order, ref)

    def get_orders(self, refs: Sequence[Ref]) -> tuple[PlatformOrder, ...]:
        return self._call(self._client.get_orders, refs)

    def list_reasons(self) -> tuple[PlatformReason, ...]:
        return self._call(self._client.list_reasons)

    def choices(self, field_name: str) -> tuple[tuple[str, str], ...]:
        return self._call(self._client.choices, field_name)

    def cancel(self, command: Cancel) -> Receipt:
        receipt = self._call(self._client.cancel, command)
        redact = self._wire.redactor.text
        return replace(
            receipt,
            code=redact(receipt.code),
            message=redact(receipt.message),
            request_id=redact(receipt.request_id),
        )

    def _call(self, act: Callable[..., Value], *args: Any) -> Value:
        try:
            return act(*args)
        except ProviderError as error:
            redact = self._wire.redactor.text
            error.code, error.message = redact(error.code)[:64], redact(error.message)
            error.request_id = redact(error.request_id)
            error.args = (f"{error.code}: {error.message}" if error.message else error.code,)
            raise
        except Exception as fault:  # noqa: BLE001 - everybody may log it, so only its kind and place go on
            raise ClientFault(type(fault).__name__).with_traceback(fault.__traceback__) from None
