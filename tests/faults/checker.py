"""Compares the desk's tables and history with the platforms' own ledger and with what people were told.

Plain SQL through psycopg and sqlite3; shares no code with the product, not even its names of states.
"""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

Unit = tuple[str, str]  # platform, and the key its ledger knows the unit by

ENDED = {"succeeded", "rejected", "failed", "declined", "withdrawn"}
# A platform may ask for a minute of patience; what was due so long ago was forgotten.
SOON, OVERDUE = timedelta(seconds=120), timedelta(seconds=10)
# A claim that was under way when a bulk was stopped is dated a moment later.
STOP_TAKES = timedelta(seconds=5)
TO_ASK = ("ready", "ready_approval")
NOT_DONE = {"rejected", "failed", "declined", "withdrawn"}


@dataclass
class Bulk:
    """What the one who asked for many at once knows of it.

    Attributes:
        given: How many different numbers were handed in.
        ready: How many the plan would ask for, read before it was started.
        started: It was answered that it runs; ``stopped``: somebody pressed stop, heard or not.
    """

    given: int
    ready: int = 0
    started: bool = False
    stopped: bool = False


@dataclass
class Told:
    """What people asked for and were told; kept by those who asked, not by the desk.

    Attributes:
        accepted: Each request's number people were sent to, and the unit they had asked for.
        forms: Each form that was sent, however often, and the numbers it led to: one, if all is well.
        words: How often a unit was asked for: one for each form answered, and for each bulk that was started.
        again: How often somebody said "send again".
        bulks: Each bulk's number people were sent to.
    """

    accepted: dict[int, Unit] = field(default_factory=dict)
    forms: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    words: Counter[Unit] = field(default_factory=Counter)
    again: Counter[Unit] = field(default_factory=Counter)
    bulks: dict[int, Bulk] = field(default_factory=dict)

    @property
    def asked(self) -> int:
        """How much was asked for in all."""
        return len(self.accepted) + sum(one.ready for one in self.bulks.values())


@dataclass
class Findings:
    """What is wrong, each as sentences; all empty is what is wanted."""

    requests: int = 0
    calls: int = 0
    bulks: Counter[str] = field(default_factory=Counter)
    together: Counter[str] = field(default_factory=Counter)
    struck: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    history: list[str] = field(default_factory=list)
    chain: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.wrong or self.stuck or self.history or self.chain)


def query(database: str, sql: str) -> list[tuple[Any, ...]]:
    """Run one SELECT on the desk's database."""
    if database.startswith("postgres"):
        with psycopg.connect(database, autocommit=True) as connection:
            return connection.execute(sql).fetchall()  # type: ignore[call-overload,no-any-return]
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as connection:
        return connection.execute(sql).fetchall()


def states_of(database: str) -> dict[int, str]:
    """Return every request's number and state."""
    return dict(query(database, "SELECT id, state FROM cancellations_cancellationrequest"))  # type: ignore[arg-type]


def waiting(database: str) -> int:
    """Return how many requests wait to be sent."""
    return int(query(database, "SELECT count(*) FROM cancellations_cancellationrequest WHERE state = 'queued'")[0][0])


def unsettled(database: str) -> list[str]:
    """Return what is neither over nor waiting for a person, and the attempts nobody closed."""
    return [line for line, _has_time in _moving(database)]


def stuck(database: str) -> list[str]:
    """Return what of it nobody looks at in time: nothing is due, it is overdue, or a worker is believed to have it."""
    return [line for line, has_time in _moving(database) if not has_time]


