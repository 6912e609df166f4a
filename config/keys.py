"""Keys of one's own, made once: ``make env`` writes them into a ``.env`` made from ``.env.example``."""

import base64
import secrets
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def fresh_keys() -> dict[str, str]:
    """Return new values for every setting that has no default."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "CREDENTIAL_KEYS": f"k1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        "AUDIT_KEYS": f"a1:{secrets.token_urlsafe(32)}",
        "SEARCH_KEY": secrets.token_urlsafe(32),
    }


def write_env(example: Path, target: Path) -> None:
    """Write the example with its empty keys filled in, readable by its owner only.

    Raises:
        FileExistsError: There is one already; its keys seal what is stored, so it is left alone.
        OSError: It can't be written.
    """
    lines = example.read_text().splitlines()
    for name, value in fresh_keys().items():
        lines[lines.index(f"{name}=")] += value
    target.touch(mode=0o600, exist_ok=False)
    target.write_text("\n".join(lines) + "\n")


def main() -> None:
    """Write ``.env`` beside ``manage.py``."""
    target = ROOT / ".env"
    try:
        write_env(ROOT / ".env.example", target)
    except FileExistsError:
        raise SystemExit(f"{target} is there already, and its keys open what is stored: it was left alone.") from None
    except OSError as error:
        raise SystemExit(f"{target} can't be written ({error.strerror}).") from None
    print(f"{target} is written, with fresh keys. Keep a copy of it in a safe place.")  # noqa: T201 - to a terminal


if __name__ == "__main__":
    main()
