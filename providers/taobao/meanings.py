"""What each code of the gateway means: which error it is, and what a person should make of it.

Source: the system error codes and sub-codes of TOP (official table, as copied publicly); API调用方法详解.
"""

import re
from dataclasses import dataclass

from providers.errors import Advice, AuthFailed, Cause, OutcomeUnknown, ProviderError, RateLimited, Rejected
from providers.errors import gettext_noop as _


@dataclass(frozen=True)
class Meaning:
    """One row of the table. ``OutcomeUnknown`` stands for "it may have run"; on a read that is Unreachable."""

    error: type[ProviderError]
    advice: Advice
    cause: Cause | None = None


_WAITS = _("This shop's connection to Taobao is broken. Nothing was sent to the order; your request waits.")


def _closed(cause: Cause, admin: str) -> Meaning:
    return Meaning(AuthFailed, Advice(_WAITS, admin), cause)


_SLOW = Meaning(
    RateLimited,
    Advice(
        _("Taobao asked us to call less often. Nothing was done; we try again by ourselves."),
        _("The app's call quota is used up for now. If this happens daily, ask Taobao for a larger quota."),
    ),
    Cause.PLATFORM,
)
_DOUBT = Meaning(
    OutcomeUnknown,
    Advice(
        _("Taobao's own system failed while handling the call; the order may be cancelled or not. Look at it before "
          "anything else; we never ask twice by ourselves.")
    ),
    Cause.PLATFORM,
)  # fmt: skip
_FORM = _closed(
    Cause.SETTINGS,
    _("The gateway does not accept the form of our calls. Check that the base URL is Taobao's current gateway; if it "
      "is, report the code to the developers."),
)  # fmt: skip
_SIGNATURE = _closed(
    Cause.KEYS, _("Taobao does not accept our signature. Copy the App Secret again; it belongs to this very App Key.")
)
_APP_KEY = _closed(
    Cause.KEYS,
    _("Taobao does not know this App Key. Copy it again; check the base URL: sandbox keys work only in the sandbox."),
)
_NO_SESSION = _closed(
    Cause.SETTINGS,
    _("This call needs an authorised user and there is no session key. Authorise the app at Taobao and enter the key."),
)
_NO_SESSION_TO_READ = _closed(
    Cause.PERMISSION,
    _("Taobao wants an authorised user for this call, and there is no session key. Authorise the app and enter the "
      "key; if only reading or listing is refused, switch that off in the shop's options."),
)  # fmt: skip
_SESSION = _closed(
    Cause.KEYS,
    _("The session key has expired or belongs to another app or user. Authorise the app again and enter the new key."),
)
_CLOCK = _closed(
    Cause.CLOCK,
    _("This server's clock is more than ten minutes off Taobao's. Set the clock, then check the connection."),
)
_PACKAGE = _closed(
    Cause.PERMISSION,
    _("The app was not granted this call. Apply for the purchase-order package in the app's console; if only reading "
      "or listing is refused, switch that off in the shop's options."),
)  # fmt: skip
_METHOD = _closed(
    Cause.PERMISSION,
    _("Taobao does not offer this call to the app, or has withdrawn it. Check the app's granted calls; if only reading "
      "or listing is refused, switch that off in the shop's options."),
)  # fmt: skip
_USER = _closed(
    Cause.PERMISSION, _("The authorised user may not make this call. Authorise the app with the purchasing account.")
)
_PARTNER = _closed(Cause.PERMISSION, _("Taobao refuses this app's partner identity. Ask Taobao support to clear it."))
_ADDRESS = _closed(
    Cause.IP, _("This server's public IP address is not on the app's whitelist. Add it in the app's security settings.")
)
_FORBIDDEN = _closed(
    Cause.PERMISSION,
    _("Taobao forbids this app's calls. Look for a notice in the app's console or ask Taobao support."),
)


def _refused(agent: str, admin: str = "") -> Meaning:
    return Meaning(Rejected, Advice(agent, admin))


