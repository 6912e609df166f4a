"""Rules of the house that no other tool checks; the arrows between packages are import-linter's (`make arrows`)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cancellations.requests.states import FINAL, MOVES, OPEN, State
from providers.registry import PROVIDERS

ROOT = Path(__file__).resolve().parents[2]
CODE = [*ROOT.glob("providers/**/*.py"), *ROOT.glob("config/*.py"), *ROOT.glob("cancellations/**/*.py")]
OUTSIDE = [
    *(file for file in ROOT.glob("cancellations/**/*") if file.suffix == ".py"),
    *(file for file in ROOT.glob("config/*.py")),
    *ROOT.glob("templates/**/*.html"),
    *ROOT.glob("static/**/*.css"),
    *ROOT.glob("static/**/*.js"),
]
# Words that only a platform's own folder may know.
NAMES = re.compile("|".join([*PROVIDERS, "huawei", "falabella", "weixin", "shoplazza"]), re.I)


def test_no_platform_is_named_outside_its_folder() -> None:
    named = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()}"
        for file in OUTSIDE
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if NAMES.search(line)
    ]
    assert named == []


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


# Django wants its checks imported once the apps are ready.
_IMPORT_INSIDE = {"cancellations/apps.py"}


def test_nothing_is_imported_inside_a_function() -> None:
    inside = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in CODE
        if str(file.relative_to(ROOT)) not in _IMPORT_INSIDE
        for function in _functions(ast.parse(file.read_text(encoding="utf-8")))
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert inside == []


def test_a_file_holds_one_concept() -> None:
    long = {
        str(file.relative_to(ROOT)): len(file.read_text(encoding="utf-8").splitlines())
        for file in CODE
        if "migrations" not in file.parts
    }
    assert {name: lines for name, lines in long.items() if lines > 250} == {}


def test_no_file_is_named_after_nothing() -> None:
    vague = {"utils", "helpers", "common", "base", "misc"}
    assert [str(file) for file in CODE if file.stem in vague] == []


def test_every_setting_of_the_environment_is_explained() -> None:
    settings = (ROOT / "config" / "settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'env(?:\.\w+)?\(\s*"([A-Z_]+)"', settings)) - {"ENV_FILE"}
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    explained = {line.partition("=")[0] for at, line in enumerate(lines) if "=" in line and line[0] != "#" and at}
    assert read == explained
    assert len(read) > 15


def test_every_state_is_explained_to_operators() -> None:
    text = (ROOT / "docs" / "states.md").read_text(encoding="utf-8")
    assert [state for state in State if state.value not in text] == []


def test_every_make_target_of_the_readme_exists() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.M))
    assert set(re.findall(r"`make ([a-z]+)`", readme)) <= targets
    assert "demo" in targets


def test_nothing_leads_out_of_a_final_state_and_everything_else_ends() -> None:
    assert set(FINAL) == {State.SUCCEEDED, State.REJECTED, State.DECLINED, State.WITHDRAWN}
    assert State.FAILED not in OPEN
    for state in State:
        reached, todo = set(), [state]
        while todo:
            here = todo.pop()
            if here not in reached:
                reached.add(here)
                todo += MOVES[here]
        assert reached & set(FINAL)


# These make markup of our own constants, or of text escaped in the same line; nobody else may.
_MARKS = {
    "cancellations/evidence.py",
    "cancellations/marks.py",
    "cancellations/selects.py",
    "cancellations/templatetags/desk.py",
}


def test_S06_only_our_own_constants_are_marked_safe() -> None:
    marking = {str(file.relative_to(ROOT)) for file in CODE if "mark_safe" in file.read_text(encoding="utf-8")}
    assert marking <= _MARKS


@pytest.mark.parametrize("word", ["|safe", "csrf_exempt", "eval(", "pickle"])
def test_dangerous_words_stand_nowhere(word: str) -> None:
    files = [*CODE, *ROOT.glob("templates/**/*.html")]
    assert [str(file.relative_to(ROOT)) for file in files if word in file.read_text(encoding="utf-8")] == []
