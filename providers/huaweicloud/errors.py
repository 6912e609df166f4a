"""Huawei Cloud's codes and what they mean: one table, and the functions that raise by it.

Source: "Canceling Orders in the Pending Payment Status", "Error Codes" (API gateway), "Common Errors Related to IAM
Authentication Information".
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

from providers.errors import (
    Advice,
    AuthFailed,
    Cause,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
    Rejected,
    Unreachable,
)
from providers.huaweicloud import advice
from providers.huaweicloud.notation import clean_text, read_json
from providers.wire import Answer, undocumented

WRONG_STATE = "CBC.99005010"
PART_OF_COMBINED = "CBC.99000089"
ACCESS_DENIED = "CBC.0151"
# The gateway allows 15 minutes; a minute less, for the answer's Date is older than our reading of it.
SKEW_SECONDS = 14 * 60
# Not all 4xx say "your request was wrong": these two say that it took too long, and it may have been carried out.
_TIMED_OUT = (408, 499)

_CODES = ("error_code", "errorCode", "code")
_MESSAGES = ("error_msg", "error_message", "errorMsg", "message")


@dataclass(frozen=True)
class Known:
    """What one documented code means; ``kind`` is raised as it is, but doubt on a read is ``Unreachable``."""

    kind: type[ProviderError]
    advice: Advice
    cause: Cause | None = None


# What the gateway itself says in a 4xx never reached the billing service. Its 5xx may have: there we look first.
TABLE: dict[tuple[int, str], Known] = {
    (400, "CBC.0100"): Known(Rejected, advice.PARAMETER),
    (400, WRONG_STATE): Known(Rejected, advice.STATE),
    (400, PART_OF_COMBINED): Known(Rejected, advice.COMBINED),
    (403, ACCESS_DENIED): Known(AuthFailed, advice.DENIED, Cause.PERMISSION),
    (500, "CBC.0999"): Known(OutcomeUnknown, advice.OTHER, Cause.PLATFORM),
    (401, "APIGW.0301"): Known(AuthFailed, advice.SIGNATURE, Cause.KEYS),
    (401, "APIGW.0303"): Known(AuthFailed, advice.SIGNATURE, Cause.KEYS),
    (401, "APIGW.0307"): Known(AuthFailed, advice.TOKEN, Cause.KEYS),
    (403, "APIGW.0302"): Known(AuthFailed, advice.API_DENIED, Cause.PERMISSION),
    (403, "APIGW.0401"): Known(AuthFailed, advice.ADDRESS, Cause.IP),
    (403, "APIGW.0402"): Known(AuthFailed, advice.ADDRESS, Cause.IP),
    (404, "APIGW.0101"): Known(AuthFailed, advice.NO_SUCH_API, Cause.SETTINGS),
    (404, "APIGW.0103"): Known(AuthFailed, advice.NO_BACKEND, Cause.SETTINGS),
    (500, "APIGW.0103"): Known(OutcomeUnknown, advice.GATEWAY, Cause.PLATFORM),
    (400, "APIGW.0201"): Known(Rejected, advice.MALFORMED),
    (413, "APIGW.0201"): Known(Rejected, advice.MALFORMED),
    (504, "APIGW.0201"): Known(OutcomeUnknown, advice.GATEWAY, Cause.PLATFORM),
    (429, "APIGW.0308"): Known(RateLimited, advice.THROTTLED),
    (500, "APIGW.0608"): Known(OutcomeUnknown, advice.GATEWAY, Cause.PLATFORM),
    (503, "APIGW.0608"): Known(OutcomeUnknown, advice.GATEWAY, Cause.PLATFORM),
    (500, "APIGW.0705"): Known(OutcomeUnknown, advice.GATEWAY, Cause.PLATFORM),
    (503, "APIGW.0705"): Known(OutcomeUnknown, advice.GATEWAY, Cause.PLATFORM),
}
_ON_4XX = {code: known for (status, code), known in TABLE.items() if status < 500}
_DOCUMENTED = {code for _, code in TABLE}


@dataclass(frozen=True)
class Refusal:
    """An error in one of Huawei Cloud's own shapes; ``code`` with the gateway's older prefix made the newer one."""

    status: int
    code: str
    message: str
    request_id: str


def read_refusal(answer: Answer) -> Refusal | None:
    """Return what an answer refuses, or ``None`` when it is not an error in Huawei Cloud's own shape."""
    if answer.status < 400 or answer.content_type != "application/json":
        return None
    try:
        value = read_json(answer.body)
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    for one in (value, *(inner for inner in value.values() if isinstance(inner, dict))):
        code, message = _first(one, _CODES), _first(one, _MESSAGES)
        if code and message is not None:
            request_id = _first(value, ("request_id",)) or answer.headers.get("x-request-id", "")
            return Refusal(answer.status, re.sub(r"^APIG\.", "APIGW.", code), message, request_id)
    return None


def _first(value: dict[str, Any], names: tuple[str, ...]) -> str | None:
    found = (value[name] for name in names if name in value)
    texts = (clean_text(str(one)) for one in found if isinstance(one, str | int) and not isinstance(one, bool))
    return next(texts, None)