def _moving(database: str) -> list[tuple[str, bool]]:
    now, found, waited_for = datetime.now(UTC), [], set()
    rows = query(
        database,
        "SELECT r.id, r.state, r.due_at, h.wait_until, r.code, r.batch FROM cancellations_cancellationrequest r "
        "LEFT JOIN cancellations_shophealth h ON h.shop_id = r.shop_id "
        "WHERE r.state NOT IN ('succeeded','rejected','failed','declined','withdrawn') AND NOT r.in_review "
        "ORDER BY r.id",
    )
    for pk, state, due, wait, code, bulk in rows:
        goes_on = max(_moment(due), _moment(wait or due)) if due else now - SOON
        has_time = state != "sending" and _is_in_time(goes_on, now)
        found.append((f"request {pk} is {state}, due {due}, {code}", has_time))
        if has_time:
            waited_for.add(bulk)
    # The rest of a bulk waits until its first rows, which are done, are read back.
    rows = query(
        database,
        "SELECT r.batch, r.due_at, h.wait_until FROM cancellations_cancellationrequest r "
        "LEFT JOIN cancellations_shophealth h ON h.shop_id = r.shop_id "
        "WHERE r.state = 'succeeded' AND r.confirmed_at IS NULL AND r.due_at IS NOT NULL AND r.batch IS NOT NULL",
    )
    waited_for |= {bulk for bulk, due, wait in rows if _is_in_time(max(_moment(due), _moment(wait or due)), now)}
    rows = query(database, "SELECT cancellation_id, kind FROM cancellations_attempt WHERE closed_at IS NULL")
    found += [(f"request {pk} has an open {kind}", False) for pk, kind in rows]
    rows = query(
        database,
        "SELECT id, state FROM cancellations_batch "
        "WHERE state IN ('planning','running','paused') OR (state = 'stopped' AND finished_at IS NULL)",
    )
    return found + [
        (f"bulk {pk} is {state}, and not over{_left_of(database, pk)}", state == "running" and pk in waited_for)
        for pk, state in rows
    ]


def _is_in_time(goes_on: datetime, now: datetime) -> bool:
    return abs(goes_on - now - SOON / 2) < SOON / 2 + OVERDUE


def _left_of(database: str, bulk: int) -> str:
    """Return what there is of a bulk: its rows that wait, and its requests by state, when due and whether confirmed."""
    waits = query(database, f"SELECT count(*) FROM cancellations_batchrow WHERE batch_id = {bulk} AND waits")  # noqa: S608
    states = query(
        database,
        "SELECT state, confirmed_at IS NULL, min(due_at), max(due_at), count(*) "  # noqa: S608
        f"FROM cancellations_cancellationrequest WHERE batch = {bulk} GROUP BY 1, 2",
    )
    told = [
        f"{count} {state}{' unconfirmed' * bool(open_)} due {first} to {last}"
        for state, open_, first, last, count in states
    ]
    return f"; {waits[0][0]} wait; {', '.join(told)}"


def check(database: str, ledger: Path, told: Told, lease: float) -> Findings:
    """Compare everything; the desk should be at rest. ``lease``: how many seconds a worker has for a send."""
    found = Findings()
    events = _read_ledger(ledger)
    requests = _read_requests(database, {unit for unit, *_ in events} | set(told.accepted.values()) | set(told.words))
    found.requests = told.asked
    found.states = Counter(one["state"] for one in requests.values())
    found.struck = faults_in(ledger)
    _find_lost(found, requests, told)
    _find_doubled(found, requests, events, told, database)
    rows = query(
        database,
        "SELECT cancellation_id, min(opened_at) FROM cancellations_attempt WHERE kind = 'send' GROUP BY 1",
    )
    _find_wrong(found, requests, events, {pk: _moment(at) for pk, at in rows})
    _find_hasty(found, database, lease)
    for name, column in (("begun", "opened_at"), ("ended", "closed_at")):
        groups = query(
            database,
            "SELECT count(*) FROM cancellations_attempt "  # noqa: S608
            f"WHERE kind = 'send' AND outcome NOT IN ('', 'Lost') GROUP BY {column} HAVING count(*) > 1",
        )
        found.together[name] = sum(count for (count,) in groups)
    _check_bulks(found, requests, told, database)
    _find_sent_after_stop(found, database)
    _replay(found, requests, database)
    _replay_bulks(found, database)
    found.stuck += stuck(database)
    return found


