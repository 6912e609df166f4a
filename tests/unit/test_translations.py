"""The Chinese catalogue holds every sentence, says the same placeholders, and is punctuated as Chinese is."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.core.management import call_command

CATALOGUE = "cancellations/locale/zh_Hans/LC_MESSAGES/django.po"
SOURCES = ("cancellations", "config", "providers", "templates")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{ env = \"NAME\" \}|\[\[|\]\]")
HAN = "\u4e00-\u9fff"


def entries() -> list[polib.POEntry]:
    return list(polib.pofile(str(settings.BASE_DIR / CATALOGUE)))


def said(entry: polib.POEntry) -> list[str]:
    """Every Chinese form of an entry."""
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def open_sentences(catalogue: Path) -> list[str]:
    """The sentences of a catalogue that would be shown in English."""
    return [one.msgid for one in polib.pofile(str(catalogue)) if not one.translated()]


def collect(root: Path) -> str:
    """Run ``makemessages`` in a copy of the project and return what the catalogue is afterwards."""
    subprocess.run(
        [sys.executable, "manage.py", "makemessages"],
        cwd=root, check=True, capture_output=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": str(root)},
    )  # fmt: skip
    return (root / CATALOGUE).read_text(encoding="utf-8")


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the project to collect in."""
    for folder in SOURCES:
        shutil.copytree(
            settings.BASE_DIR / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "*.mo")
        )
    (tmp_path / "static").mkdir()
    (tmp_path / "tests").mkdir()
    shutil.copy(settings.BASE_DIR / "manage.py", tmp_path)
    shutil.copy(settings.BASE_DIR / "tests" / "settings.py", tmp_path / "tests")
    return tmp_path


@pytest.mark.gettext
def test_every_sentence_in_the_sources_stands_translated_in_the_catalogue_that_is_kept(copied):
    before = (copied / CATALOGUE).read_text(encoding="utf-8")
    after = collect(copied)
    assert open_sentences(copied / CATALOGUE) == [], "run: make messages, then translate these"
    assert after == before, "run: make messages"


@pytest.mark.gettext
def test_a_new_sentence_is_collected_from_every_place_and_never_guessed(copied):
    known = {one.msgid for one in entries()}
    (copied / "providers" / "fresh.py").write_text(
        "from providers.errors import gettext_noop\nA = gettext_noop('The parcel flew away, quite slowly.')\n"
    )
    (copied / "config" / "fresh.py").write_text(
        "from django.utils.translation import gettext\nB = gettext('It is cancelled already, twice.')\n"
    )
    (copied / "templates" / "fresh.html").write_text('{% translate "Nothing waits for you, and nobody." %}')
    collect(copied)
    assert sorted(set(open_sentences(copied / CATALOGUE)) - known) == [
        "It is cancelled already, twice.",
        "Nothing waits for you, and nobody.",
        "The parcel flew away, quite slowly.",
    ]


def marked(tree: ast.AST) -> set[str]:
    """The sentences given to a function of gettext's, wherever it stands: xgettext overlooks those in an f-string."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            name, given = node.func.id, node.args
            if name == "_" or "gettext" in name:
                sentence = given[1] if name.startswith("pgettext") else given[0]
                found |= {sentence.value} if isinstance(sentence, ast.Constant) else set()
    return found


def test_every_sentence_marked_in_python_is_in_the_catalogue_even_where_gettext_overlooks_it():
    known = {one.msgid for one in entries()}
    assert marked(ast.parse("""f"{_('Hidden here')}" """)) == {"Hidden here"}
    files = [
        one for folder in ("cancellations", "config", "providers") for one in (settings.BASE_DIR / folder).rglob("*.py")
    ]
    lacking = {(str(one), text) for one in files for text in marked(ast.parse(one.read_text())) - known}
    assert lacking == set()


def test_every_translation_has_the_placeholders_of_its_sentence():
    wrong = []
    for entry in entries():
        if entry.msgctxt and entry.msgctxt.startswith("date format"):
            continue
        wanted = Counter(PLACEHOLDER.findall(entry.msgid_plural or entry.msgid))
        wrong += [(entry.msgid, text) for text in said(entry) if Counter(PLACEHOLDER.findall(text)) != wanted]
    assert wrong == []


def test_no_translation_is_marked_as_a_guess_or_left_over():
    assert [one.msgid for one in entries() if one.fuzzy or one.obsolete] == []


@pytest.mark.parametrize(
    ("fault", "pattern"),
    [
        ("ASCII punctuation after Chinese", rf"[{HAN}][?!,;:(]|[{HAN}]\.(?!\w)|\)[{HAN}]"),
        ("a space beside full-width punctuation", r"\s[，。；：？！、）”]|[，。；：？！、（“]\s"),
        ("a space between Chinese characters", rf"[{HAN}] [{HAN}]"),
        ("quotes that break attributes", rf"[{HAN}][\"']|[\"'][{HAN}]"),
    ],
)
def test_chinese_is_punctuated_as_chinese(fault, pattern):
    found = [text for entry in entries() for text in said(entry) if re.search(pattern, PLACEHOLDER.sub("X", text))]
    assert found == [], fault


def test_the_catalogue_compiles_and_speaks(tmp_path, settings):
    folder = tmp_path / "zh_Hans" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    shutil.copy(settings.BASE_DIR / CATALOGUE, folder)
    settings.LOCALE_PATHS, settings.STATICFILES_DIRS = [tmp_path], []
    settings.STATIC_ROOT = tmp_path / "static"
    call_command("build")
    compiled = polib.mofile(str(folder / "django.mo"))
    assert len(compiled) == len(entries())
    assert {one.msgid: one.msgstr for one in compiled}["Keep order"] == "保留订单"
