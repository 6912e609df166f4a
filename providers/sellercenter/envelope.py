"""The envelope round every Seller Center answer, JSON and XML brought to one structure.

Text stays text, one child is a value and several are a list; what is odd about that is dealt with by
:func:`children`. It must not know what an action means.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element, ParseError  # only the type and the error; parsing is defusedxml's

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from providers.wire import Answer

SUCCESS, ERROR = "SuccessResponse", "ErrorResponse"
# Assumed: the platform's content types are not documented, but a web page is never an answer of the API.
_MEDIA = frozenset({"", "application/json", "text/json", "application/xml", "text/xml", "text/plain"})


class Unreadable(ValueError):
    """The body is no envelope; its text says why, without quoting the body."""


@dataclass(frozen=True)
class Envelope:
    """One answer, opened.

    Attributes:
        kind: :data:`SUCCESS` or :data:`ERROR`.
        head: The head's fields as given.
        body: Whatever stands in the body; ``None``, "" or a mapping where it is well formed.
    """

    kind: str
    head: Mapping[str, Any]
    body: Any

    def told(self, name: str) -> str:
        """Return a field of the head as text, "" where it is missing or no plain value."""
        return text_of(self.head.get(name))


def open_envelope(answer: Answer) -> Envelope:
    """Open an answer's body, whatever the HTTP status and whichever of the two formats it is in.

    Source: "Requests and responses", developers.falabella.com.

    Raises:
        Unreadable: It is not exactly one envelope of the documented shape.
    """
    if answer.content_type not in _MEDIA:
        raise Unreadable(f"content type {answer.content_type[:80]}")
    try:
        text = answer.body.decode("utf-8-sig").strip()
        tree = _from_xml(text) if text.startswith("<") else _from_json(text)
    except (ValueError, ArithmeticError, RecursionError, ParseError, DefusedXmlException) as error:
        raise Unreadable(f"neither JSON nor XML ({type(error).__name__})") from error
    if not isinstance(tree, dict) or len(tree) != 1 or not tree.keys() <= {SUCCESS, ERROR}:
        raise Unreadable("no envelope")
    kind, inner = next(iter(tree.items()))
    if not isinstance(inner, dict) or not isinstance(inner.get("Head"), dict):
        raise Unreadable("an envelope without a head")
    return Envelope(kind, inner["Head"], inner.get("Body"))


def children(node: Any, name: str, depth: int = 4) -> list[Any]:
    """Return the values called ``name`` under a node, in all the shapes the operators write.

    ``{"Order": {…}}``, ``{"Order": […]}``, ``[{…}]``, ``[{"Order": {…}}]``, ``""`` and ``None`` all give a list; what
    is nested deeper than ``depth`` is no such shape and left out.
    """
    if not depth or node in (None, "", {}):
        return []
    if isinstance(node, Mapping) and name in node:
        return children(node[name], name, depth - 1)
    if isinstance(node, list):
        return [one for inner in node for one in children(inner, name, depth - 1)]
    return [node]


def within(node: Any, name: str) -> Any:
    """Return a mapping's field, ``None`` where the node is no mapping or has none."""
    return node.get(name) if isinstance(node, Mapping) else None


def text_of(value: Any) -> str:
    """Return a plain value as clean text: no surrogates, no NUL; "" for anything else."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | Decimal):
        return str(value).encode("utf-8", "replace").decode().replace("\x00", "").strip()
    return ""


def _from_json(text: str) -> Any:
    return json.loads(text, strict=False, parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_once)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _from_xml(text: str) -> dict[str, Any]:
    if "\x00" in text:  # expat would take it for UTF-16, which nobody agreed on
        raise ValueError("a NUL is no XML")
    root = fromstring(text, forbid_dtd=True)
    return {_name(root): _value(root)}


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _value(element: Element) -> Any:
    if not len(element):
        return (element.text or "").strip()
    found: dict[str, Any] = {}
    for child in element:
        name, value = _name(child), _value(child)
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found
