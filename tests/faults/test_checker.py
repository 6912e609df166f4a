"""The checker goes red: a desk and a ledger that agree, and one thing at a time that does not."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.faults.checker import Bulk, Findings, Told, check

LEASE = 3.0

A, B, C = (("taobao", name) for name in "ABC")
TABLES = """
CREATE TABLE cancellations_shop (id, platform);
CREATE TABLE cancellations_shophealth (shop_id, wait_until);
CREATE TABLE cancellations_order (id, desk_state);
CREATE TABLE cancellations_cancellationrequest (id, shop_id, order_id, order_key, order_number, item_ref, state,
    requested_at, attempt_no, batch, due_at, code, in_review, sent_at, confirmed_at);
CREATE TABLE cancellations_attempt (cancellation_id, kind, number, opened_at, closed_at, outcome);
CREATE TABLE cancellations_auditevent (id INTEGER PRIMARY KEY, subject_kind, subject_id, verb, data);
CREATE TABLE cancellations_batch (id, state, plan_total, planned_to, left_out, finished_at, state_since);
CREATE TABLE cancellations_batchrow (id, batch_id, place, verdict, waits, cancellation_id, not_asked);
INSERT INTO cancellations_shop VALUES (1, 'taobao');
INSERT INTO cancellations_batch VALUES (7, 'done', 3, 3, 0, 'then', 'then');
INSERT INTO cancellations_batchrow VALUES
    (1, 7, 1, 'ready', 0, 1, ''), (2, 7, 2, 'ready', 0, 2, ''), (3, 7, 3, 'ready', 0, NULL, 'It is gone.');
