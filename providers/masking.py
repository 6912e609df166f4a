"""Masks personal data by the key it stands under, in JSON, XML and forms, whole, nested in one another or cut short.

The values are not known beforehand, so in doubt more is masked than need be.
"""

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote_plus, unquote_plus

BLOT = "▇▇▇"
_QUOTE = r"""(?P<quote>\\*"|&quot;|&\#0*34;|%22)"""
_COLON = r"(?:\s|\+|%20)*(?::|%3A)(?:\s|\+|%20)*"
_BARE = re.compile(r"[^\s,}\]&<]+")
_PAIR = re.compile(r"(^|[?&;])([^=&\s?;]+)=([^&\s;]*)")


class Mask:
    """Blots out what stands under these keys.

    Args:
        keys: Lower-case names, wherever they stand: JSON members, XML elements and attributes, form fields.
    """

    def __init__(self, keys: Iterable[str]) -> None:
        self._keys = frozenset(keys)
        names = "|".join(re.escape(key) for key in sorted(self._keys))
        self._member = re.compile(rf"{_QUOTE}(?:{names})(?P=quote){_COLON}", re.I)
        begin, name, end = "(?:<|&lt;)", rf"(?:[\w.-]+:)?(?:{names})", "(?:>|&gt;)"
        self._element = re.compile(
            rf"({begin}({name})(?:\s[^<>]*)?(?<!/){end})(?!{begin}/)(.+?)({begin}/\2\s*{end}|\Z)", re.I | re.S
        )
        self._attribute = re.compile(rf"""(\s(?:{names})\s*=\s*)("[^"]+"?|'[^']+'?)""", re.I)

    def text(self, text: str) -> str:
        """Return a body with its personal data out; JSON comes back unescaped."""
        try:
            value = json.loads(text, strict=False)
            if isinstance(value, dict | list):
                return json.dumps(self._value(value), ensure_ascii=False)
        except (ValueError, RecursionError):
            pass  # not JSON, or cut short: mask by pattern
        return self._by_pattern(text)

    def query(self, text: str) -> str:
        """Return an address or a form with the values of private fields out."""
        return _PAIR.sub(self._pair, text) if self._keys else text

    def _value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: BLOT if key.lower() in self._keys and one not in (None, "") else self._value(one)
                for key, one in value.items()
            }
        if isinstance(value, list):
            return [self._value(one) for one in value]
        if isinstance(value, str) and any(mark in value for mark in "{[<="):  # another document inside a text
            return self.text(value)
        return value

    def _by_pattern(self, text: str) -> str:
        if not self._keys:
            return text
        text = self._element.sub(rf"\1{BLOT}\4", self._members(text))
        return self.query(self._attribute.sub(rf'\1"{BLOT}"', text))

    def _members(self, text: str) -> str:
        parts, at = [], 0
        for found in self._member.finditer(text):
            if found.start() < at:
                continue  # inside a value that is masked whole
            end = _end_of_value(text, found.end(), found["quote"])
            if text[found.end() : end] not in ("", "null", 2 * found["quote"]):
                parts += [text[at : found.end()], f'"{BLOT}"']
                at = end
        return "".join(parts) + text[at:]

    def _pair(self, found: re.Match[str]) -> str:
        before, name, value = found.groups()
        steps = re.split(r"[\[\].]+", unquote_plus(name).lower())
        if value and any(step in self._keys for step in steps):
            return f"{before}{name}={BLOT}"
        plain = unquote_plus(value)
        if plain.lstrip()[:1] not in ("{", "[", "<"):
            return str(found[0])
        return f"{before}{name}={quote_plus(self.text(plain)).replace(quote_plus(BLOT), BLOT)}"


def _end_of_value(text: str, at: int, quote: str) -> int:
    """Return where the value of a JSON member ends; the end of the text where it is cut short."""
    # An escaped sign is skipped whole where quotes stand bare; where they are escaped themselves, so far as it can be.
    sign = r'\\.|"' if quote == '"' else rf"(?<!\\){re.escape(quote)}"
    if text.startswith(quote, at):
        marks = re.compile(sign, re.S).finditer(text, at + len(quote))
        return next((mark.end() for mark in marks if mark[0] == quote), len(text))
    if text[at : at + 1] not in ("{", "["):
        bare = _BARE.match(text, at)
        return bare.end() if bare else at
    depth, quoted = 0, False
    for mark in re.compile(rf"{sign}|[\[\]{{}}]", re.S).finditer(text, at):
        if mark[0] == quote:
            quoted = not quoted
        elif mark[0] in "[]{}" and not quoted:
            depth += 1 if mark[0] in "[{" else -1
            if depth == 0:
                return mark.end()
    return len(text)