def faults_in(ledger: Path) -> Counter[str]:
    """Count the faults that struck at the platforms so far, by kind."""
    rows = _ask_ledger(ledger, "SELECT event, count(*) FROM ledger WHERE event LIKE 'fault %' GROUP BY event")
    return Counter({event.removeprefix("fault "): count for event, count in rows})


def _ask_ledger(path: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as connection:
        return connection.execute(sql).fetchall()


def _read_ledger(path: Path) -> list[tuple[Unit, str, datetime]]:
    rows = _ask_ledger(path, "SELECT slug, key, event, at FROM ledger ORDER BY id")
    return [((slug, key), event, _moment(at)) for slug, key, event, at in rows]


def _moment(value: Any) -> datetime:
    at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _read_requests(database: str, units: set[Unit]) -> dict[int, dict[str, Any]]:
    rows = query(
        database,
        "SELECT r.id, s.platform, r.order_key, r.order_number, r.item_ref, r.state, r.requested_at, r.attempt_no, "
        "r.order_id, o.desk_state, r.batch FROM cancellations_cancellationrequest r "
        "JOIN cancellations_shop s ON s.id = r.shop_id LEFT JOIN cancellations_order o ON o.id = r.order_id",
    )
    found = {}
    for pk, slug, key, number, item, state, asked, attempts, order, desk_state, bulk in rows:
        names = [item] if item else [number, key]
        unit = next(((slug, name) for name in names if (slug, name) in units), (slug, names[0]))
        found[pk] = {
            "unit": unit, "state": state, "asked": _moment(asked), "attempts": attempts, "order": order,
            "desk_state": desk_state, "bulk": bulk,
        }  # fmt: skip
    return found


def _find_lost(found: Findings, requests: dict[int, dict[str, Any]], told: Told) -> None:
    for pk, unit in told.accepted.items():
        if pk not in requests:
            found.lost.append(f"request {pk} of {unit} was shown and is not there")
        elif requests[pk]["unit"] != unit:
            found.lost.append(f"request {pk} was shown for {unit} and is for {requests[pk]['unit']}")


def _find_doubled(
    found: Findings, requests: dict[int, dict[str, Any]], events: list[Any], told: Told, database: str
) -> None:
    calls = Counter(unit for unit, what, _ in events if what in ("called", "again"))
    done = Counter(unit for unit, what, _ in events if what == "performed")
    refused = Counter(unit for unit, what, _ in events if what.startswith(("fault limit", "fault auth")))
    # What is cancelled already is noted before the platform looks whether it lets us in at all.
    again, turned_away = Counter(unit for unit, what, _ in events if what == "again"), Counter[Unit]()
    for (pk,) in query(
        database,
        "SELECT cancellation_id FROM cancellations_attempt "
        "WHERE kind = 'send' AND outcome IN ('AuthFailed', 'RateLimited')",
    ):
        turned_away[requests[pk]["unit"]] += 1
    refused += again & turned_away
    sends: Counter[Unit] = Counter()
    rows = query(database, "SELECT cancellation_id, count(*) FROM cancellations_attempt WHERE kind='send' GROUP BY 1")
    for pk, count in rows:
        sends[requests[pk]["unit"]] += count
    found.calls = calls.total()
    # Two who ask at once share one request, and a request is sent once: neither words nor requests alone allow a send.
    made = Counter(one["unit"] for one in requests.values())
    for unit, count in calls.items():
        words = min(told.words[unit], made[unit]) + told.again[unit]
        if count > words + refused[unit]:
            recorded = _recorded(database, [pk for pk, one in requests.items() if one["unit"] == unit])
            found.doubled.append(f"{unit} was sent {count} times on {words} words, {refused[unit]} refused; {recorded}")
        if count > sends[unit] + refused[unit]:
            found.doubled.append(f"{unit} was sent {count} times, and {sends[unit]} are recorded")
    found.doubled += [f"{unit} was performed {count} times" for unit, count in done.items() if count > 1]
    found.doubled += [f"one form led to the requests {sorted(pks)}" for pks in told.forms.values() if len(pks) > 1]
    open_now = Counter(one["unit"] for one in requests.values() if one["state"] not in ENDED)
    found.doubled += [f"{unit} has {count} open requests" for unit, count in open_now.items() if count > 1]


def _recorded(database: str, keys: list[int]) -> str:
    """Return what the record says of some requests: what was sent, and how often a person had it sent again."""
    told = []
    for pk in keys:
        sends = query(
            database,
            "SELECT outcome FROM cancellations_attempt "  # noqa: S608
            f"WHERE kind = 'send' AND cancellation_id = {pk} ORDER BY number",
        )
        again = query(
            database,
            "SELECT count(*) FROM cancellations_auditevent WHERE verb = 'cancellation.resent' "  # noqa: S608
            f"AND subject_kind = 'cancellation' AND subject_id = '{pk}'",
        )
        told.append(f"request {pk}: {', '.join(one or 'open' for (one,) in sends)}; resent {again[0][0]} times")
    return "; ".join(told)


def _find_wrong(
    found: Findings, requests: dict[int, dict[str, Any]], events: list[Any], began: dict[int, datetime]
) -> None:
    done = {unit: at for unit, what, at in events if what == "performed"}
    by_unit: dict[Unit, list[int]] = defaultdict(list)
    by_order: dict[int, list[int]] = defaultdict(list)
    for pk, one in sorted(requests.items()):
        by_unit[one["unit"]].append(pk)
        by_order[one["order"]].append(pk)
    for unit, pks in by_unit.items():
        at = done.get(unit)
        # What took effect belongs to the latest request whose send had begun, by the database's clock.
        whose = max((pk for pk in pks if at and pk in began and began[pk] <= at), default=None)
        for pk in pks:
            state = requests[pk]["state"]
            if state == "succeeded" and at is None:
                found.wrong.append(f"request {pk} of {unit} is succeeded and was never performed")
            if state in NOT_DONE and pk == whose:
                found.wrong.append(f"request {pk} of {unit} is {state} and was performed at {at}")
    for pks in by_order.values():
        one = requests[pks[0]]
        if len(pks) == 1 and one["order"] and one["desk_state"] != one["state"]:
            found.wrong.append(f"request {pks[0]} is {one['state']}, and its order shows {one['desk_state']}")


def _find_hasty(found: Findings, database: str, lease: float) -> None:
    """See that nothing was looked at, as lost with its worker, while that worker still had time to send it."""
    rows = query(
        database,
        "SELECT r.id, r.sent_at, c.opened_at FROM cancellations_cancellationrequest r "
        "JOIN cancellations_attempt s ON s.cancellation_id = r.id AND s.kind = 'send' AND s.number = r.attempt_no "
        "JOIN cancellations_attempt c ON c.cancellation_id = r.id AND c.kind = 'check' "
        "AND c.opened_at > s.opened_at AND c.opened_at < s.closed_at",
    )
    for pk, began, looked in rows:
        seconds = (_moment(looked) - _moment(began)).total_seconds()
        if seconds < lease:
            found.wrong.append(f"request {pk} was given up {seconds:.1f} s after it was claimed, for {lease} s")


def _check_bulks(found: Findings, requests: dict[int, dict[str, Any]], told: Told, database: str) -> None:
    """See that every row of a bulk led to what it was to lead to, and that its sums add up."""
    bulks = {
        pk: (state, total, planned_to, left_out)
        for pk, state, total, planned_to, left_out in query(
            database, "SELECT id, state, plan_total, planned_to, left_out FROM cancellations_batch"
        )
    }
    found.bulks = Counter(state for state, *_ in bulks.values())
    rows: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for bulk, *row in query(
        database, "SELECT batch_id, id, place, verdict, waits, cancellation_id, not_asked FROM cancellations_batchrow"
    ):
        rows[bulk].append(tuple(row))
    for pk, one in told.bulks.items():
        if pk not in bulks:
            found.lost.append(f"bulk {pk} was shown and is not there")
            continue
        state, _total, planned_to, _left_out = bulks[pk]
        if one.started and state in ("planning", "planned", "discarded"):
            found.lost.append(f"bulk {pk} was started and is {state}")
        if state == "stopped" and not one.stopped:
            found.wrong.append(f"bulk {pk} is stopped, and nobody stopped it")
        if state != "planning" and planned_to != one.given:
            found.history.append(f"bulk {pk} was given {one.given} numbers and planned {planned_to}")
        ready = sum(row[2] in TO_ASK for row in rows[pk])
        if one.ready and ready != one.ready:
            found.history.append(f"bulk {pk} had {one.ready} ready rows when it was started, and has {ready}")
    made = {pk: one["bulk"] for pk, one in requests.items() if one["bulk"]}
    for pk, (state, total, planned_to, left_out) in bulks.items():
        if state not in ("planning", "discarded"):
            places = len({row[1] for row in rows[pk]})
            if total != len(rows[pk]) or planned_to != places + left_out:
                found.history.append(
                    f"bulk {pk}: {planned_to} given, {places} of them in {len(rows[pk])} rows of {total}, "
                    f"{left_out} left out"
                )
        mine = Counter(row[4] for row in rows[pk] if made.get(row[4]) == pk)
        for key, bulk in made.items():
            if bulk == pk and mine[key] != 1:
                found.history.append(f"request {key} of bulk {pk} has {mine[key]} rows")
        for key, _place, verdict, waits, request, not_asked in rows[pk]:
            is_nothing = verdict in TO_ASK and (waits or (not request and not not_asked))
            if is_nothing and state == "done":
                found.lost.append(f"row {key} of bulk {pk}, which is done, was neither asked for nor told why not")
            elif is_nothing and not waits and state in ("running", "paused", "stopped"):
                found.lost.append(f"row {key} of bulk {pk}, which is {state}, waits no more and was not asked for")
            if verdict not in TO_ASK and mine[request]:
                found.doubled.append(f"row {key} of bulk {pk} is {verdict}, and was asked for")


def _find_sent_after_stop(found: Findings, database: str) -> None:
    """See that nothing of a stopped bulk was claimed after its stop, but what a person sent again by itself."""
    rows = query(
        database,
        "SELECT r.id, b.id, a.opened_at, b.state_since FROM cancellations_attempt a "
        "JOIN cancellations_cancellationrequest r ON r.id = a.cancellation_id "
        "JOIN cancellations_batch b ON b.id = r.batch AND b.state = 'stopped' "
        "WHERE a.kind = 'send' AND a.opened_at > b.state_since AND NOT EXISTS ("
        "SELECT 1 FROM cancellations_auditevent e WHERE e.subject_kind = 'cancellation' "
        "AND e.subject_id = CAST(r.id AS text) AND e.verb = 'cancellation.resent')",
    )
    for pk, bulk, begun, stopped in rows:
        late = _moment(begun) - _moment(stopped)
        if late > STOP_TAKES:
            found.wrong.append(f"request {pk} was sent {late.total_seconds():.1f} s after its bulk {bulk} was stopped")


def _replay_bulks(found: Findings, database: str) -> None:
    """See that the events alone explain every bulk's state."""
    rows = query(
        database, "SELECT subject_id, verb, data FROM cancellations_auditevent WHERE subject_kind = 'batch' ORDER BY id"
    )
    state: dict[int, str] = {}
    for subject, verb, data in rows:
        pk, facts = int(subject), data if isinstance(data, dict) else json.loads(data)
        if verb == "batch.handed_in":
            state[pk] = "planning"
        elif "from" in facts:
            if state.get(pk) != facts["from"]:
                found.history.append(f"bulk {pk}: {verb} from {facts['from']}, and it was {state.get(pk)}")
            state[pk] = facts["to"]
    for pk, now in query(database, "SELECT id, state FROM cancellations_batch"):
        if state.get(pk) != now:
            found.history.append(f"bulk {pk} is {now}, its history says {state.get(pk)}")


def _replay(found: Findings, requests: dict[int, dict[str, Any]], database: str) -> None:
    """See that the events alone explain every state and every send."""
    rows = query(
        database,
        "SELECT subject_id, verb, data FROM cancellations_auditevent WHERE subject_kind = 'cancellation' ORDER BY id",
    )
    state: dict[int, str] = {}
    sent: Counter[int] = Counter()
    for subject, verb, data in rows:
        pk, facts = int(subject), data if isinstance(data, dict) else json.loads(data)
        if verb == "cancellation.requested":
            if pk in state:
                found.history.append(f"request {pk} was asked for twice")
            state[pk] = facts["to"]
        elif "from" in facts:
            if state.get(pk) != facts["from"]:
                found.history.append(f"request {pk}: {verb} from {facts['from']}, and it was {state.get(pk)}")
            state[pk] = facts["to"]
            if facts["to"] == "sending":
                sent[pk] += 1
                if facts["attempt"] != sent[pk]:
                    found.history.append(f"request {pk}: attempt {facts['attempt']} is the {sent[pk]}. that is told")
    for pk, one in requests.items():
        if state.get(pk) != one["state"]:
            found.history.append(f"request {pk} is {one['state']}, its history says {state.get(pk)}")
        if sent[pk] != one["attempts"]:
            found.history.append(f"request {pk} was sent {one['attempts']} times, its history says {sent[pk]}")
    found.history += [
        f"the history speaks of request {pk}, which is not there" for pk in state.keys() - requests.keys()
    ]
    numbers: dict[int, set[int]] = defaultdict(set)
    for pk, number in query(database, "SELECT cancellation_id, number FROM cancellations_attempt WHERE kind='send'"):
        numbers[pk].add(number)
    for pk, one in requests.items():
        if numbers[pk] != set(range(1, one["attempts"] + 1)):
            found.history.append(f"request {pk} has attempts {sorted(numbers[pk])} of {one['attempts']}")


def report(found: Findings, faults: Counter[str], seconds: float, seed: int, most: int = 12) -> Iterable[str]:
    """Yield the lines a campaign prints; the last one holds the numbers that count."""
    yield "faults: " + ", ".join(f"{name} {count}" for name, count in sorted(faults.items()))
    yield "states: " + ", ".join(f"{name} {count}" for name, count in sorted(found.states.items()))
    bulks = ", ".join(f"{name} {count}" for name, count in sorted(found.bulks.items()))
    yield f"bulks: {bulks}; " + ", ".join(f"sends {name} with others {n}" for name, n in sorted(found.together.items()))
    for name in ("lost", "doubled", "wrong", "stuck", "history", "chain"):
        lines = getattr(found, name)
        yield from (f"{name}: {line}" for line in lines[:most])
        if len(lines) > most:
            yield f"{name}: … and {len(lines) - most} more"
    yield (
        f"seed {seed}: {faults.total()} faults, {found.requests} requests asked, {found.calls} calls received in "
        f"{seconds:.0f} s; lost {len(found.lost)}, sent more than once without a person's word {len(found.doubled)}, "
        f"wrong final states {len(found.wrong)}, stuck past deadline {len(found.stuck)}, "
        f"history differences {len(found.history)}, chain breaks {len(found.chain)}"
    )
