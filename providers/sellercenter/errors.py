"""From an answer to the error taxonomy: only what the platform's table recognises is definite."""

import re

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
from providers.errors import gettext_noop as _
from providers.sellercenter.codes import CODES, OF_CANCEL, Kind, Meaning
from providers.sellercenter.envelope import SUCCESS, Envelope, Unreadable, open_envelope
from providers.wire import Answer, undocumented

_NUMBER = re.compile(r"E?0*([0-9]{1,5})")
_PREFIX = re.compile(r"\s*E0*([0-9]{1,5})\b")
_MOST_WAIT = 86_400

_UNLISTED = Advice(
    _("The platform refused for a reason it does not document; nothing was done. Show its words to an admin."),
    _("Seller Center refused with a code that is not in its lists. Ask the operator what it means."),
)
_READ_FAULT = Advice(_("Seller Center has a fault of its own and cannot show this now. Try again in a few minutes."))
_SHUT_OUT = Advice(
    _("The platform does not let this server in. An admin has to mend the connection."),
    _("The operator turned us away without a reason. Have this server's address allowed, and check the User-Agent."),
)
_ELSEWHERE = Advice(
    _("What answers at this shop's address is not Seller Center. An admin has to correct it."),
    _("The base URL leads to a web page or elsewhere. Enter the address of this operator's Seller Center API."),
)


def raise_for(answer: Answer, action: str) -> Envelope:
    """Return a success's envelope, or raise what the answer means.

    The body is judged first, at any status, because an error inside HTTP 200 is the rule here. On a write a refusal
    counts only under HTTP 200 or 4xx: what comes with another status may be the word of something in between.

    Args:
        action: What was asked, so that another call's answer is not taken for ours.

    Raises:
        ProviderError: One of the taxonomy.
    """
    try:
        envelope = open_envelope(answer)
    except Unreadable as error:
        raise _without_envelope(answer, str(error)) from error
    told = envelope.told("RequestAction")
    if told.casefold() not in ("", action.casefold()):
        raise undocumented(answer, "other-action", f"the answer speaks of {told[:80]}")
    if envelope.kind != SUCCESS:
        raise _refusal(answer, envelope)
    if answer.status != 200 or "ErrorCode" in envelope.head or not told:
        raise undocumented(answer, "odd-success", f"a success that says not what was done, under HTTP {answer.status}")
    return envelope


def label(number: int) -> str:
    """Return a code as the platform prints it: ``E028``."""
    return f"E{number:03d}"


def _refusal(answer: Answer, envelope: Envelope) -> ProviderError:
    number, message = _number(envelope), envelope.told("ErrorMessage")
    request_id, kind = envelope.told("RequestId"), envelope.told("ErrorType")
    if number is None:
        return undocumented(answer, "no-code", message, request_id)
    code = label(number)
    sound = kind in ("Sender", "Platform") and (answer.status == 200 or 400 <= answer.status < 500)
    if answer.write and not sound:
        return undocumented(answer, code, message, request_id)
    meaning, ours = CODES.get(number), number in OF_CANCEL or not answer.write
    if kind != "Sender" and (meaning is None or not ours):
        return undocumented(answer, code, message, request_id)
    if meaning is None:
        return Rejected(code, message, advice=_UNLISTED, request_id=request_id)
    return _error(answer, meaning, code, message, request_id)


def _error(answer: Answer, meaning: Meaning, code: str, message: str, request_id: str) -> ProviderError:
    if meaning.kind is Kind.REFUSED:
        return Rejected(code, message, advice=meaning.advice, request_id=request_id)
    if meaning.kind is Kind.LOCKED_OUT:
        return AuthFailed(code, message, advice=meaning.advice, cause=meaning.cause, request_id=request_id)
    if meaning.kind is Kind.BUSY:
        return RateLimited(
            code, message, retry_after=_retry_after(answer), advice=meaning.advice, request_id=request_id
        )
    if answer.write:
        return OutcomeUnknown(code, message, advice=meaning.advice, cause=Cause.PLATFORM, request_id=request_id)
    return Unreachable(code, message, advice=_READ_FAULT, cause=Cause.PLATFORM, request_id=request_id)


def _number(envelope: Envelope) -> int | None:
    """Return the code, from its field or its text; ``None`` where both are missing or they disagree."""
    field = _NUMBER.fullmatch(envelope.told("ErrorCode"))
    prefix = _PREFIX.match(envelope.told("ErrorMessage"))
    numbers = {int(found[1]) for found in (field, prefix) if found}
    given = envelope.head.get("ErrorCode") not in (None, "")
    return numbers.pop() if len(numbers) == 1 and (field or not given) else None


def _without_envelope(answer: Answer, why: str) -> ProviderError:
    """Judge an answer that is not Seller Center's own. On a write it proves nothing; on a read it may be told apart.

    Assumed: what a bare 401, 403 or 429 means on a read, for the statuses are not documented.
    """
    code = f"http-{answer.status}" if answer.status != 200 else "unreadable"
    if answer.write:
        return undocumented(answer, code, why)
    if answer.status == 429:
        return RateLimited(code, why, retry_after=_retry_after(answer))
    if answer.status in (401, 403):
        return Unreachable(code, why, advice=_SHUT_OUT, cause=Cause.IP)
    page = answer.status == 200 and answer.content_type == "text/html"
    if page or 300 <= answer.status < 400 or answer.status in (404, 405, 410):
        return Unreachable(code, why, advice=_ELSEWHERE, cause=Cause.SETTINGS)
    return Unreachable(code, why, advice=_READ_FAULT, cause=Cause.PLATFORM)


def _retry_after(answer: Answer) -> float | None:
    """Return the seconds asked for; a date or nonsense counts as not said."""
    text = answer.headers.get("retry-after", "").strip()
    return float(min(int(text), _MOST_WAIT)) if re.fullmatch(r"[0-9]{1,9}", text) else None
