"""Sealing runs behind the writers: nobody waits, late commits are sealed, two sealers make one chain."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from cancellations.audit import anchoring, checking, digests, sealing, tasks
from cancellations.audit.models import AuditEvent, Seal, Verification
from tests.integration.records import EVENTS, found, record, sealed, vendor, verdict, write
from tests.throwaway import run, triggers_lifted

__all__ = ["record", "vendor"]
pytestmark = pytest.mark.usefixtures("record")


@contextmanager
def writer(django_db_blocker: Any) -> Iterator[threading.Event]:
    """Somebody who has written an event and does not commit before being told to."""
    written, may_commit = threading.Event(), threading.Event()

    def act() -> None:
        with django_db_blocker.unblock():
            try:
                with transaction.atomic():
                    write()
                    written.set()
                    may_commit.wait(20)
            finally:
                connection.close()

    thread = threading.Thread(target=act)
    thread.start()
    assert written.wait(20)
    try:
        yield may_commit
    finally:
        may_commit.set()
        thread.join()


def test_a_writer_that_does_not_commit_holds_up_neither_writers_nor_the_sealer_and_is_sealed_later(
    record: str, django_db_blocker: Any
) -> None:
    if record == "sqlite":  # one writer at a time is SQLite's own rule; a number left free is played by hand
        late = write(3)[1]
        values = AuditEvent.objects.filter(pk=late.pk).values().get()
        with triggers_lifted():
            run("DELETE FROM cancellations_auditevent WHERE id = %s", late.pk)
        assert sealing.seal()
        AuditEvent.objects.create(**values)
    else:
        with writer(django_db_blocker) as may_commit:
            begun = time.monotonic()
            sealed(2, 2)
            assert time.monotonic() - begun < 5
            assert verdict().events == 4
            late_pk = Seal.objects.earliest("number").events[0][0] - 1
            assert not AuditEvent.objects.filter(pk=late_pk).exists()
            may_commit.set()
        late = AuditEvent.objects.get(pk=late_pk)
    seen = verdict()
    assert seen.whole
    assert seen.unsealed == 1  # it waits, and is no alteration
    made = sealing.seal()
    assert made
    assert made.events == [[late.pk, late.pk]]
    assert verdict().unsealed == 0
    sealed(3)
    assert found() == []
    assert verdict().events == AuditEvent.objects.count()


def test_late_commits_are_sealed_although_the_sealer_was_away_for_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    first, late, _last = write(3)
    values = AuditEvent.objects.filter(pk=late.pk).values().get()
    with triggers_lifted():
        run("DELETE FROM cancellations_auditevent WHERE id = %s", late.pk)
    assert sealing.seal()
    sealed(1, 1)
    AuditEvent.objects.create(**values)
    hours_later = timezone.now() + timedelta(hours=3)
    with monkeypatch.context() as patch:
        patch.setattr(sealing.timezone, "now", lambda: hours_later)
        made = sealing.seal()
    assert made
    assert made.events == [[first.pk + 1, first.pk + 1]]
    assert found() == []


def undone(act: Callable[[], object]) -> None:
    """Do something in a transaction that is rolled back."""
    with transaction.atomic():
        act()
        transaction.set_rollback(True)


def test_numbers_that_were_rolled_back_stay_free_and_break_nothing(record: str) -> None:
    for _round in range(4):
        sealed(2)
        undone(lambda: write(3))
    if record == "postgresql":
        run(f"SELECT setval('{EVENTS}_id_seq', nextval('{EVENTS}_id_seq') + 50)")
    else:
        run("UPDATE sqlite_sequence SET seq = seq + 50 WHERE name = %s", EVENTS)
    sealed(2)
    seen = verdict()
    assert seen.whole
    assert seen.events == 10


def test_thousands_of_single_gaps_are_looked_into(record: str) -> None:
    """Every second number is free: as many runs as events, more than one statement may name."""
    write(1)
    base = AuditEvent.objects.latest("pk").pk
    now = timezone.now()

    def every_second(start: int) -> list[AuditEvent]:
        return [
            AuditEvent(pk=base + start + 2 * step, at=now, verb="shop.changed", subject_kind="shop")
            for step in range(2500)
        ]

    AuditEvent.objects.bulk_create(every_second(1))
    assert sealing.seal()
    AuditEvent.objects.bulk_create(every_second(2))
    made = sealing.seal()
    assert made
    assert made.count == 2500
    seen = verdict()
    assert seen.whole
    assert seen.events == 5001


def test_P09_many_late_events_are_read_no_more_at_once_than_a_seal_takes(
    record: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction of a million events, committed after later ones were sealed, must not fill the memory."""
    monkeypatch.setattr(sealing, "MOST_EVENTS", 10)
    base, read, read_event = write(1)[0].pk, list[int](), digests._event
    event: dict[str, Any] = {"at": timezone.now(), "verb": "shop.changed", "subject_kind": "shop"}

    def counted(row: tuple[Any, ...]) -> digests.EventRow:
        read.append(row[0])
        return read_event(row)

    AuditEvent.objects.create(pk=base + 40, **event)
    assert sealing.seal()
    monkeypatch.setattr(digests, "_event", counted)
    AuditEvent.objects.bulk_create(AuditEvent(pk=base + at, **event) for at in (*range(1, 26), 41))
    counts = []
    while made := sealing.seal():
        counts.append(made.count)
        assert len(read) <= 10
        read.clear()
    assert counts == [10, 10, 6]
    assert verdict().whole


