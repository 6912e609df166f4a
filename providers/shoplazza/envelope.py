"""The wrappings of Shoplazza's answers: what is inside an order, a list, a count or a refusal, whatever is around it.

Nothing here knows what an answer means; it says what is there, or ``None`` when it is not of a known shape.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from providers.wire import Answer


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")  # two readers could read two different answers
    return found


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def parse(answer: Answer) -> dict[str, Any] | None:
    """Return the JSON object of an answer; ``None`` for anything else, however near it comes."""
    if answer.content_type != "application/json":
        return None
    try:
        text = answer.body.decode("utf-8")
        value = json.loads(text, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_once)
    except (ValueError, ArithmeticError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def plain(value: Any) -> str:
    """Return a JSON text or whole number as text fit to keep; "" for everything else."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    return str(value).encode("utf-8", "replace").decode().replace("\x00", "").strip()


def identifier(value: Any) -> str:
    """Return an id exactly as given; "" when it is none. Ids have up to 21 digits and are text everywhere."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    text = str(value)
    return text if text and text == plain(value) else ""


def _inside(value: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Take off the outer wrapping of later versions; ``None`` when it says that something went wrong.

    Source: seed 003; the vendor's command-line client (``code``, ``ok`` and ``data`` around the same content).
    """
    if value is None or value.get("errors") or value.get("error"):
        return None
    if "ok" in value and value["ok"] is not True:
        return None
    if "code" in value and str(value["code"]).lower() != "success":
        return None
    if "data" in value:
        return value["data"] if isinstance(value["data"], dict) else None
    return value


def order_in(value: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return the order of an answer: bare, in ``order``, or in ``data`` around either; always one with an id."""
    inside = _inside(value)
    if inside is not None and "order" in inside:
        inside = inside["order"] if isinstance(inside["order"], dict) else None
    return inside if inside is not None and identifier(inside.get("id")) else None


def orders_in(value: Mapping[str, Any] | None) -> list[Any] | None:
    """Return the rows of a list, unread; a ``null`` list is an empty one."""
    inside = _inside(value)
    if inside is None or "orders" not in inside:
        return None
    rows = inside["orders"]
    return [] if rows is None else rows if isinstance(rows, list) else None


def count_in(value: Mapping[str, Any] | None) -> int | None:
    """Return ``count`` where the answer has one."""
    inside = _inside(value)
    text = plain(inside.get("count")) if inside is not None else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None


def fault_in(value: Mapping[str, Any] | None) -> str | None:
    """Return the words of a refusal, "" when it is wordless (``{}``), ``None`` when it is not shaped like one.

    Source: seed 003 (``errors``, a list, or ``error``, a text); "Order Count" (``{}``).
    Assumed: ``errors`` may be a text, and later versions' ``code`` with ``message`` is meant likewise. A ``message``
    alone is how any gateway speaks, so that is nobody's word.
    """
    if value is None or "order" in value or value.get("data"):
        return None
    words: list[str] = []
    given = [value[key] for key in ("errors", "error") if value.get(key)]
    for one in given:
        texts = one if isinstance(one, list) else [one]
        if not all(isinstance(text, str) for text in texts):
            return None
        words += [plain(text) for text in texts]
    if not given and isinstance(value.get("message"), str) and isinstance(value.get("code"), (str, int)):
        if str(value["code"]).lower() == "success":
            return None
        words.append(f"{plain(value['code'])}: {plain(value['message'])}")
    if words:
        return "; ".join(word for word in words if word)
    return "" if all(key in ("errors", "error") for key in value) else None