"""


def _at(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def _checked(folder: Path, wrong: str, *, stopped: bool = False) -> Findings:
    """Check a bulk of three rows, two of them cancelled, after something in it was changed."""
    ledger = folder / "ledger"
    with closing(sqlite3.connect(ledger)) as platform:
        platform.execute("CREATE TABLE ledger (id INTEGER PRIMARY KEY, slug, key, event, at)")
        for _slug, key in (A, B):
            for event in ("called", "performed"):
                platform.execute("INSERT INTO ledger (slug, key, event, at) VALUES ('taobao', ?, ?, ?)",
                                 (key, event, _at(-50)))  # fmt: skip
        platform.commit()
    with closing(sqlite3.connect(folder / "desk")) as desk:
        desk.executescript(TABLES)

        def note(kind: str, pk: int, verb: str, **facts: object) -> None:
            desk.execute(
                "INSERT INTO cancellations_auditevent (subject_kind, subject_id, verb, data) VALUES (?, ?, ?, ?)",
                (kind, str(pk), verb, json.dumps(facts)),
            )

        for pk, (_slug, key) in enumerate((A, B), 1):
            desk.execute("INSERT INTO cancellations_order VALUES (?, 'succeeded')", (pk,))
            desk.execute(
                "INSERT INTO cancellations_cancellationrequest VALUES "
                "(?, 1, ?, ?, ?, '', 'succeeded', ?, 1, 7, NULL, '', 0, ?, 'then')",
                (pk, pk, key, key, _at(-60), _at(-51)),
            )
            desk.execute("INSERT INTO cancellations_attempt VALUES (?, 'send', 1, ?, ?, 'Receipt')",
                         (pk, _at(-51), _at(-49)))  # fmt: skip
            note("cancellation", pk, "cancellation.requested", to="queued")
            note("cancellation", pk, "cancellation.sending", **{"from": "queued", "to": "sending", "attempt": 1})
            note("cancellation", pk, "cancellation.succeeded", **{"from": "sending", "to": "succeeded"})
        note("batch", 7, "batch.handed_in")
        for verb, old, new in (("planned", "planning", "planned"), ("started", "planned", "running"),
                               ("done", "running", "done")):  # fmt: skip
            note("batch", 7, f"batch.{verb}", **{"from": old, "to": new})
        desk.executescript(wrong)
        desk.commit()
    told = Told(bulks={7: Bulk(given=3, ready=3, started=True, stopped=stopped)})
    told.words.update((A, B, C))
    return check(str(folder / "desk"), ledger, told, LEASE)


def test_R02_what_agrees_is_clean(tmp_path: Path) -> None:
    assert _checked(tmp_path, "").is_clean


@pytest.mark.parametrize(
    ("column", "wrong"),
    [
        ("lost", "DELETE FROM cancellations_batch"),
        ("lost", "UPDATE cancellations_batch SET state = 'planned'"),
        ("lost", "UPDATE cancellations_batchrow SET not_asked = '' WHERE id = 3"),
        ("lost", "UPDATE cancellations_batchrow SET waits = 1, not_asked = '' WHERE id = 3"),
        ("doubled", "UPDATE cancellations_batchrow SET verdict = 'cannot' WHERE id = 1"),
        ("doubled", "UPDATE cancellations_cancellationrequest SET order_number = 'A', order_key = 'A' WHERE id = 2"),
        ("wrong", "UPDATE cancellations_batch SET state = 'stopped'"),
        ("stuck", "UPDATE cancellations_batch SET state = 'planning'"),
        ("stuck", "UPDATE cancellations_batch SET state = 'running'"),
        ("stuck", "UPDATE cancellations_batch SET state = 'paused'"),
        ("stuck", "UPDATE cancellations_batch SET state = 'stopped', finished_at = NULL"),
        ("history", "UPDATE cancellations_batchrow SET cancellation_id = 1 WHERE id = 2"),
        ("history", "DELETE FROM cancellations_batchrow WHERE id = 3"),
        ("history", "UPDATE cancellations_batch SET planned_to = 2"),
        ("history", "UPDATE cancellations_batch SET left_out = 1"),
        ("history", "DELETE FROM cancellations_auditevent WHERE verb = 'batch.started'"),
    ],
)
def test_R19_R21_what_is_wrong_with_a_bulk_is_found(tmp_path: Path, column: str, wrong: str) -> None:
    assert getattr(_checked(tmp_path, wrong), column)


def test_R19_a_stopped_bulk_may_leave_rows_unasked_but_not_lose_them(tmp_path: Path) -> None:
    ended = (
        "INSERT INTO cancellations_auditevent (subject_kind, subject_id, verb, data) VALUES "
        """('batch', '7', 'batch.stopped', '{"from": "done", "to": "stopped"}');"""
        "UPDATE cancellations_batch SET state = 'stopped';"
        "UPDATE cancellations_batchrow SET not_asked = '', waits = %s WHERE id = 3"
    )
    for waits, is_clean in ((1, True), (0, False)):
        (folder := tmp_path / str(waits)).mkdir()
        assert _checked(folder, ended % waits, stopped=True).is_clean is is_clean


@pytest.mark.parametrize(
    ("begun", "again", "is_wrong"), [(-52, False, False), (3, False, False), (8, False, True), (8, True, False)]
)
def test_R19_what_a_stopped_bulk_sent_after_its_stop_is_found(
    tmp_path: Path, begun: float, again: bool, is_wrong: bool
) -> None:
    stopped = datetime.now(UTC) - timedelta(seconds=40)
    ended = (
        "INSERT INTO cancellations_auditevent (subject_kind, subject_id, verb, data) VALUES "  # noqa: S608
        """('batch', '7', 'batch.stopped', '{"from": "done", "to": "stopped"}');"""
        f"UPDATE cancellations_batch SET state = 'stopped', state_since = '{stopped.isoformat()}';"
        f"UPDATE cancellations_attempt SET opened_at = '{(stopped + timedelta(seconds=begun)).isoformat()}' "
        "WHERE cancellation_id = 2;"
    )
    if again:
        ended += (
            "INSERT INTO cancellations_auditevent (subject_kind, subject_id, verb, data) "
            "VALUES ('cancellation', '2', 'cancellation.resent', '{}');"
        )
    wrong = _checked(tmp_path, ended, stopped=True).wrong
    assert any("after its bulk" in one for one in wrong) is is_wrong


def test_R14_what_was_given_up_within_its_lease_is_found(tmp_path: Path) -> None:
    early, late = (
        f"INSERT INTO cancellations_attempt VALUES (1, 'check', 1, '{_at(seconds - 51)}', '{_at(-30)}', '');"  # noqa: S608
        f"UPDATE cancellations_attempt SET closed_at = '{_at(-20)}' WHERE kind = 'send' AND cancellation_id = 1"
        for seconds in (LEASE - 1, LEASE + 1)
    )
    for name, sql in (("early", early), ("late", late)):
        (tmp_path / name).mkdir()
        assert bool(_checked(tmp_path / name, sql).wrong) is (name == "early")


@pytest.mark.parametrize(
    ("due", "wait", "is_stuck"), [(50, None, False), (-30, None, True), (-30, 50, False), (-30, -20, True)]
)
def test_R09_what_is_overdue_is_stuck_unless_the_platform_asked_to_wait(
    tmp_path: Path, due: float, wait: float | None, is_stuck: bool
) -> None:
    told_to = f"INSERT INTO cancellations_shophealth VALUES (1, '{_at(wait)}');" if wait else ""  # noqa: S608
    waits = f"UPDATE cancellations_cancellationrequest SET state = 'queued', due_at = '{_at(due)}' WHERE id = 1"  # noqa: S608
    assert bool(_checked(tmp_path, told_to + waits).stuck) is is_stuck


@pytest.mark.parametrize(("due", "is_stuck"), [(50, False), (-30, True)])
def test_R09_a_bulk_may_wait_for_its_first_rows_to_be_read_back(tmp_path: Path, due: float, is_stuck: bool) -> None:
    runs = "UPDATE cancellations_batch SET state = 'running';"
    waits = f"UPDATE cancellations_cancellationrequest SET confirmed_at = NULL, due_at = '{_at(due)}' WHERE id = 1"  # noqa: S608
    assert bool(_checked(tmp_path, runs + waits).stuck) is is_stuck