def test_two_sealers_at_once_make_one_chain(record: str, django_db_blocker: Any) -> None:
    write(40)
    together = threading.Barrier(4)
    errors: list[BaseException] = []

    def act() -> None:
        with django_db_blocker.unblock():
            try:
                for _round in range(10):
                    together.wait(20)
                    sealing.seal()
                    write(2)
            except BaseException as error:  # noqa: BLE001 - handed to the test
                errors.append(error)
                together.abort()
            finally:
                connection.close()

    threads = [threading.Thread(target=act) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert errors == []
    while sealing.seal():
        pass
    seen = verdict()
    assert seen.whole
    assert seen.events == 40 + 4 * 10 * 2
    assert seen.unsealed == 0
    numbers = list(Seal.objects.values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_long_queue_is_sealed_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "MOST_EVENTS", 10)
    write(25)
    tasks.seal()
    assert list(Seal.objects.values_list("count", flat=True)) == [10, 10, 5]
    assert found() == []


def test_a_seal_that_is_rolled_back_leaves_no_line_outside() -> None:
    write(2)
    undone(sealing.seal)
    assert not Seal.objects.exists()
    assert not anchoring.anchor_file().exists()
    assert found() == []


def test_a_disk_that_takes_no_line_does_not_stop_the_sealing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write(2)
    monkeypatch.setattr(settings, "DATA_DIR", "/proc/nowhere")
    assert sealing.seal()
    assert Seal.objects.count() == 1
    assert "could not be noted" in caplog.text


def test_the_check_keeps_its_verdict_for_the_page_and_is_made_when_it_is_time(record: str) -> None:
    sealed(3, 2)
    tasks.verify_chain()
    kept = Verification.objects.get()
    assert (kept.whole, kept.events, kept.seals, kept.unsealed, kept.faults) == (True, 5, 2, 0, [])
    assert kept.up_to == Seal.objects.get(number=2).at
    tasks.verify_chain()
    assert Verification.objects.count() == 1  # it is not time yet
    target = AuditEvent.objects.earliest("pk").pk
    with triggers_lifted():
        run("UPDATE cancellations_auditevent SET actor = 'x' WHERE id = %s", target)
    tasks.verify_chain(True)
    found_now = checking.newest()
    assert found_now
    assert not found_now.whole
    (fault,) = checking.faults_of(found_now)
    assert fault.kind == "edited"
    assert str(target) in fault.text
    Verification.objects.update(at=timezone.now() - checking.EVERY)
    assert checking.is_due()
    Verification.objects.update(seconds=3600)
    assert not checking.is_due()  # a walk of an hour is not made every ten minutes


def test_a_second_check_does_not_begin_while_one_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed(1)
    inner: list[Verification | None] = []
    plain = checking.verify
    monkeypatch.setattr(checking, "verify", lambda: (inner.append(checking.check()), plain())[1])
    assert checking.check()
    assert inner == [None]
