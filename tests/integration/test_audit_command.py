"""``manage.py audit``: what it prints and how it exits."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from cancellations.audit import anchoring, trail
from cancellations.audit.models import Seal

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)


def audit(*args: Any) -> str:
    out = io.StringIO()
    call_command("audit", *args, stdout=out)
    return out.getvalue()


def write() -> None:
    trail.record("shop.changed", by=trail.WORKER, subject_kind="shop")


def test_seal_head_and_verify_follow_one_another(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Nothing is sealed yet"):
        audit("head")
    write()
    line = audit("seal")
    assert audit("head") == line == anchoring.line_of(Seal.objects.get()) + "\n"
    assert audit("seal") == "Nothing to seal.\n"
    write()
    kept = tmp_path / "kept.txt"
    kept.write_text(line)
    assert audit("verify", "--against", kept).startswith("Whole: 1 events under 1 seals up to ")
    facts = json.loads(audit("verify", "--json", "--against", kept))
    assert (facts["whole"], facts["events"], facts["unsealed"], facts["anchored"]) == (True, 1, 1, 1)


def test_a_broken_record_is_said_and_the_command_fails(tmp_path: Path) -> None:
    write()
    audit("seal")
    kept = tmp_path / "kept.txt"
    kept.write_text("1 2026-01-01T00:00:00+00:00 1 " + "0" * 64 + "\nnot a line\n")
    with pytest.raises(SystemExit) as stopped:
        audit("verify", "--against", kept)
    assert stopped.value.code == 1


def test_a_file_that_is_not_there_is_said() -> None:
    with pytest.raises(CommandError, match="There is no file"):
        audit("verify", "--against", "/nowhere")
