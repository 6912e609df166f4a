"""The pretend Seller Center's envelopes, written as JSON or XML with the oddities of the real one."""

import html
import json
import re
from collections.abc import Mapping
from typing import Any

from providers.world import Reply

# Platform's own faults; everything else is the sender's.
_PLATFORM_FAULTS = frozenset({6, 21, 1000})
_NOT_XML = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_success(action: str, timestamp: str, body: Any, *, style: str, flat: bool = False, total: str = "") -> Reply:
    """Return a success.

    Args:
        timestamp: The platform's time as it prints it.
        body: Containers as ``{"Orders": {"Order": [...]}}``; "" for none.
        style: ``JSON`` or ``XML``.
        flat: Whether JSON lists stand one level up, as some operators write them.
        total: TotalCount, for lists.
    """
    head = {"RequestId": "", "RequestAction": action, "ResponseType": "", "Timestamp": timestamp}
    if total:
        head["TotalCount"] = total
    return _write("SuccessResponse", {"Head": head, "Body": body}, style, flat, 200)


def write_error(action: str, code: int, message: str, *, style: str, status: int = 200) -> Reply:
    """Return a refusal: no request id, no time, the code as a bare number in text."""
    head = {
        "RequestAction": action,
        "ErrorType": "Platform" if code in _PLATFORM_FAULTS else "Sender",
        "ErrorCode": str(code),
        "ErrorMessage": message if code == 1000 else f"E{code:03d}: {message}",
    }
    return _write("ErrorResponse", {"Head": head, "Body": ""}, style, False, status)


def _write(kind: str, tree: Mapping[str, Any], style: str, flat: bool, status: int) -> Reply:
    if style == "JSON":
        text = json.dumps({kind: _plain(tree, flat)}, ensure_ascii=False)
        return Reply(status, text.encode("utf-8", "replace"), {"content-type": "application/json; charset=utf-8"})
    text = '<?xml version="1.0" encoding="UTF-8"?>\n' + _element(kind, tree)
    return Reply(status, text.encode("utf-8", "replace"), {"content-type": "application/xml; charset=utf-8"})


def _plain(node: Any, flat: bool) -> Any:
    """All scalars are text, one child is an object, an empty container is ``""``."""
    if isinstance(node, Mapping):
        only = next(iter(node.values())) if len(node) == 1 else None
        if isinstance(only, list):
            if not only:
                return ""
            if flat:
                return [_plain(one, flat) for one in only]
        return {name: _plain(one, flat) for name, one in node.items()}
    if isinstance(node, list):
        return _plain(node[0], flat) if len(node) == 1 else [_plain(one, flat) for one in node]
    return "" if node is None else str(node)


def _element(name: str, node: Any) -> str:
    if isinstance(node, list):
        return "\n".join(_element(name, one) for one in node)
    if isinstance(node, Mapping):
        inside = "\n".join(_element(one, value) for one, value in node.items() if value != [])
        return f"<{name}>\n{inside}\n</{name}>" if inside else f"<{name}/>"
    text = _NOT_XML.sub("", "" if node is None else str(node))
    return f"<{name}>{html.escape(text, quote=False)}</{name}>" if text else f"<{name}/>"
