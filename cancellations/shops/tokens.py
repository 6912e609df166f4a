"""Where platform tokens live: in Django's cache, sealed, shared by all processes of one shop or of one app's shops."""

import hashlib
import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import wraps
from typing import Any, TypeVar

from django.core.cache import cache
from django.db import InterfaceError, OperationalError
from django.utils.translation import gettext_noop
from redis.exceptions import RedisError

from cancellations.shops import vault
from cancellations.shops.models import Credential, Shop
from providers.contract import Card
from providers.errors import Advice, Cause, Unreachable

LOCK_WAIT_SECONDS = 15.0
# Longer than one call may take, so that a lock outlives its owner's refresh and a dead owner blocks nobody for long.
LOCK_SECONDS = 45
_RELEASE_MARGIN_SECONDS = 5.0
_PAUSE_SECONDS = 0.1
_EVERY_SHOP = 0
_AWAY = (RedisError, OSError, OperationalError, InterfaceError)
Value = TypeVar("Value")


class LockBusy(Unreachable, TimeoutError):
    """Another process has been refreshing the token for too long; nothing was sent."""

    default_advice = Advice(
        gettext_noop("The platform's access token is being renewed and this takes too long. We try again by ourselves.")
    )


class TokensAway(Unreachable):
    """The cache does not answer, so no token can be had; nothing was sent."""

    default_advice = Advice(
        gettext_noop("Where the platform's access token is kept does not answer just now. We try again by ourselves.")
    )


def _reachable(act: Callable[..., Value]) -> Callable[..., Value]:
    """Let a cache that is away be a reason to wait, not a fault of this program."""

    @wraps(act)
    def within(*args: Any, **kwargs: Any) -> Value:
        try:
            return act(*args, **kwargs)
        except _AWAY as error:
            raise TokensAway("tokens-away", type(error).__name__, cause=Cause.PLATFORM) from error

    return within


class CachedTokens:
    """The :class:`~providers.contract.TokenStore` of one shop, or of one app's shops.

    Args:
        shop_pk: Tokens open for this shop only; 0 for those of several.
        scope: What the tokens depend on beside the shop: its credential, address and options. When one of these
            changes, the tokens of before are no longer found.
        wait_seconds: How long ``lock`` waits, at most.
    """

    def __init__(self, shop_pk: int, scope: str, wait_seconds: float = LOCK_WAIT_SECONDS) -> None:
        self._shop_pk, self._scope = shop_pk, scope
        self._wait_seconds = min(wait_seconds, LOCK_WAIT_SECONDS)

    @_reachable
    def get(self, name: str) -> str | None:
        """Return the token, or ``None`` when there is none that is fresh, readable and not dropped."""
        found = self._read(name)
        return found[0] if found else None

    @_reachable
    def put(self, name: str, value: str, seconds: float) -> None:
        """Keep a token for so many seconds."""
        if seconds < 1:
            return
        text = json.dumps([value, uuid.uuid4().hex])
        cache.set(self._key(name), vault.seal(text, purpose=self._purpose(name), shop_pk=self._shop_pk), int(seconds))

    @_reachable
    def drop(self, name: str, value: str) -> None:
        """Forget this token, and only this one.

        The cache has no compare-and-delete, so the entry itself stays and its serial number is struck off: a newer
        token put in the meantime has another number and is not touched.
        """
        found = self._read(name)
        if found and found[0] == value:
            cache.set(self._key(name, "struck"), found[1], 30 * 24 * 3600)

    def lock(self, name: str) -> AbstractContextManager[None]:
        """Return a context manager that only one process is inside of.

        Raises:
            LockBusy: On entering, after the wait.
        """
        return self._locked(self._key(name, "lock"))

    @contextmanager
    def _locked(self, key: str) -> Iterator[None]:
        owner, begun = uuid.uuid4().hex, time.monotonic()
        while not self._take(key, owner):
            if time.monotonic() - begun >= self._wait_seconds:
                raise LockBusy("token-busy", "the token is locked by another process", cause=Cause.PLATFORM)
            time.sleep(_PAUSE_SECONDS)
        held_since = time.monotonic()
        try:
            yield
        finally:
            # Close to its end the lock may already be somebody else's between a look and a delete: let it expire.
            fresh = time.monotonic() - held_since < LOCK_SECONDS - _RELEASE_MARGIN_SECONDS
            with suppress(*_AWAY):  # then it expires
                if fresh and cache.get(key) == owner:
                    cache.delete(key)

    @_reachable
    def _take(self, key: str, owner: str) -> bool:
        return bool(cache.add(key, owner, LOCK_SECONDS))

    def _read(self, name: str) -> tuple[str, str] | None:
        key, struck = self._key(name), self._key(name, "struck")
        found = cache.get_many([key, struck])
        if key not in found:
            return None
        try:
            value, number = json.loads(vault.unseal(found[key], purpose=self._purpose(name), shop_pk=self._shop_pk))
        except vault.SealError:
            return None  # sealed under a key that is gone: a token is simply fetched again
        return None if found.get(struck) == number else (value, number)

    def _purpose(self, name: str) -> str:
        return f"token:{self._scope}:{name}"

    def _key(self, name: str, kind: str = "token") -> str:
        digest = hashlib.sha256(f"{self._scope}\n{name}".encode()).hexdigest()
        return f"platform-{kind}:{self._shop_pk}:{digest}"


def tokens_of(
    shop: Shop, card: Card, stored: Credential, credential: Mapping[str, str], wait_seconds: float
) -> CachedTokens:
    """Return the store of a shop's tokens; shops that are one app with the same keys at the same address have one.

    Whoever has other keys of that app, as a secret that was replaced, finds none of their tokens.

    Args:
        credential: What ``stored`` holds, opened. Its fingerprint there may be of an older key of ours than another
            shop's.
    """
    if card.shared_by:
        return CachedTokens(_EVERY_SHOP, _digest(card.slug, vault.fingerprint(credential), shop.base_url), wait_seconds)
    options = json.dumps(shop.options, sort_keys=True)
    return CachedTokens(shop.pk, _digest(stored.fingerprint, shop.base_url, options), wait_seconds)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
