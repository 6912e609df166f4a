"""Walks the whole chain and names what was edited, deleted, inserted into the past, or cut off at the end.

Where a seal's body fits, its events are as they were; only where it doesn't are they looked at one by one. Memory stays
the same however long the record is: seals are read in blocks, and of events only those of a block.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cancellations.audit import anchoring, bodies, findings
from cancellations.audit.digests import (
    MARK,
    EventRow,
    Key,
    SealRow,
    audit_keys,
    digest_of,
    events_among,
    events_between,
    mark_of,
    read_seals,
)
from cancellations.audit.findings import Verdict
from cancellations.audit.models import AuditEvent
from cancellations.audit.sealing import LATE, MOST_EVENTS, numbers_of
from cancellations.audit.spans import Span, rest

SEALS_AT_ONCE = 100


def verify(*against: Path) -> Verdict:
    """Walk all seals and their events.

    Args:
        against: Further files with seals kept outside the database, beside the one in ``DATA_DIR``.
    """
    walk = _Walk(Verdict(), audit_keys())
    for block in _blocks():
        walk.take(block)
    walk.finish()
    for file in (anchoring.anchor_file(), *against):
        anchoring.compare(walk.verdict, file)
    return walk.verdict


def _blocks() -> Iterator[list[SealRow]]:
    """Yield the seals by number, as many at once as cover no more events than one seal may."""
    block: list[SealRow] = []
    after, events = -1, 0
    while found := read_seals(after, SEALS_AT_ONCE):
        for one in found:
            count = one.count if isinstance(one.count, int) else MOST_EVENTS
            if block and (events + count > MOST_EVENTS or len(block) == SEALS_AT_ONCE):
                yield block
                block, events = [], 0
            block, events = [*block, one], events + count
        if not isinstance(found[-1].number, int):
            break
        after = found[-1].number
    if block:
        yield block


@dataclass
class _Walk:
    """How far the walk is.

    Attributes:
        number, previous, at: Of the last seal met.
        covered: The highest id under a sound seal.
        blind: Since the last sound seal there were altered or lost ones: what they covered can't be told.
        strays: Events met that no seal has claimed yet, with the time of the seal that passed them over.
    """

    verdict: Verdict
    keys: dict[str, Key]
    number: int = 0
    previous: str = ""
    at: datetime | None = None
    covered: int | None = None
    blind: bool = False
    strays: dict[int, tuple[EventRow, datetime]] = field(default_factory=dict)
    bad_keys: set[str] = field(default_factory=set)

    def take(self, block: list[SealRow]) -> None:
        """Compare a block of seals with the events it covers."""
        sound: list[tuple[SealRow, datetime | None]] = []
        spans: list[Span] = []
        reach = self.covered
        for one in block:
            before = self.at
            if not self._judge(one, reach):
                self._pass(one, sound=False)
                continue
            sound.append((one, before))
            if fresh := [run for run in one.events if reach is None or run[0] > reach]:
                first = fresh[0][0] if self.blind else (None if reach is None else reach + 1)
                reach = fresh[-1][1]
                spans.append(Span(first, reach, datetime.fromisoformat(one.at), known=not self.blind))
                self.blind = False
            self._pass(one, sound=True)
        fitting = bodies.fitting([(one, self._key_of(one)) for one, _before in sound])
        for one in (one for one, _before in sound if one.number in fitting):
            self._take_whole(one)
        known = sorted(run for one, _before in sound if one.number in fitting for run in one.events)
        sound = [(one, before) for one, before in sound if one.number not in fitting]
        rows = self._read(rest(spans, known), [one for one, _before in sound])
        for one, before in sound:
            self._compare(one, before, rows)
        self.covered = reach
        for span in spans:
            for pk in [pk for pk in rows if (span.first is None or pk >= span.first) and pk <= span.last]:
                event = rows.pop(pk)
                if span.known:
                    self.strays[pk] = (event, span.at)

    def _read(self, ranges: Iterable[tuple[int | None, int]], sound: Sequence[SealRow]) -> dict[int, EventRow]:
        """Return the events in these ranges, and those of before that these seals cover."""
        rows = {event.id: event for event in events_between(list(ranges))}
        if self.covered is not None:
            late = [pk for one in sound for pk in numbers_of(one.events) if pk <= self.covered]
            rows |= {event.id: event for event in events_among(late)}
        return rows

    def _judge(self, one: SealRow, reach: int | None) -> bool:
        """Tell whether a seal is as it was made, so that what it says of its events can be believed."""
        if not isinstance(one.number, int):
            self.verdict.note("seal", f"seal {one.number}", findings.SEAL_EDITED, seal=str(one.number))
            return False
        if one.number != self.number + 1:
            first, last = self.number + 1, one.number - 1
            self.verdict.note("missing-seal", f"seal {first}", findings.SEALS_GONE, seal=first, last=last)
            self.blind = True
        key = self._key(one)
        if key is None:
            return False
        if not _is_sound(one, key) or (not self.blind and one.covered != _reach(one, reach)):
            self.verdict.note("seal", f"seal {one.number}", findings.SEAL_EDITED, seal=one.number)
            return False
        if not self.blind and one.previous != self.previous:
            self.verdict.note("seal", f"seal {one.number}", findings.SEAL_LOOSE, seal=one.number)
        return True

    def _key(self, one: SealRow) -> Key | None:
        """Return the seal's key; of one that is not there or has another secret it is said once."""
        label = str(one.key_id)
        key = self.keys.get(label.rpartition(".")[0])
        if key and key.label == label:
            return key
        if label not in self.bad_keys:
            self.bad_keys.add(label)
            name = label.rpartition(".")[0] or label
            sentence = findings.KEY_WRONG if key else findings.KEY_UNKNOWN
            self.verdict.note("key", f"seal {one.number}", sentence, seal=one.number, key=name)
        return None

    def _pass(self, one: SealRow, *, sound: bool) -> None:
        self.verdict.seals += 1
        self.number = one.number if isinstance(one.number, int) else self.number
        self.previous = one.digest
        self.blind = self.blind or not sound
        if sound:
            self.at = self.verdict.up_to = datetime.fromisoformat(one.at)

    def _key_of(self, sound: SealRow) -> Key:
        return self.keys[sound.key_id.rpartition(".")[0]]

    def _take_whole(self, one: SealRow) -> None:
        self.verdict.events += one.count
        for pk in [pk for pk in self.strays if any(first <= pk <= last for first, last in one.events)]:
            del self.strays[pk]

    def _compare(self, one: SealRow, before: datetime | None, rows: dict[int, EventRow]) -> None:
        key, earliest = self._key_of(one), (before - LATE).isoformat() if before else ""
        for position, pk in enumerate(numbers_of(one.events)):
            self.strays.pop(pk, None)
            event = rows.pop(pk, None)
            if event is None:
                self.verdict.note("deleted", f"event {pk}", findings.DELETED, event=pk, seal=one.number)
                continue
            self.verdict.events += 1
            if mark_of(event, key) != one.marks[position * MARK : (position + 1) * MARK]:
                self.verdict.note("edited", f"event {pk}", findings.EDITED, event=pk, verb=event.verb, seal=one.number)
            elif event.at < earliest:
                after = before.isoformat() if before else ""
                self.verdict.note(
                    "inserted", f"event {pk}", findings.BACKDATED, event=pk, verb=event.verb, at=event.at, after=after
                )

    def finish(self) -> None:
        """Judge what no seal claimed: it waits for the next one only as long as the sealer would take it."""
        open_since = self.at - LATE if self.at else None
        for pk, (event, at) in sorted(self.strays.items()):
            if open_since and at >= open_since and pk > 0:
                self.verdict.unsealed += 1
            else:
                self.verdict.note("inserted", f"event {pk}", findings.UNKNOWN, event=pk, verb=event.verb)
        above = AuditEvent.objects.all() if self.covered is None else AuditEvent.objects.filter(pk__gt=self.covered)
        self.verdict.unsealed += above.count()


def _is_sound(one: SealRow, key: Key) -> bool:
    try:
        runs, marks = one.events, one.marks
        digest = digest_of(key, previous=one.previous, number=one.number, at=one.at, runs=runs, marks=marks)
        return bool(
            digest == one.digest
            and one.count == sum(last - first + 1 for first, last in runs)
            and len(marks) == one.count * MARK
        )
    except (TypeError, ValueError):
        return False


def _reach(one: SealRow, reach: int | None) -> int:
    last: int = one.events[-1][1]
    return last if reach is None else max(last, reach)
