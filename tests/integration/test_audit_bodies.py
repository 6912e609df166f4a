"""A body stands for all rows of a seal: it fits only what is as it was sealed, and where it doesn't the marks tell."""

# ruff: noqa: S608 - the names of our own tables

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from cancellations.audit import bodies, digests, sealing, trail, verifying
from cancellations.audit.models import AuditEvent, Seal
from tests.integration.records import EVENTS, SEALS, earlier, found, record, sealed, vendor, verdict, write
from tests.throwaway import run, triggers_lifted

__all__ = ["record", "vendor"]
pytestmark = pytest.mark.usefixtures("record")

SETTINGS = {
    "postgresql": {
        "DateStyle": ["German, DMY", "SQL, MDY", "Postgres"],
        "TimeZone": ["Asia/Shanghai", "America/St_Johns"],
        "IntervalStyle": ["iso_8601"],
        "extra_float_digits": ["-15", "3"],
        "bytea_output": ["escape"],
        "standard_conforming_strings": ["off"],
        "enable_indexscan": ["off"],
        "jit_above_cost": ["0"],
    },
    "sqlite": {"reverse_unordered_selects": ["1"], "full_column_names": ["1"], "case_sensitive_like": ["1"]},
}
# What would be taken for one another if the columns of a row ran together, or a sign for what it stands for.
CONFUSABLE = [
    ({"actor": "ab", "origin": "c"}, {"actor": "a", "origin": "bc"}),
    ({"actor": "a,b", "origin": ""}, {"actor": "a", "origin": "b"}),
    ({"actor": "x", "origin": "y"}, {"actor": "y", "origin": "x"}),
    ({"actor": "a", "origin": ""}, {"actor": "", "origin": "a"}),
    ({"actor": 'a","', "origin": "b"}, {"actor": "a", "origin": '","b'}),
    ({"actor": "a\tb"}, {"actor": "a\\tb"}),
    ({"actor": "a\nb"}, {"actor": "a\\nb"}),
    ({"actor": "a\nb"}, {"actor": "a\r\nb"}),
    ({"actor": "\\"}, {"actor": "\\\\"}),
    ({"actor": '"'}, {"actor": '""'}),
    ({"actor": "'"}, {"actor": "''"}),
    ({"actor": "\\N"}, {"actor": ""}),
    ({"actor": "NULL"}, {"actor": ""}),
    ({"actor": " a"}, {"actor": "a"}),
    ({"actor": "a "}, {"actor": "a"}),
    ({"actor": "é"}, {"actor": "e\u0301"}),
    ({"actor": "\\u00e9"}, {"actor": "é"}),
    ({"actor_id": 7, "shop_id": None}, {"actor_id": None, "shop_id": 7}),
    ({"actor_id": None}, {"actor_id": 0}),
    ({"data": '{"a": 1}'}, {"data": '{"a": "1"}'}),
    ({"data": '{"a": null}'}, {"data": '{"a": "null"}'}),
    ({"data": '{"a": [1, 2]}'}, {"data": '{"a": [2, 1]}'}),
    ({"data": "null"}, {"data": '"null"'}),
    ({"data": '{"a": "\\\\n"}'}, {"data": '{"a": "\\n"}'}),
]


def tamper(target: int, **values: Any) -> None:
    with triggers_lifted():
        assert run(f"UPDATE {EVENTS} SET {', '.join(f'{name} = %s' for name in values)} WHERE id = %s",
                   *values.values(), target)  # fmt: skip


def rows_looked_at(monkeypatch: pytest.MonkeyPatch) -> int:
    """Verify a whole record and return how many rows had to be compared one by one."""
    looked: list[int] = []
    plain = digests.mark_of

    def mark_of(event: digests.EventRow, key: digests.Key) -> str:
        looked.append(event.id)
        return plain(event, key)

    with monkeypatch.context() as patch:
        patch.setattr(verifying, "mark_of", mark_of)
        assert found() == []
    return len(looked)


