"""Shoplazza's refusals → our taxonomy. There are no error codes here: the HTTP status is the code."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from providers.errors import (
    Advice,
    AuthFailed,
    Cause,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
    Rejected,
    Unreachable,
    gettext_noop,
)
from providers.shoplazza.envelope import fault_in, parse
from providers.wire import Answer, undocumented

LONGEST_WAIT_SECONDS = 3600.0
_BROKEN = AuthFailed.default_advice.agent


@dataclass(frozen=True)
class Meaning:
    """What a status means when it comes in the platform's own shape."""

    kind: type[ProviderError]
    advice: Advice
    cause: Cause | None = None
    wordless: bool = False


MEANINGS = {
    400: Meaning(
        Rejected,
        Advice(
            gettext_noop(
                "Shoplazza did not understand the request. Nothing was changed there. Read its answer, and cancel the "
                "order in the store's admin if it cannot wait."
            ),
            gettext_noop("The access token works, so it is the request: check the API version in the shop's settings."),
        ),
        wordless=True,
    ),
    401: Meaning(
        AuthFailed,
        Advice(
            _BROKEN,
            gettext_noop(
                "Shoplazza does not accept the access token. Copy the token of the store's private app again, make "
                "sure it belongs to this very store, and check the connection."
            ),
        ),
        Cause.KEYS,
    ),
    403: Meaning(
        AuthFailed,
        Advice(
            _BROKEN,
            gettext_noop(
                "The access token lacks a scope. Give the private app both read_order and write_order in the store's "
                "admin, then check the connection."
            ),
        ),
        Cause.PERMISSION,
    ),
    404: Meaning(
        Rejected,
        Advice(
            gettext_noop(
                "This store has no such order. Check the order ID and the shop; the order may also have been deleted."
            )
        ),
    ),
    405: Meaning(
        AuthFailed,
        Advice(
            _BROKEN,
            gettext_noop("Shoplazza does not know this call in the API version set for the shop. Set it to 2022-01."),
        ),
        Cause.SETTINGS,
    ),
    406: Meaning(
        Rejected,
        Advice(
            gettext_noop(
                "Shoplazza does not let this order be cancelled in its present state. Look at the order: if it was "
                "shipped or finished, arrange a return or a refund in the store's admin."
            )
        ),
        wordless=True,
    ),
    422: Meaning(
        Rejected,
        Advice(
            gettext_noop(
                "Shoplazza found a value in the request badly formed. Nothing was changed there. Check the order ID "
                "and the reason, then ask again."
            )
        ),
    ),
    429: Meaning(RateLimited, RateLimited.default_advice, wordless=True),
    500: Meaning(
        OutcomeUnknown,
        Advice(
            gettext_noop(
                "Shoplazza had a fault while it worked on this. We look at the order by ourselves to see whether it "
                "was cancelled, and never ask twice."
            )
        ),
    ),
}

KEYS_OR_REQUEST = Advice(
    gettext_noop(
        "Shoplazza refused, and we could not find out whether it was the request or the shop's access token. Nothing "
        "was changed there. Ask an admin to check the connection, then ask again."
    ),
    gettext_noop("Shoplazza answered 400. Check the connection to see whether the access token still works."),
)
INACTIVE = Advice(
    gettext_noop("The store is not active at Shoplazza. Your request waits and goes by itself once it is active."),
    gettext_noop("Shoplazza says that the store is not active. Renew its plan or reopen it; check the connection."),
)
WRONG_ADDRESS = Advice(
    _BROKEN,
    gettext_noop(
        "No Shoplazza API was found at this address. Check the base URL (the store's own, such as "
        "https://my-store.myshoplaza.com) and the API version (2022-01)."
    ),
)
PLACEHOLDER = Advice(
    _BROKEN,
    gettext_noop("The base URL is still the example. Enter the store's own, such as https://my-store.myshoplaza.com."),
)
BAD_VERSION = Advice(
    _BROKEN, gettext_noop("The API version must be a year and a month such as 2022-01. Correct it in the settings.")
)
NO_ID = Advice(gettext_noop("This is no order ID of Shoplazza. Look the order up again; nothing was sent."))
PAGING_IGNORED = Advice(
    Unreachable.default_advice.agent,
    gettext_noop("Shoplazza gives the same page of orders again and again. Set the API version to 2022-01."),
)

# Why an order was refused, by its state just read; the first that fits.
FINISHED = Advice(
    gettext_noop("The order is finished, so Shoplazza no longer cancels it. Arrange a refund in the store's admin.")
)
SHIPPED = Advice(
    gettext_noop(
        "The order has shipped, so Shoplazza no longer cancels it. Ask the carrier to stop the parcel, or arrange a "
        "return and a refund in the store's admin."
    )
)


def request_id(answer: Answer, clean: Callable[[str], str] = str) -> str:
    """Return the platform's handle for a support case, or ""."""
    return clean(answer.headers.get("request-id") or answer.headers.get("x-request-id") or "")


def retry_after(answer: Answer, now: datetime) -> float | None:
    """Return the seconds to wait, at most :data:`LONGEST_WAIT_SECONDS`, or ``None`` when they are not told.

    Assumed: the header is not documented; seconds and an HTTP date are both honoured where it comes.
    """
    text = answer.headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            when = parsedate_to_datetime(text)
            when = when.replace(tzinfo=when.tzinfo or UTC)
            seconds = (when - now).total_seconds()
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    return min(max(seconds, 0.0), LONGEST_WAIT_SECONDS) if math.isfinite(seconds) else None


def refusal(answer: Answer, *, now: datetime, clean: Callable[[str], str] = str) -> ProviderError:
    """Return the one error for an answer other than 200.

    Args:
        now: Aware UTC, to read ``Retry-After`` by.
        clean: Blots secrets out of the platform's words.

    Source: seed 003; "Response status codes"; "Rate limits" (too many requests are not carried out).
    Assumed: 429 may come without a body, for its shape is not documented.
    """
    code, handle = str(answer.status), request_id(answer, clean)
    meaning = MEANINGS.get(answer.status)
    text = "" if answer.status == 429 and not answer.body else fault_in(parse(answer))
    if meaning is None or text is None or not (text or meaning.wordless):
        return undocumented(answer, code, f"undocumented answer with status {code}", handle)
    text = clean(text)
    if meaning.kind is RateLimited:
        return RateLimited(code, text, retry_after=retry_after(answer, now), advice=meaning.advice, request_id=handle)
    if meaning.kind is OutcomeUnknown and not answer.write:
        return Unreachable(code, text, cause=Cause.PLATFORM, request_id=handle)
    return meaning.kind(code, text, advice=meaning.advice, cause=meaning.cause, request_id=handle)


def raise_for(answer: Answer, *, now: datetime, clean: Callable[[str], str] = str) -> None:
    """Raise what an answer means unless its status is 200; the shape of a 200 is the caller's to judge.

    Raises:
        ProviderError: See :func:`refusal`.
    """
    if answer.status != 200:
        raise refusal(answer, now=now, clean=clean)


def keys_refused(refused: ProviderError) -> AuthFailed:
    """Return a 400 as what it is once a plain read was refused too: the token's fault, or the whole store's.

    Source: seed 003 (400 stands for missing or invalid credentials as well as for a bad request).
    """
    advice = INACTIVE if "not active" in refused.message.lower() else MEANINGS[401].advice
    return AuthFailed(refused.code, refused.message, advice=advice, cause=Cause.KEYS, request_id=refused.request_id)
