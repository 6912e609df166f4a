"""JSON as Huawei Cloud writes it, read strictly: one meaning per text, or none at all."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any


def read_json(raw: bytes) -> Any:
    """Return the value of a UTF-8 text; numbers with a fraction are ``Decimal``.

    Raises:
        ValueError: Not UTF-8, not JSON, a key stands twice in one object, or a number nobody can mean.
    """
    try:
        return json.loads(
            raw.decode("utf-8"), object_pairs_hook=_object, parse_float=Decimal, parse_constant=_refuse_constant
        )
    except (RecursionError, InvalidOperation) as error:
        raise ValueError(type(error).__name__) from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key stands twice")
    return value


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is not a number")


def clean_text(text: str) -> str:
    """Return text that can be stored anywhere: without NUL, and with "?" for half a character."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