@contextmanager
def setting(record: str, name: str, value: str) -> Iterator[None]:
    """Use another setting than the usual one for this connection."""
    if record == "postgresql":
        run(f"SET {name} = '{value}'")
    else:
        run(f"PRAGMA {name} = {value}")
    try:
        yield
    finally:
        connection.close()


def test_S12_where_bodies_fit_no_row_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed(3, 1)
    late = write(3)[1]
    values = AuditEvent.objects.filter(pk=late.pk).values().get()
    with triggers_lifted():
        run(f"DELETE FROM {EVENTS} WHERE id = %s", late.pk)
    assert sealing.seal()
    AuditEvent.objects.create(**values)
    sealed(2)
    assert rows_looked_at(monkeypatch) == 0
    assert verdict().events == AuditEvent.objects.count() == 9


def test_S12_a_seal_of_many_parts_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        for name, many in (("PART", 3), ("PARTS_AT_ONCE", 2)):
            patch.setattr(bodies, name, many)
        sealed(20, 1, 7)
    assert rows_looked_at(monkeypatch) == 0  # how they are parted is no part of what is sealed


def test_S12_no_setting_of_a_connection_makes_a_difference(record: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, values in SETTINGS[record].items():
        for value in values if name != "DateStyle" else ():  # with another one the program itself reads no time
            with setting(record, name, value):
                sealed(2)
            assert rows_looked_at(monkeypatch) == 0, (name, value)
    for name, values in SETTINGS[record].items():
        for value in values:
            with setting(record, name, value):
                assert rows_looked_at(monkeypatch) == 0, (name, value)


def test_S12_a_connection_of_another_encoding_looks_at_each_row(record: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if record == "sqlite":  # a file has one encoding
        return
    sealed(2)
    with setting(record, "client_encoding", "GB18030"):
        sealed(2)
        assert rows_looked_at(monkeypatch) == 4
    assert Seal.objects.get(number=2).body == ""
    assert rows_looked_at(monkeypatch) == 2


def test_S12_seals_of_before_and_of_now_are_one_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    pks = []
    for round_ in range(6):
        with monkeypatch.context() as patch:
            if round_ % 2 == 0:
                earlier(patch)
            sealed(3)
        pks.append(AuditEvent.objects.latest("pk").pk - 1)
    assert [bool(one.body) for one in Seal.objects.all()] == [False, True] * 3
    assert rows_looked_at(monkeypatch) == 9
    for pk in pks:
        tamper(pk, actor="x")
    assert found() == [("edited", f"event {pk}") for pk in pks]
    assert verdict().events == 18


@pytest.mark.parametrize("forged", ["''", "'0'", f"'{'f' * 64}'", f"(SELECT body FROM {SEALS} WHERE number = 1)"])
def test_S12_a_body_that_is_removed_or_exchanged_hides_nothing(forged: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed(3, 3, 3)
    with triggers_lifted():
        run(f"UPDATE {SEALS} SET body = {forged} WHERE number = 2")
    assert rows_looked_at(monkeypatch) == 3
    target = AuditEvent.objects.order_by("pk")[4].pk
    tamper(target, actor="x")
    assert found() == [("edited", f"event {target}")]


def test_S12_what_could_be_taken_for_one_another_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    write(len(CONFUSABLE))
    pks = list(AuditEvent.objects.order_by("pk").values_list("pk", flat=True))
    for pk, (before, _after) in zip(pks, CONFUSABLE, strict=True):
        tamper(pk, **before)
    while sealing.seal():
        pass
    assert rows_looked_at(monkeypatch) == 0
    for pk, (before, after) in zip(pks, CONFUSABLE, strict=True):
        tamper(pk, **after)
        assert found() == [("edited", f"event {pk}")], (before, after)
        tamper(pk, **before)


ODD = {
    "postgresql": [
        ("at = 'infinity'", "at = '-infinity'"),
        ("at = '2026-01-01 00:00:00+00'", "at = '2026-01-01 00:00:00+00 BC'"),
        ("at = '2026-01-01 00:00:00+00'", "at = '2026-01-01 00:00:00.000001+00'"),
        ("at = '2026-01-01 00:00:00+00'", "at = '2026-01-01 00:00:00+08'"),
    ],
    "sqlite": [
        ("actor_id = NULL", "actor_id = ''"),
        ("actor_id = NULL", "actor_id = 'null'"),
        ("actor_id = 7", "actor_id = '7x'"),
        ("actor_id = 7", "actor_id = 7.0000000000000009"),
        ("actor_id = 7.000000000000001", "actor_id = 7.0000000000000019"),
        ("actor = 'a'", "actor = CAST(x'6100' AS TEXT)"),
        ("actor = CAST(x'610062' AS TEXT)", "actor = CAST(x'610063' AS TEXT)"),
        ("actor = CAST(x'ff' AS TEXT)", "actor = CAST(x'fe' AS TEXT)"),
        ("actor = 'a'", "actor = x'61'"),
        ("at = '2026-01-01 00:00:00'", "at = '2026-01-01 00:00:00.000001'"),
    ],
}


def test_S12_odd_values_are_told_apart(record: str) -> None:
    """What a program would not write, and somebody who owns the database can."""
    for before, after in ODD[record]:
        write(3)
        target = AuditEvent.objects.latest("pk").pk - 1
        with triggers_lifted():
            run(f"UPDATE {EVENTS} SET {before} WHERE id = %s", target)
        assert sealing.seal()
        assert ("edited", f"event {target}") not in found()
        with triggers_lifted():
            run(f"UPDATE {EVENTS} SET {after} WHERE id = %s", target)
        assert ("edited", f"event {target}") in found(), (before, after)


def test_S12_nothing_is_told_from_empty(record: str) -> None:
    if record == "sqlite":  # there the columns that may be empty hold an empty text among ODD
        return
    sealed(3)
    target = AuditEvent.objects.earliest("pk").pk
    run(f"ALTER TABLE {EVENTS} ALTER COLUMN incident DROP NOT NULL")
    try:
        tamper(target, incident=None)
        assert found() == [("edited", f"event {target}")]
        tamper(target, incident="")
        assert found() == []
    finally:
        run(f"ALTER TABLE {EVENTS} ALTER COLUMN incident SET NOT NULL")


def test_S12_a_seal_over_an_event_of_long_ago_has_no_body() -> None:
    sealed(2)
    trail.record("shop.changed", by=trail.WORKER, subject_kind="shop")
    target = AuditEvent.objects.latest("pk").pk
    tamper(target, at=datetime(2026, 1, 1, tzinfo=UTC))
    made = sealing.seal()
    assert made
    assert made.body == ""
    assert found() == [("inserted", f"event {target}")]


def test_S12_what_the_database_can_not_write_out_is_sealed_and_looked_at_row_by_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*args: Any) -> Iterator[bytes]:
        raise DatabaseError("invalid memory alloc request size")
        yield b""

    sealed(2)
    with monkeypatch.context() as patch:
        patch.setattr(bodies, "_read", refuse)
        sealed(2)
        assert rows_looked_at(monkeypatch) == 4
    assert Seal.objects.get(number=2).body == ""
    assert rows_looked_at(monkeypatch) == 2


def test_S12_what_stands_between_the_runs_of_fitting_seals_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every second number is free: as many runs as events."""
    write(1)
    base, now = AuditEvent.objects.latest("pk").pk, timezone.now()
    AuditEvent.objects.bulk_create(
        AuditEvent(pk=base + 2 * step, at=now, verb="shop.changed", subject_kind="shop") for step in range(1, 1000)
    )
    assert sealing.seal()
    assert rows_looked_at(monkeypatch) == 0
    AuditEvent.objects.create(pk=base + 1001, at=now, verb="shop.changed", subject_kind="shop")
    seen = verdict()
    assert (seen.whole, seen.unsealed, seen.events) == (True, 1, 1000)
    assert sealing.seal()
    assert rows_looked_at(monkeypatch) == 0
    assert verdict().unsealed == 0
