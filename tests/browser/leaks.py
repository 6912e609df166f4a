"""Looks for every secret and every buyer's data in everything a journey left behind."""

import sqlite3
import subprocess
from collections.abc import Iterator

import redis

from tests.browser.journey import Eyes
from tests.canaries import canaries
from tests.stack import Stack


def places(desk: Stack, eyes: Eyes) -> Iterator[tuple[str, str]]:
    """Yield (place, text) of everything left behind."""
    for number, body in enumerate(eyes.bodies):
        yield f"page {number}", body
    for log in desk.folder.glob("*.log"):
        if log.name != "sandbox.log":
            yield log.name, log.read_text(errors="replace")
    for file in (desk.folder / "spool").glob("**/*"):
        if file.is_file():
            yield f"message {file.name}", file.read_text(errors="replace")
    yield "database", dump(desk)
    if desk.env["BROKER_URL"].startswith("redis"):
        for number in (9, 10):
            server = redis.Redis(db=number)
            for key in server.scan_iter():
                yield f"redis {key!r}", repr(server.dump(key))
    for form in ("csv", "jsonl"):
        yield f"export {form}", desk.manage("export_audit", form).stdout


def dump(desk: Stack) -> str:
    """Return the whole database as text."""
    url = desk.env["DATABASE_URL"]
    if url:
        return subprocess.run(["pg_dump", "--inserts", url], capture_output=True, text=True, check=True).stdout
    with sqlite3.connect(desk.folder / "rescind.sqlite3") as database:
        return "\n".join(database.iterdump())


def leaks_of(desk: Stack, eyes: Eyes) -> list[str]:
    """Return one line for each canary found, with where."""
    wanted, found = canaries(desk.folder), []
    assert len(wanted) > 50, "the search has too little to look for to mean anything"
    assert len(eyes.bodies) > 20, "the journey showed too little to mean anything"
    for place, text in places(desk, eyes):
        found += [f"{what} in {place}: …{text[max(0, text.find(one) - 60) : text.find(one) + 20]}…"
                  for one, what in wanted.items() if one in text]  # fmt: skip
    return found
