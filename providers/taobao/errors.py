"""The gateway's refusals and the business's, each as one error of the taxonomy. The table is in ``meanings.py``."""

import re
from typing import Any

from providers.errors import Advice, Cause, OutcomeUnknown, RateLimited, Rejected, Unreachable
from providers.errors import gettext_noop as _
from providers.taobao.leaves import text_of
from providers.taobao.meanings import Meaning, meaning_of, meaning_of_sub_code
from providers.wire import Answer, undocumented

# Result codes seen or documented beside a true "success".
GOOD_CODES = frozenset({"", "0", "200", "SUCCESS"})

_BAN = re.compile(r"last for (\d{1,9}) more second")
_READ_FAILED = Advice(
    _("Taobao's own system failed and the order could not be read. Nothing was changed; try again in a moment.")
)
_NOT_CANCELLED = Advice(
    _("Taobao refused to cancel this order and gave its reason. Nothing was done. If it is paid or shipped, ask for a "
      "refund at Taobao instead.")
)  # fmt: skip
_NOT_READ = Advice(
    _("Taobao does not show this order for this buyer. Check order number and buyer ID, and whether it is this shop's.")
)
_UNCLEAR = Advice(
    _("Taobao's answer contradicts itself, so the order may be cancelled or not. We look again where we "
      "can; otherwise check the order at Taobao. We never ask twice.")
)  # fmt: skip


def raise_for(answer: Answer, refusal: Any) -> None:
    """Raise what an ``error_response`` means.

    Args:
        refusal: What stands under that name; ``code`` is a number, or digits in text.

    Raises:
        ProviderError: Always.

    Source: API调用方法详解, error codes; taobao.pc.order.cancel (企业购订单取消), its error sample.
    """
    if not isinstance(refusal, dict):
        raise undocumented(answer, "shape", "the error is not an object")
    digits, sub_code = text_of(refusal.get("code")), text_of(refusal.get("sub_code"))
    words = text_of(refusal.get("sub_msg")) or text_of(refusal.get("msg"))
    request_id = text_of(refusal.get("request_id"))
    if not re.fullmatch(r"[0-9]{1,4}", digits):
        raise undocumented(answer, "shape", "the error has no code")
    label = f"{digits} {sub_code}".strip()
    meaning = meaning_of(int(digits), sub_code, write=answer.write)
    if meaning is None:
        raise undocumented(answer, label, words, request_id)
    _raise(answer, meaning, label, words, request_id)


def _raise(answer: Answer, meaning: Meaning, label: str, words: str, request_id: str) -> None:
    if meaning.error is RateLimited:
        raise RateLimited(label, words, retry_after=_ban_seconds(words), advice=meaning.advice, request_id=request_id)
    if meaning.error is OutcomeUnknown and not answer.write:
        raise Unreachable(label, words, advice=_READ_FAILED, cause=Cause.PLATFORM, request_id=request_id)
    raise meaning.error(label, words, advice=meaning.advice, cause=meaning.cause, request_id=request_id)


def _ban_seconds(words: str) -> float | None:
    """The gateway says how long a ban lasts; a second more makes sure it is over."""
    found = _BAN.search(words)
    return float(found[1]) + 1 if found else None


def raise_unless_successful(answer: Answer, result: Any, request_id: str) -> None:
    """Return only if a result says ``success`` and nothing beside it contradicts.

    Args:
        result: What stands under ``result`` of any purchase-order call.

    Raises:
        Rejected: ``success`` is false.
        OutcomeUnknown: On a write, when success and code contradict each other; Unreachable on a read.
        ProtocolError: On a write, when there is no verdict at all; Unreachable on a read.

    Source: taobao.pc.order.cancel (企业购订单取消), response fields.
    Assumed: ``error_msg`` says nothing about the verdict; the documented success sample has "parameter error" there.
    """
    if not isinstance(result, dict):
        raise undocumented(answer, "shape", "no result", request_id)
    success, code = result.get("success"), result.get("error_code")
    words = text_of(result.get("error_msg"))
    yes, no = success is True or success == "true", success is False or success == "false"
    if not yes and not no:
        raise undocumented(answer, "shape", "no verdict", request_id)
    if isinstance(code, (dict, list, bool)):
        raise undocumented(answer, "shape", "the result code is not text", request_id)
    label, good = text_of(code), text_of(code) in GOOD_CODES
    if yes and good:
        return
    if yes or (label and good):
        raise _unclear(answer, label, words, request_id)
    meaning = meaning_of_sub_code(label)
    if meaning is not None and meaning.error is OutcomeUnknown and not label.isdigit():
        _raise(answer, meaning, label, words, request_id)
    raise Rejected(
        label or "refused", words, advice=_NOT_CANCELLED if answer.write else _NOT_READ, request_id=request_id
    )


def _unclear(answer: Answer, label: str, words: str, request_id: str) -> OutcomeUnknown | Unreachable:
    if answer.write:
        return OutcomeUnknown(f"unclear {label}", words, advice=_UNCLEAR, cause=Cause.PLATFORM, request_id=request_id)
    return Unreachable(f"unclear {label}", words, advice=_READ_FAILED, cause=Cause.PLATFORM, request_id=request_id)