_MISSING = _refused(
    _("Taobao needs something more for this order. Nothing was done. Check order number and buyer ID, then ask again."),
    _("If both are right, Taobao has changed the call: report the code to the developers."),
)
_INVALID = _refused(
    _("Taobao does not accept the order number or buyer ID. Nothing was done. Compare both with the order at Taobao.")
)
_ABSENT = _refused(
    _("Taobao knows no such order for this buyer. Nothing was done. Check order number and buyer ID, and the shop.")
)
_MISMATCH = _refused(
    _("Order number and buyer ID do not belong together. Nothing was done. Correct the buyer ID and ask again.")
)
_PARAMETERS = _refused(
    _("Taobao refused the values sent for this order. Nothing was done. Check order number and buyer ID.")
)
_CALLER = _refused(
    _("Taobao refused this request and will refuse it again unchanged. Nothing was done. Read its words, and cancel "
      "the order at Taobao or ask for a refund there if it may not be cancelled."),
)  # fmt: skip
_UPLOAD = _refused(_("Taobao could not take what was sent. Nothing was done. Tell your admin the code."))

# A gateway check failed and the call did not run, except where the row says OutcomeUnknown. 40 and 41 refuse
# arguments. 15, 50 and 500 upward are not here: the service behind the gateway spoke, and its sub-code decides.
CODES: dict[int, Meaning] = {
    3: _UPLOAD, 4: _SLOW, 5: _SLOW, 6: _SLOW, 7: _SLOW, 8: _SLOW, 9: _FORM, 10: _DOUBT,
    11: _PACKAGE, 12: _USER, 13: _PARTNER, 21: _FORM, 22: _METHOD, 23: _FORM, 24: _FORM, 25: _SIGNATURE,
    26: _NO_SESSION, 27: _SESSION, 28: _APP_KEY, 29: _APP_KEY, 30: _CLOCK, 31: _CLOCK,
    32: _FORM, 33: _FORM, 34: _FORM, 40: _MISSING, 41: _INVALID, 42: _FORBIDDEN, 43: _PARAMETERS,
}  # fmt: skip

# First match wins. Assumed: a caller-side code (isv) is a refusal, save for a failed service named in one.
_SUB_CODES: tuple[tuple[re.Pattern[str], Meaning], ...] = tuple(
    (re.compile(pattern), meaning)
    for pattern, meaning in (
        (r"isv\.permission-ip-whitelist-limit", _ADDRESS),
        (r"isv\.(invalid-permission|permission-.+)", _PACKAGE),
        (r"isv\.appkey-not-exists", _APP_KEY),
        (r"isv\.missing-parameter(:.*)?", _MISSING),
        (r"isv\.invalid-parameter(:.*)?", _INVALID),
        (r"isv\..+-not-exist(:.*)?", _ABSENT),
        (r"isv\.parameters-mismatch(:.*)?", _MISMATCH),
        (r"isv\..*-service-error(:.*)?", _DOUBT),
        (r"isv\..+", _CALLER),
        # Some of these are not to be retried, by the table; none says whether the order was already touched.
        (r"isp\..+", _DOUBT),
        (r"\d+", _DOUBT),
    )
)


def meaning_of(code: int, sub_code: str, *, write: bool) -> Meaning | None:
    """Return what a refusal means, or ``None`` where the documents do not say.

    Each call is granted by itself: that one which reads wants a session says nothing of the cancel.
    """
    known = CODES.get(code)
    if code in (15, 50) or code >= 500:
        return meaning_of_sub_code(sub_code)
    if known is None:
        return None
    if code in (11, 12, 13) and sub_code == "isv.permission-ip-whitelist-limit":
        return _ADDRESS
    if sub_code.startswith("isp.") and known.error is not RateLimited:
        return _DOUBT  # a gateway check and a failure behind the gateway at once: believe neither
    return _NO_SESSION_TO_READ if known is _NO_SESSION and not write else known


def meaning_of_sub_code(sub_code: str) -> Meaning | None:
    """Return what the service behind the gateway meant, or ``None`` for words of no known family."""
    return next((meaning for pattern, meaning in _SUB_CODES if pattern.fullmatch(sub_code)), None)
