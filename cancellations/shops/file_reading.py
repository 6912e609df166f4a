"""A configuration file while it is judged: knows the line of every key, and collects faults instead of stopping."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

MOST_BYTES = 4 * 1024 * 1024
_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*([\w\"'.\- ]+?)\s*=")
_INNER_KEY = re.compile(r"[{,]\s*([\w\"'-]+)\s*=")

# What leads to a value: ``("shop", 0, "options", "auth")`` is ``auth`` in the ``options`` of the first ``[[shop]]``.
Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong; the line is ``None`` where it stands nowhere."""

    line: int | None
    say: str


class FaultyFile(Exception):
    """The file cannot be used; nothing was changed.

    Attributes:
        faults: All of them, in order of their lines.
    """

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = sorted(faults, key=lambda one: one.line or 0)


def lines_of(text: str) -> dict[Place, int]:
    """Return the line of every key; the parser of the standard library does not tell."""
    known: dict[Place, int] = {}
    counts: dict[str, int] = {}
    table: Place = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            name = tuple(part.strip().strip("\"'") for part in header[2].split("."))
            if header[1] == "[[":
                counts[name[0]] = counts.get(name[0], -1) + 1
                known.setdefault((name[0],), number)
            table = (name[0], counts[name[0]], *name[1:]) if name[0] in counts else name
            known.setdefault(table, number)
        elif key := _KEY.match(line):
            path = (*table, *(part.strip().strip("\"'") for part in key[1].split(".")))
            known.setdefault(path, number)
            for inner in _INNER_KEY.finditer(line, key.end()):
                known.setdefault((*path, inner[1].strip("\"'")), number)
    return known


@dataclass
class Reading:
    """The parsed file and what was found wrong with it so far."""

    document: Mapping[str, Any]
    lines: Mapping[Place, int]
    environ: Mapping[str, str]
    faults: list[Fault] = field(default_factory=list)
    _told: set[Place] = field(default_factory=set)

    def fault(self, path: Place, say: str) -> None:
        """Note a fault at a path, unless one was noted there already."""
        if path in self._told:
            return
        self._told.add(path)
        at = path
        while at and at not in self.lines:
            at = at[:-1]
        self.faults.append(Fault(self.lines.get(at), say))

    def stop_if_faulty(self) -> None:
        """Raise :class:`FaultyFile` when there is any fault."""
        if self.faults:
            raise FaultyFile(self.faults)

    def tables(self, kind: str, known: tuple[str, ...]) -> Iterator[tuple[Place, Mapping[str, Any]]]:
        """Yield the tables of one kind with their paths; keys that are not known are faults."""
        found = self.document.get(kind, [])
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            self.fault((kind,), _("“%(kind)s” must be written as [[%(kind)s]].") % {"kind": kind})
            return
        for index, table in enumerate(found):
            for key in table:
                if key not in known:
                    say = _("“%(key)s” is not a key of [[%(kind)s]]; known are: %(known)s.")
                    self.fault((kind, index, key), say % {"key": key, "kind": kind, "known": ", ".join(known)})
            yield (kind, index), table

    def text(self, at: Place, table: Mapping[str, Any], key: str, *, needed: bool = False) -> str:
        """Return the text of a key, "" when it was left out or is a fault."""
        value = table.get(key)
        if value is None:
            if needed:
                self.fault((*at, key), _("“%(key)s” is missing.") % {"key": key})
            return ""
        if not isinstance(value, str) or not value.strip():
            self.fault((*at, key), _("“%(key)s” must be text in quotes, and not empty.") % {"key": key})
            return ""
        return value.strip()

    def table(self, at: Place, table: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Return an inner table, empty when it was left out or is a fault."""
        value = table.get(key, {})
        if isinstance(value, dict):
            return value
        self.fault((*at, key), _("“%(key)s” must be a table: { … }.") % {"key": key})
        return {}

    def secret(self, path: Place, value: Any) -> Any:
        """Return a value, fetched from the environment where the file says so; ``None`` after a fault."""
        if not isinstance(value, dict):
            return value
        name, key = value.get("env"), path[-1]
        if set(value) != {"env"} or not isinstance(name, str) or not name:
            self.fault(path, _('“%(key)s” must be text, or { env = "NAME" }.') % {"key": key})
            return None
        if not self.environ.get(name):
            say = _("The environment variable %(name)s is not set; “%(key)s” is read from it.")
            self.fault(path, say % {"name": name, "key": key})
            return None
        return self.environ[name]


def read_file(path: Path, environ: Mapping[str, str], kinds: tuple[str, ...]) -> Reading:
    """Read and parse a file that holds ``[[kind]]`` tables.

    Raises:
        FaultyFile: It cannot be read or is not TOML.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise FaultyFile([Fault(None, _("It cannot be read: %(why)s.") % {"why": error.strerror})]) from error
    if len(raw) > MOST_BYTES:
        raise FaultyFile([Fault(None, _("It is larger than 4 MB, so it is hardly a configuration file."))])
    try:
        text = raw.decode("utf-8-sig")
        document = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise FaultyFile([Fault(raw[: error.start].count(b"\n") + 1, _("It is not UTF-8 text."))]) from error
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) if found else raw.count(b"\n") + 1
        raise FaultyFile([Fault(line, _("It is not TOML: %(why)s.") % {"why": error})]) from error
    reading = Reading(document, lines_of(text), environ)
    for key in document:
        if key not in kinds:
            known = ", ".join(f"[[{kind}]]" for kind in kinds)
            reading.fault((key,), _("“%(key)s” is not known; the file holds %(known)s.") % {"key": key, "known": known})
    return reading
