"""What a desk's folder must hold nowhere but where it belongs: the keys of its shops, its own, and its buyers' data."""

from pathlib import Path

from providers.registry import PROVIDERS
from providers.world import World


def canaries(folder: Path) -> dict[str, str]:
    """Return what must be found nowhere: text → what it is."""
    found = {}
    for slug, provider in PROVIDERS.items():
        secret = {one.name for one in provider.card.credential if one.kind == "secret"}
        for name, value in provider.sandbox.credential.items():
            if name in secret and value:
                found[str(value)] = f"{slug} {name}"
        for row in provider.sandbox.rows(World(slug, str(folder / "sandbox.sqlite3"))):
            for column in ("buyer_email", "buyer_phone", "buyer_name"):
                value = row.get(column, "")
                if len(value) >= 6 or (value and not value.isascii() and len(value) >= 3):
                    found[value] = f"{slug} {column}"
    for line in (folder / "keys.env").read_text().splitlines():
        name, _, value = line.partition("=")
        found[value.partition(":")[2] or value] = name
    return found


def leaks_in(folder: Path) -> list[str]:
    """Return one line for each canary in the logs, the spool and a database of SQLite's that a desk leaves behind."""
    wanted, found = canaries(folder), []
    assert len(wanted) > 50, "the search has too little to look for to mean anything"
    files = [one for one in folder.rglob("*") if one.is_file() and not one.name.startswith(("sandbox.", "keys.env"))]
    assert any(file.suffix == ".log" and file.stat().st_size > 1000 for file in files), "nothing was logged"
    for file in files:
        text = file.read_bytes().decode("utf-8", "replace")
        found += [f"{what} in {file.name}: …{text[max(0, text.find(one) - 80) : text.find(one) + 20]}…"
                  for one, what in wanted.items() if one in text]  # fmt: skip
    return found
