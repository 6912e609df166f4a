"""The access token: one for all processes of an account, renewed under a lock, never more often than it must be.

Source: "getStableAccessToken", "getAccessToken", "access_token" (how it is kept and renewed).
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import urlencode

from providers.contract import TokenStore
from providers.errors import AuthFailed, Cause, Unreachable
from providers.wechat import advice
from providers.wechat.errors import Speaker, raise_for
from providers.wechat.notation import whole, write_json
from providers.wire import Wire, undocumented

EARLY_SECONDS = 300
# Forcing a new stable token: at least so far apart, and so many a day.
FORCE_APART_SECONDS = 30
FORCES_A_DAY = 20
_DAY = 24 * 3600
_LONGEST = 4096


class Tokens:
    """The token of one account.

    The two kinds are separate at WeChat, so they are here. A plain one ends the one before it, and two processes that
    fetch on their own end each other's without end: hence the shared store and its lock.
    """

    def __init__(
        self,
        wire: Wire,
        kind: str,
        credential: Mapping[str, str],
        store: TokenStore,
        now: Callable[[], datetime],
    ) -> None:
        self._wire, self._stable, self._credential, self._store, self._now = (
            wire,
            kind != "plain",
            credential,
            store,
            now,
        )
        self._name = f"{'stable' if self._stable else 'plain'}:{credential.get('appid', '')}"
        self._forces = f"forced:{credential.get('appid', '')}"

    def current(self) -> str:
        """Return the token to use.

        Raises:
            AuthFailed, RateLimited, Unreachable: There is none; nothing was asked of WeChat but a token.
        """
        return self._kept() or self.renewed("")

    def renewed(self, stale: str) -> str:
        """Return another token than the refused one: what somebody else fetched meanwhile, or a new one.

        Raises:
            AuthFailed, RateLimited, Unreachable: As :meth:`current`.
        """
        try:
            with self._store.lock(self._name):
                kept = self._kept()
                if kept and kept != stale:
                    return kept
                if stale:
                    self._store.drop(self._name, stale)
                token, seconds = self._fetch(force=False)
                if stale and token == stale and self._stable:
                    token, seconds = self._forced(stale)
                # Of a short life half is believed; never nothing, or every call would fetch and end the others' token.
                self._store.put(self._name, token, max(seconds - EARLY_SECONDS, seconds / 2))
                return token
        except TimeoutError as error:
            raise Unreachable("token-busy", str(error), advice=advice.TOKEN_BUSY, cause=Cause.PLATFORM) from error

    def condemn(self, token: str) -> None:
        """Forget a token that was refused although it was fresh, unless there is a newer one."""
        self._store.drop(self._name, token)

    def _kept(self) -> str:
        token = self._store.get(self._name) or ""
        if token:
            self._wire.hide(token)
        return token

    def _forced(self, stale: str) -> tuple[str, int]:
        """Make WeChat give up the token it keeps returning, as seldom as it allows.

        Source: "getStableAccessToken" (forced: 20 a day, at least 30 seconds apart).
        """
        now = self._now().timestamp()
        before = [at for at in self._forced_at() if 0 <= now - at < _DAY]
        if len(before) >= FORCES_A_DAY or any(now - at < FORCE_APART_SECONDS for at in before):
            raise AuthFailed("token-refused", "no fresh token to be had now", advice=advice.STALE, cause=Cause.KEYS)
        self._store.put(self._forces, json.dumps([*before, now]), _DAY)
        token, seconds = self._fetch(force=True)
        if token == stale:
            raise AuthFailed("token-refused", "the same token again", advice=advice.STALE, cause=Cause.KEYS)
        return token, seconds

    def _forced_at(self) -> list[float]:
        try:
            times = json.loads(self._store.get(self._forces) or "[]")
            return [float(one) for one in times]
        except (ValueError, TypeError):
            return []

    def _fetch(self, *, force: bool) -> tuple[str, int]:
        """Return a token and the seconds it is still good for."""
        asked = {
            "grant_type": "client_credential",
            "appid": self._credential.get("appid", ""),
            "secret": self._credential.get("secret", ""),
        }
        if self._stable:
            headers = {"Content-Type": "application/json"}
            content = write_json({**asked, "force_refresh": True} if force else asked)
            answer = self._wire.read("POST", "/cgi-bin/stable_token", headers=headers, content=content)
        else:
            answer = self._wire.read("GET", f"/cgi-bin/token?{urlencode(asked)}")
        said = raise_for(answer, Speaker.TOKEN, now=self._now(), clean=self._wire.redactor.text)
        token, seconds = said.body.get("access_token"), whole(said.body.get("expires_in")) or 0
        if not isinstance(token, str) or not _is_token(token) or seconds <= 0:
            raise undocumented(answer, "no-token", "neither a token nor a reason why there is none")
        self._wire.hide(token)
        return token, min(seconds, _DAY)


def _is_token(text: str) -> bool:
    return 0 < len(text) <= _LONGEST and text.isascii() and text.isprintable() and " " not in text
