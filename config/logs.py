"""How a line of the log is written: whatever stands in it, it begins no second line."""

import logging

from django.core.exceptions import PermissionDenied, SuspiciousOperation

_MARKS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {
    10: "\\n", 13: "\\r", 9: "\\t", 0x2028: "\\u2028", 0x2029: "\\u2029",
}  # fmt: skip


class OneLine(logging.Formatter):
    """Write control characters of a message out; a traceback follows indented, so that none of it passes for a line."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the line, on one line."""
        return super().formatMessage(record).translate(_MARKS)

    def formatException(self, ei: object) -> str:
        """Return the traceback, each line of it indented; none of a refusal, which its person was told in words."""
        if isinstance(ei, tuple) and isinstance(ei[1], (PermissionDenied, SuspiciousOperation)):
            return ""
        return _indented(super().formatException(ei))  # type: ignore[arg-type]  # typed by logging itself

    def formatStack(self, stack_info: str) -> str:
        """Return the stack, each line of it indented."""
        return _indented(super().formatStack(stack_info))


def _indented(text: str) -> str:
    marks = {code: mark for code, mark in _MARKS.items() if code not in (9, 10)}
    return "\n".join(f"    {line}".translate(marks) for line in text.split("\n"))
