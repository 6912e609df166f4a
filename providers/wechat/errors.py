"""WeChat's codes and what they mean: one table per speaker, and the function that raises by it.

Everything comes as HTTP 200 with a code in the body, and one number means different things to different calls: 40001
is a stale token everywhere but at the token call itself, where it is a wrong secret.

Source: seed 001; "Return Codes"; "getAccessToken"; "getStableAccessToken"; "cancelOrder"; "getOrder";
"invokeCloudFunction"; developers' community (9300501, 9300528, 930557, 930561, 930563, 9909001).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

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
from providers.wechat import advice
from providers.wechat.notation import Said, plain, said_in
from providers.wire import Answer, undocumented

# The token is at fault and the call did not run; a fresh one and one repetition are safe.
# Source: "Return Codes"; the dossier's decision order (token family before everything else).
STALE = frozenset({40001, 40014, 41001, 42001})
DAILY, MINUTE = 45009, 45011
CANCELLED_BEFORE = 9300524
# A waybill refused with one of these may be cancelled already: the refusal does not say, so we look.
LOOK_AFTER = frozenset({"9300501", "9300506", str(CANCELLED_BEFORE)})

_CHINA = timedelta(hours=8)
_ELSEWHERE = (301, 302, 303, 307, 308, 404, 405, 410)


class Speaker(Enum):
    """Whose code it is."""

    EXPRESS = "the express calls"
    TOKEN = "the token calls"  # noqa: S105 - a name, not a token
    CLOUD = "the way to a cloud function"
    FUNCTION = "the cloud function"


@dataclass(frozen=True)
class Meaning:
    """What one code means; ``kind`` is raised as it is, but doubt on a read is ``Unreachable``."""

    kind: type[ProviderError]
    advice: Advice
    cause: Cause | None = None


_ANY = {
    -1: Meaning(OutcomeUnknown, advice.SYSTEM),
    40001: Meaning(AuthFailed, advice.STALE, Cause.KEYS),
    40014: Meaning(AuthFailed, advice.STALE, Cause.KEYS),
    41001: Meaning(AuthFailed, advice.STALE, Cause.KEYS),
    42001: Meaning(AuthFailed, advice.STALE, Cause.KEYS),
    40033: Meaning(Rejected, advice.OUR_FAULT),
    43001: Meaning(Rejected, advice.OUR_FAULT),
    43002: Meaning(Rejected, advice.OUR_FAULT),
    44002: Meaning(Rejected, advice.OUR_FAULT),
    47001: Meaning(Rejected, advice.OUR_FAULT),
    DAILY: Meaning(RateLimited, advice.DAILY_QUOTA),
    MINUTE: Meaning(RateLimited, advice.MINUTE_QUOTA),
    45035: Meaning(AuthFailed, advice.NOT_LISTED, Cause.IP),
    61004: Meaning(AuthFailed, advice.NOT_LISTED, Cause.IP),
    48001: Meaning(AuthFailed, advice.NO_LOGISTICS, Cause.PERMISSION),
    48004: Meaning(AuthFailed, advice.BANNED, Cause.PERMISSION),
    50002: Meaning(AuthFailed, advice.LIMITED, Cause.PERMISSION),
}
_WAYBILL = {
    -1: Meaning(OutcomeUnknown, advice.SYSTEM),
    40003: Meaning(Rejected, advice.NO_BUYER),
    40199: Meaning(Rejected, advice.NO_WAYBILL),
    930557: Meaning(OutcomeUnknown, advice.COURIER_FAULT),
    930561: Meaning(Rejected, advice.BAD_DATA),
    930563: Meaning(Rejected, advice.NO_ORDER),
    9300501: Meaning(Rejected, advice.COURIER_REFUSED),
    9300503: Meaning(Rejected, advice.NO_COURIER),
    9300506: Meaning(Rejected, advice.MOVING),
    CANCELLED_BEFORE: Meaning(OutcomeUnknown, advice.PERHAPS_BEFORE),
    9300526: Meaning(Rejected, advice.TOO_LONG),
    9300528: Meaning(Rejected, advice.WRONG_WAYBILL),
    # Numbers known from calls we do not make (order/add, clear_quota): whatever they mean here, it is not a refusal.
    48006: Meaning(OutcomeUnknown, advice.MISPLACED),
    9300522: Meaning(OutcomeUnknown, advice.MISPLACED),
    9909001: Meaning(OutcomeUnknown, advice.MISPLACED),
}
TABLES: dict[Speaker, dict[int, Meaning]] = {
    Speaker.EXPRESS: {**_ANY, **_WAYBILL},
    Speaker.TOKEN: {
        **_ANY,
        40001: Meaning(AuthFailed, advice.BAD_SECRET, Cause.KEYS),
        40002: Meaning(AuthFailed, advice.WRONG_GRANT, Cause.SETTINGS),
        40013: Meaning(AuthFailed, advice.BAD_APPID, Cause.KEYS),
        40125: Meaning(AuthFailed, advice.BAD_SECRET, Cause.KEYS),
        40164: Meaning(AuthFailed, advice.NOT_LISTED, Cause.IP),
        40243: Meaning(AuthFailed, advice.FROZEN, Cause.KEYS),
        41002: Meaning(AuthFailed, advice.KEYS_EMPTY, Cause.SETTINGS),
        41004: Meaning(AuthFailed, advice.KEYS_EMPTY, Cause.SETTINGS),
        89503: Meaning(AuthFailed, advice.CONFIRM_IP, Cause.IP),
        # Assumed: these four are known by number only.
        50004: Meaning(AuthFailed, advice.NO_TOKEN, Cause.KEYS),
        50007: Meaning(AuthFailed, advice.NO_TOKEN, Cause.KEYS),
        89506: Meaning(AuthFailed, advice.CONFIRM_IP, Cause.IP),
        89507: Meaning(AuthFailed, advice.CONFIRM_IP, Cause.IP),
    },
    Speaker.CLOUD: {
        **_ANY,
        -1000: Meaning(OutcomeUnknown, advice.SYSTEM),
        40101: Meaning(AuthFailed, advice.CLOUD_PARAMETER, Cause.SETTINGS),
        85088: Meaning(AuthFailed, advice.NO_CLOUD, Cause.SETTINGS),
    },
    Speaker.FUNCTION: {
        **_WAYBILL,
        -2: Meaning(AuthFailed, advice.OLD_FUNCTION, Cause.SETTINGS),
        # Source: CloudBase documents, "-604101": a call that config.json does not name is not made.
        -604101: Meaning(AuthFailed, advice.FUNCTION_DENIED, Cause.PERMISSION),
    },
}
_UNLISTED = {Speaker.TOKEN: Meaning(AuthFailed, advice.NO_TOKEN, Cause.KEYS)}


def raise_for(answer: Answer, speaker: Speaker, *, now: datetime, clean: Callable[[str], str] = str) -> Said:
    """Return what was said where its code is 0, else raise what the code means.

    Args:
        now: Aware UTC, to tell when a daily quota begins anew.
        clean: Blots secrets out of WeChat's words.

    Raises:
        ProviderError: See :func:`judge`.
    """
    return judge(answer, said_in(answer), speaker, now=now, clean=clean)


def judge(
    answer: Answer, said: Said | None, speaker: Speaker, *, now: datetime, clean: Callable[[str], str] = str
) -> Said:
    """Return what was said where its code is 0.

    Args:
        said: What stands in the answer; ``None`` when that is nothing documented.

    Raises:
        ProviderError: The table's; for a code that is not listed there, or no code at all, doubt on a write and
            ``Unreachable`` on a read. A token call with an unlisted code is a refusal.
    """
    if said is None:
        raise _unreadable(answer)
    if said.code == 0:
        return said
    code, words, handle = str(said.code), clean(_words(said.body, said.message)), said.request_id
    meaning = TABLES[speaker].get(said.code) or _UNLISTED.get(speaker)
    if meaning is None:
        raise undocumented(answer, code, words, handle)
    if meaning.kind is RateLimited:
        wait = 60.0 if said.code == MINUTE else seconds_to_tomorrow(now)
        raise RateLimited(code, words, retry_after=wait, advice=meaning.advice, request_id=handle)
    if meaning.kind is OutcomeUnknown and not answer.write:
        raise Unreachable(code, words, advice=advice.BUSY, cause=Cause.PLATFORM, request_id=handle)
    raise meaning.kind(code, words, advice=meaning.advice, cause=meaning.cause, request_id=handle)


def seconds_to_tomorrow(now: datetime) -> float:
    """Return the seconds until the daily quota begins anew. Assumed: at midnight in China."""
    there = now.astimezone(UTC) + _CHINA
    midnight = there.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return (midnight - there).total_seconds()


def _words(body: Any, message: str) -> str:
    """Return WeChat's words and, where there are any, the courier's."""
    courier = ": ".join(filter(None, (plain(body.get("delivery_resultcode")), plain(body.get("delivery_resultmsg")))))
    return " · ".join(filter(None, (message, courier)))


def _unreadable(answer: Answer) -> ProviderError:
    if not answer.write and (answer.status in _ELSEWHERE or (answer.status == 200 and "html" in answer.content_type)):
        word = f"not WeChat's API (status {answer.status})"
        return Unreachable("address", word, advice=advice.WRONG_ADDRESS, cause=Cause.SETTINGS)
    code = "unreadable" if answer.status == 200 else f"http-{answer.status}"
    return undocumented(answer, code, f"an answer with status {answer.status} that holds no code of WeChat's")
