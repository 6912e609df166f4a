"""S20: with a setting that is dangerous or wrong nothing starts, and the last thing said is what to set right."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy_check import PRODUCTION
from tests.stack import ROOT, free_port

GUNICORN, WORKER, BEAT = (
    "gunicorn config.wsgi --no-control-socket",
    "celery -A config worker -P threads",
    "celery -A config beat",
)
BAD = [
    (GUNICORN, {"DEBUG": "true"}, "DEBUG is for loopback only, and ALLOWED_HOSTS names desk.example.com."),
    (GUNICORN, {"INSECURE_HTTP": "true"}, "INSECURE_HTTP is for loopback only, and ALLOWED_HOSTS names desk.example.com."),
    (GUNICORN, {"INSECURE_HTTP": "1", "ALLOWED_HOSTS": "*"}, "INSECURE_HTTP is for loopback only"),
    (GUNICORN, {"SECRET_KEY": "short-canary-1"}, "SECRET_KEY is too short or repeats itself: make one"),
    (GUNICORN, {"SECRET_KEY": "django-insecure-canary-2-0123456789-abcdefghijklmnop"}, "SECRET_KEY is a default one"),
    (GUNICORN, {"SECRET_KEY": "", "SEARCH_KEY": ""}, "Not set: SECRET_KEY, SEARCH_KEY. `make env` writes"),
    (GUNICORN, {"CREDENTIAL_KEYS": "k1:canary-3"}, "CREDENTIAL_KEYS: the key 'k1' is not base64"),
    (GUNICORN, {"PLATFORM_HOSTS": "127.0.0.1"}, "PLATFORM_HOSTS: '127.0.0.1' is not host:port."),
    (WORKER, {"DEBUG": "true"}, "DEBUG is for loopback only"),
    (WORKER, {"CREDENTIAL_KEYS": "k1:canary-7"}, "CREDENTIAL_KEYS: the key 'k1' is not base64"),
    (WORKER, {"CALL_SECONDS": "60"}, "CALL_SECONDS is not below LEASE_SECONDS."),
    (BEAT, {"INSECURE_HTTP": "true"}, "INSECURE_HTTP is for loopback only"),
    (BEAT, {"SEARCH_KEY": "canary-8"}, "SEARCH_KEY is missing or too short"),
]  # fmt: skip


def start(program: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Start one of the desk's programs and wait for its end."""
    name, *rest = program.split()
    command = [str(Path(sys.executable).parent / name), *rest]
    if name == "gunicorn":
        command += ["--bind", f"127.0.0.1:{free_port()}"]
    env = {**PRODUCTION, "DATA_DIR": str(folder), **more}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(("program", "setting", "sentence"), BAD)
def test_S20_nothing_starts_with_a_bad_setting(
    tmp_path: Path, program: str, setting: dict[str, str], sentence: str
) -> None:
    ended = start(program, tmp_path, **setting)
    said = ended.stdout + ended.stderr
    assert ended.returncode != 0, said
    assert sentence in said, said[-2000:]
    assert "Listening at" not in said or "Worker failed to boot" in said
    assert "canary" not in said


def test_S20_a_good_production_starts(tmp_path: Path) -> None:
    ended = start(f"{GUNICORN} --check-config", tmp_path)
    assert ended.returncode == 0, ended.stderr[-2000:]
