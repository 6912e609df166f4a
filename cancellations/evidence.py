"""What was sent and answered, made readable; what was blotted out stays visibly so."""

import json
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from providers.exchange import BLOT


def pretty_text(value: Any) -> str:
    """Indent JSON, given as text or as values; any other text stays as it is."""
    if isinstance(value, str):
        text: str = value
        if text.lstrip()[:1] not in ("{", "["):
            return text
        try:
            value = json.loads(value)
        except ValueError:
            return text
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)


def with_blots(text: str) -> SafeString:
    """Escape a text and mark what was blotted out before it was stored."""
    why = gettext("Blotted out before it was stored")
    mark = f'<mark class="redacted" title="{escape(why)}">{BLOT}</mark>'
    return mark_safe(escape(text).replace(BLOT, mark))  # noqa: S308 - escaped in this line
