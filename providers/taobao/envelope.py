"""Answers of the gateway as plain trees: JSON or XML, slim or not, all read into the same shape.

A tree is made of dicts, lists, text, numbers and booleans; XML knows only dicts, lists and text. What cannot be read
without guessing is no answer at all.
"""

import json
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from providers.taobao.errors import raise_for
from providers.wire import Answer, undocumented

Tree = dict[str, Any]

# Assumed: the JSON media type is not documented; the script types are what older gateways were seen to send.
_JSON_TYPES = frozenset({"application/json", "text/json", "text/javascript", "application/javascript"})
_XML_TYPES = frozenset({"text/xml", "application/xml"})


def envelope_of(method: str) -> str:
    """Return the name of a method's answer: ``taobao.pc.order.cancel`` → ``pc_order_cancel_response``."""
    return method.removeprefix("taobao.").replace(".", "_") + "_response"


def open_envelope(answer: Answer, method: str, wanted: str) -> Tree:
    """Return what stands inside a method's envelope.

    Args:
        wanted: ``json`` or ``xml``, as asked for; a refusal may come in the other one, an answer may not.

    Raises:
        ProviderError: The gateway refused, or this is no documented answer.

    Source: API调用方法详解, the section on answers; taobao.pc.order.cancel (企业购订单取消).
    """
    if answer.status != 200:
        raise undocumented(answer, f"http-{answer.status}")
    form = "json" if answer.content_type in _JSON_TYPES else "xml" if answer.content_type in _XML_TYPES else ""
    if not form:
        raise undocumented(answer, "content-type", answer.content_type)
    tree = _parsed(answer, form)
    name = envelope_of(method)
    if "error_response" in tree:
        if tree.keys() - {"error_response", "request_id"}:
            raise undocumented(answer, "mixed", "an error and an answer in one")
        raise_for(answer, tree["error_response"])
    if form != wanted:
        raise undocumented(answer, "format", f"asked for {wanted}, got {form}")
    inner = tree.get(name) if name in tree else tree if form == "json" else None
    if not isinstance(inner, dict):
        raise undocumented(answer, "shape", f"no {name}")
    return inner


def _parsed(answer: Answer, form: str) -> Tree:
    try:
        text = answer.body.decode("utf-8")
        tree = _json(text) if form == "json" else _xml(text)
    except (ValueError, ParseError, DefusedXmlException, RecursionError) as error:
        raise undocumented(answer, "unreadable", type(error).__name__) from error
    if not isinstance(tree, dict):
        raise undocumented(answer, "shape", "not an object")
    return tree


def _json(text: str) -> Any:
    # Not strict, for raw tabs and line ends were seen inside strings.
    return json.loads(text, strict=False, parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_unique)


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> Tree:
    tree = dict(pairs)
    if len(tree) != len(pairs):
        raise ValueError("a key stands twice")
    return tree


def _xml(text: str) -> Tree:
    if "\x00" in text:  # expat would take it for UTF-16, which nobody agreed on
        raise ValueError("a NUL is no XML")
    root = fromstring(text, forbid_dtd=True)
    return {root.tag: _node(root)}


def _node(element: Element) -> Any:
    children = list(element)
    if not children:
        return (element.text or "").strip()
    names = [child.tag for child in children]
    if len(set(names)) == 1 and len(names) > 1:
        return {names[0]: [_node(child) for child in children]}
    return _unique([(child.tag, _node(child)) for child in children])
