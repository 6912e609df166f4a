"""Sealing: authenticated encryption under a ring of keys, each token bound to a purpose and a shop.

It knows nothing of databases and pages. Only ``connection``, ``configuring``, ``tokens`` and ``rotate_keys`` use it.
"""

import base64
import binascii
import hashlib
import hmac
import os
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

VERSION = "v1"
KEY_BYTES = 32
NONCE_BYTES = 12
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_FINGERPRINT_PURPOSE = b"rescind: fingerprint of a credential"


class BadKeys(Exception):
    """``CREDENTIAL_KEYS`` cannot be used; the text says which entry and why, never the key."""


class SealError(Exception):
    """A sealed value cannot be opened."""


class LostKey(SealError):
    """It was sealed under a key that is not in ``CREDENTIAL_KEYS``.

    Attributes:
        key_id: The name of the missing key.
    """

    def __init__(self, key_id: str) -> None:
        super().__init__(f"sealed under the key {key_id!r}, which is not among CREDENTIAL_KEYS")
        self.key_id = key_id


class BrokenSeal(SealError):
    """It was altered, cut, or belongs to another shop or purpose."""

    def __init__(self) -> None:
        super().__init__("the sealed value was altered, or belongs to something else")


def parse_keys(entries: Sequence[str]) -> dict[str, bytes]:
    """Return the keys by id, newest first.

    Args:
        entries: ``id:base64`` texts, each 32 bytes when decoded.

    Raises:
        BadKeys: One of them is malformed, or there is none.
    """
    keys: dict[str, bytes] = {}
    for number, entry in enumerate(entries, 1):
        key_id, colon, encoded = entry.strip().partition(":")
        if not colon or not _KEY_ID.fullmatch(key_id):
            raise BadKeys(f"entry {number} is not of the form id:base64, with an id of letters, digits, - and _")
        if key_id in keys:
            raise BadKeys(f"the key id {key_id!r} is there twice")
        try:
            key = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError) as error:
            raise BadKeys(f"the key {key_id!r} is not base64") from error
        if len(key) != KEY_BYTES:
            raise BadKeys(f"the key {key_id!r} has {len(key)} bytes instead of {KEY_BYTES}")
        keys[key_id] = key
    if not keys:
        raise BadKeys("there is no key")
    return keys


@lru_cache(maxsize=8)
def _ring(entries: tuple[str, ...]) -> dict[str, bytes]:
    return parse_keys(entries)


def _keys() -> dict[str, bytes]:
    return _ring(tuple(settings.CREDENTIAL_KEYS))


def newest_key_id() -> str:
    """Return the id of the key everything is sealed under from now on."""
    return next(iter(_keys()))


def key_id_of(sealed: str) -> str:
    """Return the id of the key a value was sealed under, or "" when it is no sealed value."""
    version, _, rest = sealed.partition(":")
    return rest.partition(":")[0] if version == VERSION else ""


def _bound_to(key_id: str, purpose: str, shop_pk: int) -> bytes:
    return f"{VERSION}\n{key_id}\n{purpose}\n{shop_pk}".encode()


def seal(text: str, *, purpose: str, shop_pk: int) -> str:
    """Return the text as ``v1:key id:base64(nonce + ciphertext)``, sealed under the newest key.

    Args:
        purpose: What it is for (``credential``); it opens only for the same purpose and shop.
    """
    key_id = newest_key_id()
    nonce = os.urandom(NONCE_BYTES)
    closed = AESGCM(_keys()[key_id]).encrypt(nonce, text.encode(), _bound_to(key_id, purpose, shop_pk))
    return f"{VERSION}:{key_id}:{base64.b64encode(nonce + closed).decode()}"


def unseal(sealed: str, *, purpose: str, shop_pk: int) -> str:
    """Return the text that was sealed.

    Raises:
        LostKey: Its key is not in the ring any more.
        BrokenSeal: It was altered, or sealed for something else.
    """
    version, _, rest = sealed.partition(":")
    key_id, colon, encoded = rest.partition(":")
    if version != VERSION or not colon:
        raise BrokenSeal
    key = _keys().get(key_id)
    if key is None:
        raise LostKey(key_id)
    try:
        raw = base64.b64decode(encoded, validate=True)
        opened = AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _bound_to(key_id, purpose, shop_pk))
        return opened.decode()
    except (InvalidTag, ValueError) as error:
        raise BrokenSeal from error


def fingerprint(credential: Mapping[str, str]) -> str:
    """Return 16 hex digits that tell two credentials apart and say nothing of them."""
    newest = _keys()[newest_key_id()]
    key = hmac.new(newest, _FINGERPRINT_PURPOSE, hashlib.sha256).digest()
    parts = b"".join(
        len(part).to_bytes(4, "big") + part
        for name in sorted(credential)
        for part in (name.encode(), credential[name].encode())
    )
    return hmac.new(key, parts, hashlib.sha256).hexdigest()[:16]
