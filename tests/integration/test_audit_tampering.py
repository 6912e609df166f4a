"""Every way to alter the record is found and named, on both databases, with the triggers lifted."""

# ruff: noqa: S608 - the names of our own tables

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from cancellations.audit import anchoring, sealing
from cancellations.audit.models import AuditEvent, Seal
from tests.integration.records import EVENTS, SEALS, earlier, found, record, sealed, vendor, verdict, write
from tests.throwaway import run, triggers_lifted

__all__ = ["record", "vendor"]
pytestmark = pytest.mark.usefixtures("record")

NEW = {
    "id": 999_999,
    "uid": "00000000-0000-4000-8000-000000000000",
    "at": "2020-01-01 00:00:00+00:00",
    "actor_id": 7,
    "shop_id": 7,
    "data": '{"before": {"title": "Löwe"}, "after": {"title": "Katze"}}',
}
TEXTS = [
    one.attname
    for one in AuditEvent._meta.concrete_fields
    if one.get_internal_type() == "CharField"
]  # fmt: skip
COLUMNS = [*NEW, *TEXTS]


@pytest.fixture(params=["now", "before"], autouse=True)
def seals_of(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seals as they are made now, and as they were made before they had bodies."""
    if request.param == "before":
        earlier(monkeypatch)


def ids() -> list[int]:
    return list(AuditEvent.objects.order_by("pk").values_list("pk", flat=True))


def tamper(sql: str, *params: Any) -> None:
    with triggers_lifted():
        assert run(sql, *params)


def test_S12_a_record_nobody_touched_is_whole() -> None:
    sealed(3, 1, 5)
    write(2)
    seen = verdict()
    assert (seen.whole, seen.events, seen.seals, seen.unsealed, seen.anchored) == (True, 9, 3, 2, 3)
    assert seen.up_to == Seal.objects.get(number=3).at


def test_S12_every_column_of_an_event_is_a_case_here() -> None:
    assert set(COLUMNS) == {one.attname for one in AuditEvent._meta.concrete_fields}


@pytest.mark.parametrize("column", [one for one in COLUMNS if one != "id"])
def test_S12_an_edit_of_any_column_is_named(column: str) -> None:
    sealed(3, 3, 3)
    target = ids()[4]
    tamper(f"UPDATE {EVENTS} SET {column} = %s WHERE id = %s", NEW.get(column, "edited"), target)
    assert found() == [("edited", f"event {target}")]


def test_S12_a_changed_id_is_named_where_it_was() -> None:
    sealed(3, 3)
    target = ids()[1]
    tamper(f"UPDATE {EVENTS} SET id = 999999 WHERE id = %s", target)
    assert found() == [("deleted", f"event {target}")]


def test_S12_a_single_byte_deep_in_the_data_is_named() -> None:
    sealed(3, 3)
    target = ids()[2]
    was = json.dumps(AuditEvent.objects.get(pk=target).data)
    assert "1.5" in was
    tamper(f"UPDATE {EVENTS} SET data = %s WHERE id = %s", was.replace("1.5", "1.6"), target)
    assert found() == [("edited", f"event {target}")]


@pytest.mark.parametrize("column", ["at", "data", "uid", "verb"])
def test_S12_what_a_column_can_not_mean_is_an_edit_and_no_crash(record: str, column: str) -> None:
    sealed(3, 3)
    target = ids()[1]
    if record == "sqlite":
        run("PRAGMA ignore_check_constraints = ON")
        tamper(f"UPDATE {EVENTS} SET {column} = CAST(x'ff7b' AS TEXT) WHERE id = %s", target)
        run("PRAGMA ignore_check_constraints = OFF")
    else:  # the others PostgreSQL keeps clean by their types
        tamper(f"UPDATE {EVENTS} SET at = 'infinity' WHERE id = %s", target)
    assert found() == [("edited", f"event {target}")]


@pytest.mark.parametrize("which", [0, 2, 4, 8])
def test_S12_a_deletion_is_named(which: int) -> None:
    sealed(3, 3, 3)
    target = ids()[which]
    tamper(f"DELETE FROM {EVENTS} WHERE id = %s", target)
    assert found() == [("deleted", f"event {target}")]


def insert(pk: int, at: Any = None) -> None:
    AuditEvent(pk=pk, at=at or timezone.now(), verb="shop.changed", subject_kind="shop").save(force_insert=True)


def free_number(monkeypatch: pytest.MonkeyPatch) -> int:
    """Leave a number free between sealed ones, for longer than a late commit may take."""
    gap = write(3)[1].pk
    then = timezone.now() - timedelta(hours=1)
    tamper(f"DELETE FROM {EVENTS} WHERE id = %s", gap)
    tamper(f"UPDATE {EVENTS} SET at = %s", then)
    with monkeypatch.context() as patch:
        patch.setattr(sealing.timezone, "now", lambda: then)
        assert sealing.seal()
    sealed(2)
    assert found() == []
    return gap


def test_S12_an_insertion_between_sealed_events_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    gap = free_number(monkeypatch)
    insert(gap)
    assert found() == [("inserted", f"event {gap}")]
    assert sealing.seal() is None  # the sealer doesn't help it in
    sealed(1)
    assert found() == [("inserted", f"event {gap}")]


def test_S12_an_insertion_before_the_first_event_is_named() -> None:
    sealed(2, 2)
    insert(-4)
    assert found() == [("inserted", "event -4")]


def test_S12_an_event_added_today_that_claims_to_be_of_yesterday_is_named() -> None:
    sealed(2)
    insert(ids()[-1] + 1, at=timezone.now() - timedelta(days=1))
    target = ids()[-1]
    assert sealing.seal()
    assert found() == [("inserted", f"event {target}")]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", "2020-01-01 00:00:00+00:00"),
        ("events", "[[1, 2]]"),
        ("count", 4),
        ("covered", 4),
        ("marks", "0" * 48),
        ("previous", "0" * 64),
        ("digest", "0" * 64),
    ],
)
def test_S12_an_edited_seal_is_named(column: str, value: Any) -> None:
    sealed(3, 3, 3)
    tamper(f"UPDATE {SEALS} SET {column} = %s WHERE number = 2", value)
    # The digest is what the file beside the database knows, too.
    noted = [("cut", "seal 2")] if column == "digest" else []
    assert found() == [("seal", "seal 2"), *noted]
    assert verdict().events == 6


def test_S12_a_seal_made_to_fit_an_edit_does_not_pass_without_the_key() -> None:
    sealed(3, 3, 3)
    target = ids()[3]
    tamper(f"UPDATE {EVENTS} SET actor = 'nobody' WHERE id = %s", target)
    real = Seal.objects.get(number=2)
    tamper(f"UPDATE {SEALS} SET marks = %s WHERE number = 2", "f" * 16 + real.marks[16:])
    assert found() == [("seal", "seal 2")]


def test_S12_a_seal_that_means_nothing_is_named_and_does_not_stop_the_walk(record: str) -> None:
    sealed(3, 3, 3)
    tamper(f"UPDATE {SEALS} SET events = %s WHERE number = 2", '{"0": "x"}')
    assert found() == [("seal", "seal 2")]


@pytest.mark.parametrize("number", [1, 2])
def test_S12_a_removed_seal_is_named(number: int) -> None:
    sealed(3, 3, 3)
    tamper(f"DELETE FROM {SEALS} WHERE number = %s", number)
    assert found() == [("missing-seal", f"seal {number}"), ("cut", f"seal {number}")]


def test_S12_a_renumbered_seal_is_named() -> None:
    sealed(3, 3, 3)
    tamper(f"UPDATE {SEALS} SET number = 7 WHERE number = 2")
    assert found() == [
        ("missing-seal", "seal 2"),
        ("missing-seal", "seal 4"),
        ("seal", "seal 7"),
        ("cut", "seal 2"),
    ]


def cut(number: int) -> None:
    """Remove the last seals and what they cover: what is left is whole in itself."""
    events = [one for seal in Seal.objects.filter(number__gte=number) for one in sealing.numbers_of(seal.events)]
    with triggers_lifted():
        run(f"DELETE FROM {SEALS} WHERE number >= %s", number)
        for pk in events:
            run(f"DELETE FROM {EVENTS} WHERE id = %s", pk)


def test_S12_a_cut_tail_is_named_by_the_file_beside_the_database() -> None:
    sealed(3, 3, 3)
    cut(3)
    assert found() == [("cut", "seal 3")]
    sealed(2, 2)  # the sealer goes on with the same numbers
    assert found() == [("cut", "seal 3")]


def test_S12_a_cut_tail_is_named_by_a_file_kept_elsewhere(tmp_path: Path) -> None:
    sealed(3, 3)
    kept = tmp_path / "elsewhere.txt"
    kept.write_text(anchoring.line_of(Seal.objects.get(number=2)) + "\n")
    assert found(kept) == []
    cut(2)
    anchoring.anchor_file().unlink()
    assert found() == []  # nothing in the database tells
    assert found(kept) == [("cut", "seal 2")]


def test_S12_everything_removed_is_named_by_the_file() -> None:
    sealed(2, 2)
    cut(1)
    assert found() == [("cut", "seal 1"), ("cut", "seal 2")]


def test_S12_a_wrong_secret_is_told_from_an_alteration(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed(3, 3)
    monkeypatch.setattr(settings, "AUDIT_KEYS", ["a1:another-secret-than-before"])
    assert found() == [("key", "seal 1")]
    assert verdict().events == 0


def test_S12_a_key_that_is_gone_is_named_and_what_came_after_is_still_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    old = settings.AUDIT_KEYS
    sealed(3)
    monkeypatch.setattr(settings, "AUDIT_KEYS", ["a2:the-second-key-0123456789", *old])
    sealed(3)
    assert found() == []
    monkeypatch.setattr(settings, "AUDIT_KEYS", ["a2:the-second-key-0123456789"])
    assert found() == [("key", "seal 1")]
    target = ids()[-1]
    tamper(f"UPDATE {EVENTS} SET actor = 'x' WHERE id = %s", target)
    assert found() == [("key", "seal 1"), ("edited", f"event {target}")]


def test_S12_several_alterations_are_all_named() -> None:
    sealed(3, 3, 3, 3)
    pk = ids()
    tamper(f"UPDATE {EVENTS} SET verb = 'x' WHERE id = %s", pk[0])
    tamper(f"DELETE FROM {EVENTS} WHERE id = %s", pk[4])
    tamper(f"DELETE FROM {SEALS} WHERE number = 3")
    assert found() == [
        ("missing-seal", "seal 3"),
        ("edited", f"event {pk[0]}"),
        ("deleted", f"event {pk[4]}"),
        ("cut", "seal 3"),
    ]


def test_S12_two_events_that_changed_places_are_both_named() -> None:
    sealed(3, 3)
    one, other = ids()[1], ids()[4]
    tamper(f"UPDATE {EVENTS} SET verb = 'shop.created' WHERE id = %s", one)
    with triggers_lifted():
        for was, now in ((one, -7), (other, one), (-7, other)):
            run(f"UPDATE {EVENTS} SET id = %s WHERE id = %s", now, was)
    assert found() == [("edited", f"event {one}"), ("edited", f"event {other}")]


def test_S12_an_event_that_was_removed_and_written_again_otherwise_is_named() -> None:
    sealed(3, 3)
    target = ids()[2]
    tamper(f"DELETE FROM {EVENTS} WHERE id = %s", target)
    insert(target)
    assert found() == [("edited", f"event {target}")]


def test_S12_a_seal_of_before_in_the_place_of_a_later_one_is_named() -> None:
    sealed(3, 3, 3)
    old = Seal.objects.get(number=2)
    fields = ("at", "events", "count", "covered", "marks", "previous", "digest")
    assignments = ", ".join(f"{name} = (SELECT {name} FROM {SEALS} WHERE number = 2)" for name in fields)
    tamper(f"UPDATE {SEALS} SET {assignments} WHERE number = 3")
    assert found() == [("seal", "seal 3"), ("cut", "seal 3")]
    assert Seal.objects.get(number=3).digest == old.digest


ROWS = 10_000


def test_S12_one_byte_in_very_many_rows_is_named(record: str) -> None:
    """The same was done with a million rows by hand; here they are fewer, for the suite is run often."""
    write(1)
    names = [one.column for one in AuditEvent._meta.concrete_fields]
    first = ids()[0]
    numbers = (
        f"SELECT generate_series({first + 1}, {first + ROWS}) AS n"
        if record == "postgresql"
        else f"WITH RECURSIVE many(n) AS (SELECT {first + 1} UNION ALL "
        f"SELECT n + 1 FROM many WHERE n < {first + ROWS}) SELECT n FROM many"
    )
    fresh = "gen_random_uuid()" if record == "postgresql" else "lower(hex(randomblob(16)))"
    values = ", ".join({"id": "m.n", "uid": fresh}.get(name, f"e.{name}") for name in names)
    run(f"INSERT INTO {EVENTS} ({', '.join(names)}) SELECT {values} FROM ({numbers}) m, (SELECT * FROM {EVENTS}) e")
    while sealing.seal():
        pass
    assert verdict().events == ROWS + 1
    target = first + ROWS * 2 // 3
    tamper(f"UPDATE {EVENTS} SET actor = 'X' WHERE id = %s", target)
    assert found() == [("edited", f"event {target}")]


def test_S12_thousands_of_broken_places_stay_a_short_list() -> None:
    sealed(150)
    tamper(f"UPDATE {EVENTS} SET actor = 'x'")
    assert len(found()) == 100
