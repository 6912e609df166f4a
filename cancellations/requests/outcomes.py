"""Outcomes of a bulk's sends, written many in one transaction: what ``conclude`` does one by one, in few statements.

The thread that sent goes on to the next call; a thread of its own writes, and takes along whatever came meanwhile.
Anything unexpected, and all that is not plainly done or refused, goes the careful way, one by one.
"""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Case, QuerySet, Value, When
from django.db.models.functions import Cast, Now

from cancellations.audit import trail
from cancellations.requests.claiming import Claimed
from cancellations.requests.concluding import PATIENCE_SECONDS, Sent, conclude, conclude_patiently, outcome_of
from cancellations.requests.models import Attempt, CancellationRequest, show_on_orders
from cancellations.requests.states import State

log = logging.getLogger(__name__)

AT_ONCE = 50
MOST_WAITING = 400
IDLE_SECONDS = 2.0
# What ends meanwhile is written together with what comes next. Nobody waits to see one of many.
GATHER_SECONDS = 0.03
_PLAIN = (State.SUCCEEDED, State.ACCEPTED, State.REJECTED)
Outcome = tuple[Claimed, Sent]


class Outcomes:
    """What waits to be written, and the one thread that writes it, made when there is something."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._waiting: list[Outcome] = []
        self._writes = self._is_ending = False

    def add(self, claimed: Claimed, sent: Sent) -> None:
        """Leave an outcome to be written; waits while too many are."""
        with self._change:
            self._change.wait_for(lambda: len(self._waiting) < MOST_WAITING)
            self._waiting.append((claimed, sent))
            self._change.notify_all()
            if not self._writes:
                self._writes = True
                threading.Thread(target=self._run, name="outcomes").start()

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and nothing is being written."""
        return not self._writes

    def join(self) -> None:
        """Wait until everything is written; what comes later is written, too, and not waited for."""
        with self._change:
            self._is_ending = True
            self._change.notify_all()
            self._change.wait_for(lambda: not self._writes)

    def _run(self) -> None:
        try:
            while some := self._next():
                write(some)
                time.sleep(GATHER_SECONDS)
        finally:
            connection.close()

    def _next(self) -> list[Outcome]:
        with self._change:
            self._change.wait_for(lambda: self._waiting or self._is_ending, IDLE_SECONDS)
            some, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            self._writes = bool(some)
            self._change.notify_all()
            return some


def write(some: Sequence[Outcome]) -> None:
    """Write outcomes down; raises nothing, for each of them came only once."""
    left, away = some, True
    for pause in (0.0, *PATIENCE_SECONDS):
        time.sleep(pause)
        try:
            left, away = conclude_together(some), False
        except (OperationalError, InterfaceError):
            connection.close_if_unusable_or_obsolete()
        except Exception as why:
            log.info("%s outcomes are written one by one", len(some), exc_info=why)
            away = False
        if not away:
            break
    for claimed, sent in left:
        one_by_one = conclude if away else conclude_patiently  # enough time was lost: the leases run
        try:
            one_by_one(claimed.cancellation, claimed.attempt, sent)
        except Exception:
            log.exception("the outcome of attempt %s could not be written", claimed.attempt.pk)


class _Moved(Exception):
    """One of them is not as it was claimed."""


def conclude_together(some: Sequence[Outcome]) -> list[Outcome]:
    """Close the attempts and move the states of what is plainly done or refused, in one transaction.

    Returns:
        The others, of which nothing was written.

    Raises:
        _Moved: One of them is not as it was claimed; nothing was written.
    """
    moves: dict[tuple[State, int], dict[int, dict[str, Any]]] = defaultdict(dict)
    closed: dict[int, dict[str, Any]] = {}
    events, left, written = [], [], []
    for claimed, sent in some:
        one = claimed.cancellation
        state, verb, changes = outcome_of(one, sent)
        if state not in _PLAIN:
            left.append((claimed, sent))
            continue
        moves[state, one.attempt_no][one.pk] = {"state": state, "state_since": Now(), **changes}
        closed[claimed.attempt.pk] = {"closed_at": Now(), **sent.as_columns()}
        facts = {"from": State.SENDING, "to": state, **sent.as_facts(claimed.attempt)}
        events.append(one.event(verb, by=trail.WORKER, data=facts))
        moved = copy(one)  # what is rolled back must not be taken for done by who tries again
        moved.state = state
        written.append(moved)
    if not written:
        return left
    with transaction.atomic():
        if _update_each(Attempt.objects.filter(closed_at=None), closed) != len(closed):
            raise _Moved
        # Locked in one order by everybody, so that nobody waits in a circle: a pause holds many of them, too.
        many = CancellationRequest.objects.filter(pk__in=[one.pk for one in written]).order_by("pk")
        list(many.select_for_update().values_list("pk", flat=True))
        for (_state, number), changed in moves.items():
            rows = CancellationRequest.objects.filter(state=State.SENDING, attempt_no=number)
            if _update_each(rows, changed) != len(changed):
                raise _Moved
        trail.record_all(events)
        show_on_orders(written)
    return left


def _update_each(rows: QuerySet[Any], changes: Mapping[int, Mapping[str, Any]]) -> int:
    """Update rows by key in one statement, each with its own values of the same columns; return how many."""
    columns: dict[str, Any] = {}
    for name, first in next(iter(changes.values())).items():
        if all(one[name] == first for one in changes.values()):
            columns[name] = first
            continue
        field = rows.model._meta.get_field(name)
        cases = [When(pk=pk, then=Value(one[name], output_field=field)) for pk, one in changes.items()]
        columns[name] = Cast(Case(*cases, output_field=field), field)
    return rows.filter(pk__in=list(changes)).update(**columns)
