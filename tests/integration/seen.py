"""What a person sees of an answer: its words, its forms, its fields, its ids."""

import html
import re
from collections import Counter
from html.parser import HTMLParser
from typing import Any


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.actions: list[str] = []
        self.fields: dict[str, list[str]] = {}
        self.ticked: list[tuple[str, str]] = []
        self.off: set[tuple[str, str]] = set()
        self.links: list[str] = []
        self._select = self._area = ""

    def handle_starttag(self, tag: str, pairs: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in pairs}
        if "id" in facts:
            self.ids.append(facts["id"])
        if tag == "form":
            self.actions.append(facts.get("action", ""))
        if tag == "a":
            self.links.append(facts.get("href", ""))
        name = facts.get("name", "")
        if tag == "input":
            self.fields.setdefault(name, []).append(facts.get("value", ""))
            if "checked" in facts:
                self.ticked.append((name, facts.get("value", "on")))
            if "disabled" in facts:
                self.off.add((name, facts.get("value", "")))
        if tag == "select":
            self._select = name
        if tag == "textarea":
            self._area = name
            self.fields[name] = [""]
        if tag == "option":
            if "selected" in facts:
                self.ticked.append((self._select, facts.get("value", "")))
            if "disabled" in facts:
                self.off.add((self._select, facts.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.fields[self._area] = [(self.fields[self._area][0] + data).lstrip("\n")]


def read(answer: Any) -> _Reader:
    """Take an answer apart."""
    reader = _Reader()
    reader.feed(answer.content.decode())
    return reader


def words(answer: Any) -> str:
    """Return the text of an answer's main part, spaces folded."""
    text = answer.content.decode()
    main = re.search(r"<main.*?</main>", text, re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main.group(0) if main else text)).split())


def doubled_ids(answer: Any) -> list[str]:
    """Return the ids that stand on a page more than once."""
    return [one for one, times in Counter(read(answer).ids).items() if times > 1]
