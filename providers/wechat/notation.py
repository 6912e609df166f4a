"""WeChat's JSON: written as raw UTF-8, and read strictly where an answer decides about a cancel.

Nothing here knows what a code means; it says what stands there, or ``None`` when it is not of a known shape.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from providers.wire import Answer

_RID = re.compile(r"\brid:\s*([0-9A-Za-z]+(?:-[0-9A-Za-z]+)+)")
_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")


@dataclass(frozen=True)
class Said:
    """One object WeChat, or a cloud function, answered with.

    Attributes:
        code: ``errcode`` (``errCode``); on a read 0 also where it is left out.
        message: ``errmsg`` (``errMsg``), never compared: real ones end in a support handle.
        body: The whole object, its keys as the HTTPS calls spell them.
    """

    code: int
    message: str
    body: Mapping[str, Any]

    @property
    def request_id(self) -> str:
        """The handle for a support case (``rid``), or ""."""
        found = _RID.search(self.message)
        return found[1] if found else ""


def write_json(value: Mapping[str, Any]) -> bytes:
    """Return a body: UTF-8 as it is, for WeChat refuses ``\\u`` escapes (40033)."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")  # two readers could read two different answers
    return found


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def read_object(raw: bytes | str) -> dict[str, Any] | None:
    """Return a JSON object, or ``None``. Raw control characters are allowed, for real answers have them."""
    try:
        text = raw if isinstance(raw, str) else raw.decode("utf-8")
        value = json.loads(
            text, strict=False, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_once
        )
    except (ValueError, ArithmeticError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def said_in(answer: Answer) -> Said | None:
    """Return what WeChat said, or ``None``.

    Assumed: an answer to a cancel is ``application/json``; the documents do not name the type, so on reads any body
    that is JSON will do.
    """
    if answer.status != 200 or (answer.write and answer.content_type != "application/json"):
        return None
    return _said(read_object(answer.body), "errcode", "errmsg", strict=answer.write)


def said_by_function(outer: Said, *, strict: bool) -> Said | None:
    """Return what a cloud function said inside WeChat's answer, its keys respelt, or ``None``.

    Source: "invokeCloudFunction" (``resp_data`` is text made by the function); seed 001, Cloud Call.
    """
    raw = outer.body.get("resp_data")
    value = read_object(raw) if isinstance(raw, str) else None
    if value is None:
        return None
    code, message = value.pop("errCode", None), value.pop("errMsg", None)
    if code is None and not strict:
        code = value.get("errcode")
    try:
        respelt = _snake(value)
    except ValueError:
        return None
    return _said({**respelt, "errcode": code, "errmsg": message}, "errcode", "errmsg", strict=strict)


def _said(value: dict[str, Any] | None, code_key: str, message_key: str, *, strict: bool) -> Said | None:
    if value is None:
        return None
    code, message = value.get(code_key), value.get(message_key)
    if not strict:
        code = 0 if code is None else whole(code)
        message = message if isinstance(message, str) else ""
    if type(code) is not int or not (isinstance(message, str) or (message is None and code != 0)):
        return None  # a good answer always has both; a refusal may be wordless
    return Said(code, plain(message), value)


def _snake(value: Any) -> Any:
    if isinstance(value, list):
        return [_snake(one) for one in value]
    if not isinstance(value, dict):
        return value
    return _once([(_HUMP.sub(r"_\1", key).lower(), _snake(one)) for key, one in value.items()])


def camel(value: Mapping[str, str]) -> dict[str, str]:
    """Return a flat object with its keys as the Cloud Call spells them."""
    return {re.sub(r"_([a-z])", lambda found: found[1].upper(), key): one for key, one in value.items()}


def whole(value: Any) -> int | None:
    """Return a whole number given as number or text, or ``None``."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    try:
        return int(value)
    except ValueError:
        return None


def plain(value: Any) -> str:
    """Return a JSON text or whole number as text fit to keep; "" for everything else."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    return str(value).encode("utf-8", "replace").decode().replace("\x00", "").strip()