def refuses_token(answer: Answer) -> bool:
    """Tell whether an answer definitely says that the token is stale, so that nothing was done with it."""
    refusal = read_refusal(answer)
    if not refusal or not 400 <= refusal.status < 500 or refusal.status in _TIMED_OUT:
        return False
    words = refusal.message.lower()
    return (
        refusal.status == 401
        or refusal.code in ("APIGW.0301", "APIGW.0307")
        or ("token" in words and "expired" in words)
    )


def raise_for(answer: Answer, *, now: datetime, signed: bool, blot: Callable[[str], str]) -> NoReturn:
    """Raise what an answer that is no success means.

    Args:
        now: Our clock, to be compared with the answer's ``Date`` when a signature is refused.
        signed: Whether it was signed with an access key; else a token was sent.
        blot: Takes secrets out of the platform's words, which sometimes quote them.

    Raises:
        ProviderError: Always; definite only when status, content type, shape and code are recognised.
    """
    refusal = read_refusal(answer)
    if refusal is None:
        raise undocumented(answer, f"http-{answer.status}", describe(answer))
    message = blot(refusal.message)
    known = _known(refusal)
    if known is None:
        raise undocumented(answer, refusal.code, message, refusal.request_id)
    if known.kind is RateLimited:
        raise RateLimited(
            refusal.code,
            message,
            retry_after=_retry_after(answer),
            advice=known.advice,
            request_id=refusal.request_id,
        )
    if known.kind is AuthFailed:
        known = _refined(known, refusal, signed and _is_off(answer, now), signed)
    kind = Unreachable if known.kind is OutcomeUnknown and not answer.write else known.kind
    raise kind(refusal.code, message, advice=known.advice, cause=known.cause, request_id=refusal.request_id)


def describe(answer: Answer) -> str:
    """Return what an unreadable answer looks like; not its text, for that may hold personal data."""
    return f"HTTP {answer.status}, {answer.content_type or 'no content type'}, {len(answer.body)} bytes"


def _known(refusal: Refusal) -> Known | None:
    if not 400 <= refusal.status < 500:
        return TABLE.get((refusal.status, refusal.code))
    if refusal.status in _TIMED_OUT:
        return None
    if known := TABLE.get((refusal.status, refusal.code)) or _ON_4XX.get(refusal.code):
        return known
    if refusal.code in _DOCUMENTED:  # a code of a 5xx in a 4xx contradicts itself
        return None
    if refusal.status == 401:
        return Known(AuthFailed, advice.SIGNATURE, Cause.KEYS)
    if refusal.status == 429:
        return Known(RateLimited, advice.THROTTLED)
    if refusal.status == 403 and refusal.code.startswith("APIGW."):
        return Known(AuthFailed, advice.API_DENIED, Cause.PERMISSION)
    return Known(Rejected, advice.UNLISTED)


def _refined(known: Known, refusal: Refusal, clock_is_off: bool, signed: bool) -> Known:
    """Tell the many reasons apart that share one code; the words are seen in practice, not documented as stable."""
    words = refusal.message.lower()
    if known.cause is Cause.KEYS:
        if clock_is_off or (signed and ("signature expired" in words or "x-sdk-date" in words)):
            return Known(AuthFailed, advice.CLOCK, Cause.CLOCK)
        if "reach the limit" in words:
            return Known(AuthFailed, advice.LOCKED, Cause.KEYS)
        if not signed:
            return Known(AuthFailed, advice.TOKEN, Cause.KEYS)
    if known.cause is Cause.PERMISSION and re.search(r"\bip\b", words):
        return Known(AuthFailed, advice.ADDRESS, Cause.IP)
    return known


def _is_off(answer: Answer, now: datetime) -> bool:
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", ""))
        return abs((theirs - now).total_seconds()) > SKEW_SECONDS
    except (ValueError, TypeError, OverflowError):
        return False


def _retry_after(answer: Answer) -> float | None:
    text = answer.headers.get("retry-after", "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def raise_for_sign_in(answer: Answer, *, blot: Callable[[str], str]) -> NoReturn:
    """Raise what IAM's answer to a sign-in means.

    Source: "Obtaining a User Token Through Password Authentication". Assumed: the body of a refusal, seen only at a
    sister cloud with the same IAM.

    Raises:
        AuthFailed: Refused; trying the same again is of no use.
        RateLimited: Too many sign-ins.
        Unreachable: Anything else.
    """
    refusal = read_refusal(answer)
    if refusal is None and answer.status == 401:  # whatever its shape: to try again is what locks accounts
        raise AuthFailed("http-401", describe(answer), advice=advice.PASSWORD, cause=Cause.KEYS)
    if refusal is None:
        raise undocumented(answer, f"http-{answer.status}", describe(answer))
    code, message, request_id = refusal.code, blot(refusal.message), refusal.request_id
    if refusal.status == 429:
        raise RateLimited(
            code, message, retry_after=_retry_after(answer), advice=advice.THROTTLED, request_id=request_id
        )
    meaning = {
        400: (advice.SIGN_IN_SETTINGS, Cause.SETTINGS),
        401: (advice.PASSWORD, Cause.KEYS),
        403: (advice.SIGN_IN_DENIED, Cause.IP if re.search(r"\bip\b", message, re.I) else Cause.PERMISSION),
        404: (advice.SIGN_IN_SETTINGS, Cause.SETTINGS),
    }.get(refusal.status)
    if meaning is None:
        raise undocumented(answer, code, message, request_id)
    raise AuthFailed(code, message, advice=meaning[0], cause=meaning[1], request_id=request_id)
