"""Everything the program writes into the record has words, and the words have nothing else."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

from cancellations.audit.wording import GROUPS, VERBS, name_of, sentence, value_of
from cancellations.requests.states import State

ROOT = Path(__file__).resolve().parents[2] / "cancellations"
WRITERS = {"record", "_record", "move_to"}
VERB = re.compile(r"[a-z]+\.[a-z_]+")
NOUNS = {verb.partition(".")[0] for verb in VERBS}


def literals() -> Iterator[tuple[str, str, bool]]:
    """Yield (verb, where, said to a writer) of every text that may be a verb."""
    for file in ROOT.rglob("*.py"):
        if file.name == "wording.py" or "migrations" in file.parts:
            continue
        tree = ast.parse(file.read_text())
        said = {
            id(part)
            for call in ast.walk(tree)
            if isinstance(call, ast.Call) and getattr(call.func, "attr", getattr(call.func, "id", "")) in WRITERS
            for argument in [*call.args[:2], *(one.value for one in call.keywords if one.arg == "verb")]
            for part in ast.walk(argument)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and VERB.fullmatch(node.value):
                yield node.value, f"{file.name}:{node.lineno}", id(node) in said


def test_every_verb_that_is_written_has_words() -> None:
    found = [one for one in literals() if one[2] or one[0].partition(".")[0] in NOUNS]
    assert len(found) > 40, "the search found too little to mean anything"
    assert [f"{verb} ({where})" for verb, where, _said in found if verb not in VERBS] == []


def test_the_verbs_that_are_put_together_have_words() -> None:
    for state in (State.REJECTED, State.FAILED):
        assert f"cancellation.{state.value}" in VERBS


def test_there_are_no_words_for_what_is_never_written() -> None:
    written = {verb for verb, _where, _said in literals()} | {"cancellation.rejected"}
    assert set(VERBS) - written == set()


def test_every_verb_is_in_exactly_one_group() -> None:
    members = [verb for _label, verbs in GROUPS.values() for verb in verbs]
    assert sorted(members) == sorted(VERBS)


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_is_a_sentence_without_its_code(verb: str) -> None:
    with translation.override("en"):
        assert re.match(r"[A-Z]", sentence(verb))
        assert verb not in sentence(verb)


def test_a_verb_of_another_version_is_shown_as_it_is() -> None:
    assert "moon.landed" in sentence("moon.landed")


def test_facts_are_worded() -> None:
    assert name_of("needs_approval") == "Needs approval"
    assert name_of("some_new_fact") == "some new fact"
    assert value_of(True).text == "yes"
    assert value_of([]).text == "–"
    assert value_of(["a", "b"]).text == "a, b"
    assert value_of({"a": [1]}).has_parts
