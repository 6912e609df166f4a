"""The pretend WeChat's two token books: plain tokens that end each other, and a stable one that stays."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from providers.world import World

LIFE_SECONDS = 7200
GRACE_SECONDS = 300
RENEW_SECONDS = 300
FORCE_APART_SECONDS = 30
FORCES_A_DAY = 20
SHORTEST = 20


class Refused(Exception):
    """The pretend platform answers with this code; ``more`` stands beside it in the body."""

    def __init__(self, code: int, words: str, **more: Any) -> None:
        super().__init__(code)
        self.code, self.words, self.more = code, words, more


def issue_plain(world: World) -> dict[str, Any]:
    """Make a new plain token; the one before lives a little longer."""
    now, tokens = world.now(), _book(world)
    grace = now + timedelta(seconds=float(world.switches.get("token_grace", GRACE_SECONDS)))
    for token, (kind, ends, dies) in tokens.items():
        if kind == "plain":
            tokens[token] = (kind, ends, min(dies, grace))
    return _new(world, "plain", now)


def issue_stable(world: World, *, force: bool) -> dict[str, Any]:
    """Return the stable token while it is good, or a new one.

    Raises:
        Refused: Forced too soon after the last time, or too often today.
    """
    now = world.now()
    if force:
        forced = [at for at in world.scratch.get("forced", []) if now - at < timedelta(days=1)]
        if len(forced) >= FORCES_A_DAY:
            raise Refused(45009, "reach max api daily quota limit")
        if any(now - at < timedelta(seconds=FORCE_APART_SECONDS) for at in forced):
            raise Refused(45011, "api minute-quota reach limit")
        world.scratch["forced"] = [*forced, now]
    tokens = _book(world)
    current = world.scratch.get("stable", "")
    if current in tokens and not force:
        left = (tokens[current][1] - now).total_seconds()
        if left > RENEW_SECONDS:
            return {"access_token": current, "expires_in": int(left)}
    if current in tokens and force:
        del tokens[current]
    made = _new(world, "stable", now)
    world.scratch["stable"] = made["access_token"]
    return made


def check(world: World, token: str) -> None:
    """Let a call in, or not.

    Raises:
        Refused: The token is missing, malformed, unknown or superseded, or over its life.
    """
    if not token:
        raise Refused(41001, "access_token missing")
    if len(token) < SHORTEST:
        raise Refused(40014, "invalid access_token")
    now, known = world.now(), _book(world).get(token)
    if known is None or (now >= known[2] and known[2] < known[1]):
        raise Refused(40001, "invalid credential, access_token is invalid or not latest")
    if now >= known[1]:
        raise Refused(42001, "access_token expired")


def _book(world: World) -> dict[str, tuple[str, datetime, datetime]]:
    """Token → (kind, when it expires, when it is superseded)."""
    book: dict[str, tuple[str, datetime, datetime]] = world.scratch.setdefault("tokens", {})
    return book


def _new(world: World, kind: str, now: datetime) -> dict[str, Any]:
    life = int(world.switches.get("token_life", LIFE_SECONDS))
    token, ends = f"88_{kind}-{uuid.uuid4().hex}{uuid.uuid4().hex}_-", now + timedelta(seconds=life)
    _book(world)[token] = (kind, ends, ends)
    return {"access_token": token, "expires_in": life}
