"""The two ways of being let in: an access key that signs every request, or a user's token shared by all processes."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from providers.contract import TokenStore
from providers.errors import AuthFailed, Cause, Unreachable
from providers.huaweicloud import advice
from providers.huaweicloud.auth import sign
from providers.huaweicloud.errors import describe, raise_for_sign_in, refuses_token
from providers.huaweicloud.notation import read_json
from providers.huaweicloud.reading import read_time
from providers.wire import Answer, Wire, undocumented

TOKEN, REFUSED = "token", "refused"  # names in the store, not secrets
RENEW_BEFORE_SECONDS = 10 * 60
# Assumed: valid for 24 hours, but of a token whose end cannot be read only this much is believed.
UNTOLD_SECONDS = 60 * 60
LEAST_SECONDS = 60
REMEMBER_REFUSAL_SECONDS = 5 * 60


class Access(Protocol):
    """What a client needs to be let in."""

    @property
    def signed(self) -> bool:
        """Whether requests are signed, so that our clock matters."""

    def admit(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        """Return the headers to send; may raise any :class:`~providers.errors.ProviderError` but a doubtful one."""

    def renew(self, answer: Answer) -> bool:
        """Tell whether the answer is a definite refusal of a stale token, and a fresh one is at hand now."""

    def give_up(self, answer: Answer) -> None:
        """Remember that even a fresh token was refused, if it was."""


@dataclass(frozen=True)
class AccessKey:
    """An access key; every send is signed anew."""

    access_key: str
    secret_key: str = field(repr=False)
    now: Callable[[], datetime]
    signed: bool = True

    def admit(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        if not re.fullmatch(r"[!-~]+", self.access_key):
            raise AuthFailed("access-key", "", advice=advice.BAD_KEY, cause=Cause.KEYS)
        return sign(method, url, headers, body, access_key=self.access_key, secret_key=self.secret_key, at=self.now())

    def renew(self, answer: Answer) -> bool:
        return False

    def give_up(self, answer: Answer) -> None:
        return None


@dataclass
class UserToken:
    """A token fetched with an IAM user's password, kept in the store and renewed under its lock.

    A refused sign-in is kept there too, for five minutes and for these very keys and addresses, so that no number of
    callers can lock the account.

    Source: "Obtaining a User Token Through Password Authentication": valid for 24 hours, and a new token leaves the
    old one alone.
    """

    wire: Wire
    iam_url: str
    credential: Mapping[str, str] = field(repr=False)
    tokens: TokenStore
    now: Callable[[], datetime]
    signed: bool = False
    _used: str = field(default="", repr=False)
    _fresh: str = field(default="", repr=False)

    def admit(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        self._used, self._fresh = self._fresh or self._kept() or self._fetch(stale=""), ""
        return {**headers, "X-Auth-Token": self._used}

    def renew(self, answer: Answer) -> bool:
        if not refuses_token(answer):
            return False
        self._fresh = self._fetch(stale=self._used)
        return True

    def give_up(self, answer: Answer) -> None:
        if refuses_token(answer):
            self._forget(self._used)
            refused = {"code": "token-refused", "why": "token"}
            self.tokens.put(REFUSED, self._sealed(refused), REMEMBER_REFUSAL_SECONDS)

    def _fetch(self, stale: str) -> str:
        """Return a token other than the stale one: somebody else's newer one, or our own.

        Raises:
            AuthFailed: The sign-in is refused, or was so within the last five minutes.
            Unreachable, RateLimited: There is no token just now.
        """
        try:
            with self.tokens.lock(TOKEN):
                kept = self._kept()
                if kept and kept != stale:
                    return kept
                self._heed_refusal()
                if stale:
                    self._forget(stale)
                return self._sign_in()
        except TimeoutError as error:
            raise Unreachable("token-lock", str(error), advice=advice.BUSY_TOKEN, cause=Cause.PLATFORM) from error

    def _kept(self) -> str:
        token = str((self._opened(self.tokens.get(TOKEN)) or {}).get("token", ""))
        if token:
            self.wire.hide(token)
        return token

    def _forget(self, token: str) -> None:
        raw = self.tokens.get(TOKEN)
        if raw and (self._opened(raw) or {}).get("token") == token:
            self.tokens.drop(TOKEN, raw)

    def _heed_refusal(self) -> None:
        refused = self._opened(self.tokens.get(REFUSED))
        if refused:
            meaning = advice.TOKEN if refused.get("why") == "token" else advice.PASSWORD
            raise AuthFailed(
                str(refused.get("code", "refused")),
                str(refused.get("message", "")),
                advice=meaning,
                cause=Cause.KEYS,
            )

    def _sign_in(self) -> str:
        url = f"{self.iam_url.rstrip('/')}/v3/auth/tokens?nocatalog=true"
        answer = self.wire.read("POST", url, headers={"Content-Type": "application/json"}, content=self._question())
        try:
            if answer.status != 201:
                raise_for_sign_in(answer, blot=self.wire.redactor.text)
        except AuthFailed as error:
            if error.cause is Cause.KEYS:  # only wrong passwords are counted towards a lock
                refused = {"code": error.code, "message": error.message, "why": "password"}
                self.tokens.put(REFUSED, self._sealed(refused), REMEMBER_REFUSAL_SECONDS)
            raise
        token = answer.headers.get("x-subject-token", "").strip()
        if len(token) < 16 or not token.isascii() or not token.isprintable() or " " in token:
            raise undocumented(answer, "no-token", describe(answer))
        self.wire.hide(token)
        self.tokens.put(TOKEN, self._sealed({"token": token}), self._seconds(answer.body))
        return token

    def _question(self) -> bytes:
        one = self.credential
        user = {"name": one["user_name"], "password": one["password"], "domain": {"name": one["domain_name"]}}
        # Orders belong to the account, hence its scope. Assumed: the billing service takes project tokens too.
        project = one.get("project_name", "")
        scope = {"project": {"name": project}} if project else {"domain": {"name": one["domain_name"]}}
        identity = {"methods": ["password"], "password": {"user": user}}
        return json.dumps({"auth": {"identity": identity, "scope": scope}}).encode()

    def _seconds(self, body: bytes) -> float:
        try:
            value = read_json(body)
            ends = read_time(value["token"]["expires_at"])
        except (ValueError, KeyError, TypeError):
            ends = None
        left = (ends - self.now()).total_seconds() - RENEW_BEFORE_SECONDS if ends else UNTOLD_SECONDS
        return max(left, LEAST_SECONDS)

    def _sealed(self, value: Mapping[str, str]) -> str:
        return json.dumps({**value, "for": self._fingerprint()})

    def _opened(self, raw: str | None) -> dict[str, Any] | None:
        """Read an entry of the store; one made with other keys or for other addresses is none of ours."""
        try:
            value = json.loads(raw or "")
        except ValueError:
            return None
        return value if isinstance(value, dict) and value.get("for") == self._fingerprint() else None

    def _fingerprint(self) -> str:
        made_of = [
            self.wire.base_url,
            self.iam_url,
            *(f"{name}={self.credential[name]}" for name in sorted(self.credential)),
        ]
        return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()


def access_for(
    wire: Wire,
    options: Mapping[str, Any],
    credential: Mapping[str, str],
    tokens: TokenStore,
    now: Callable[[], datetime],
) -> Access:
    """Return the way in that the shop is set to."""
    if options.get("auth") == "token":
        return UserToken(wire, str(options["iam_url"]), credential, tokens, now)
    return AccessKey(credential["access_key"], credential["secret_key"], now)
