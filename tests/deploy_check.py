"""``manage.py check --deploy`` with the settings of a production, and nothing of this machine's environment."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PRODUCTION = {
    "PATH": os.environ["PATH"],
    "ENV_FILE": os.devnull,
    "SECRET_KEY": "checks-only-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGH",
    "CREDENTIAL_KEYS": "k1:QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=",
    "AUDIT_KEYS": "a1:checks-only-audit-key-0123456789",
    "SEARCH_KEY": "checks-only-search-key-0123456789",
    "ALLOWED_HOSTS": "desk.example.com",
}


def main() -> int:
    """Run the check; its warnings are failures."""
    with tempfile.TemporaryDirectory() as folder:
        env = {**PRODUCTION, "DATA_DIR": folder}
        command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
        return subprocess.run(command, cwd=ROOT, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
