"""Looks for what must be nowhere: in every answer, log line, row, message, exception and file."""

import base64
import html
import json
import logging
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from cancellations.shops.tokens import CachedTokens
from config.logs import OneLine
from providers.errors import ProviderError
from tests.security.ground import tables

LINE = OneLine("%(asctime)s %(levelname)s %(name)s %(message)s")


@dataclass
class Watch:
    """What has been seen, and what must not be in it.

    Attributes:
        secrets: Canary → what it is; each is looked for in every form it may be written in.
        buyers: The same for buyers' data, looked for as text.
        seen: (place, text).
    """

    secrets: dict[str, str] = field(default_factory=dict)
    buyers: dict[str, str] = field(default_factory=dict)
    seen: list[tuple[str, str]] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)

    def begin(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Watch the log at DEBUG, every provider error that is made, and every token that is fetched."""
        watch = self

        class Ear(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                watch.seen.append((f"log {record.name}", LINE.format(record) + repr(record.args)))

        root, ear = logging.getLogger(), Ear(logging.DEBUG)
        monkeypatch.setattr(root, "level", logging.DEBUG)
        monkeypatch.setattr(root, "handlers", [*root.handlers, ear])
        for name in ("django", "django.request", "django.server", "django.db.backends", "cancellations", "celery"):
            monkeypatch.setattr(logging.getLogger(name), "level", logging.DEBUG)
        for name in settings.LOGGING["loggers"]:  # what the settings keep quiet at LOG_LEVEL=DEBUG, too
            assert logging.getLogger(name).getEffectiveLevel() >= logging.WARNING
        made, put = ProviderError.__init__, CachedTokens.put

        def note(error: ProviderError, *args: Any, **more: Any) -> None:
            made(error, *args, **more)
            watch.errors.append(error)

        def keep(tokens: CachedTokens, name: str, value: str, seconds: float) -> None:
            watch.secrets[value] = f"token {name}"
            put(tokens, name, value, seconds)

        monkeypatch.setattr(ProviderError, "__init__", note)
        monkeypatch.setattr(CachedTokens, "put", keep)

    def see(self, place: str, text: object) -> None:
        """Look at one more thing."""
        self.seen.append((place, text if isinstance(text, str) else repr(text)))

    def browse(self, browser: Client, method: str, url: str, *args: Any, **more: Any) -> Any:
        """Send a request and look at its answer, headers included."""
        answer = getattr(browser, method)(url, *args, **more)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        self.see(f"{method} {url}", body.decode("utf-8", "replace") + repr(dict(answer.headers)))
        return answer

    def finish(self, *, files: Path) -> None:
        """Look at everything that is left: rows, files, exceptions."""
        for name, rows in tables().items():
            self.see(f"table {name}", "\n".join(map(repr, rows)))
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM cache")
            self.see("cache", cursor.fetchall())
        for file in files.rglob("*"):
            if file.is_file() and not file.name.startswith("tests.sqlite3"):
                self.see(f"file {file.name}", file.read_bytes().decode("utf-8", "replace"))
        for error in self.errors:
            self.see("exception", f"{error} {error!r} {error.args} {getattr(error, '__notes__', '')} {vars(error)}")
            self.see("traceback", "".join(traceback.format_exception(error)))

    def leaks(self) -> list[str]:
        """Return one line for each canary found, with where."""
        found = []
        wanted = [(form, what) for text, what in self.secrets.items() for form in in_every_form(text)]
        wanted += [(form, what) for text, what in self.buyers.items() for form in as_text(text)]
        for place, text in self.seen:
            for form, what in wanted:
                if form in text:
                    at = text.find(form)
                    found.append(f"{what} in {place}: …{text[max(0, at - 80) : at + 30]!r}…")
        return found


def as_text(text: str) -> set[str]:
    """Return the forms in which a person or a database would read a text."""
    return {text, json.dumps(text)[1:-1], repr(text)[1:-1], html.escape(text), quote(text), quote_plus(text)}


def in_every_form(text: str) -> Iterator[str]:
    """Yield the forms in which a secret may be written, also in the middle of something encoded."""
    yield from as_text(text)
    raw = text.encode()
    yield raw.hex()
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + raw).decode()
        yield whole[(shift * 8 + 5) // 6 : (shift + len(raw)) * 8 // 6]
