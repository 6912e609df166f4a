"""People who ask for many at once: paste numbers, read the plan, start it, pause it, go on, stop it, try again."""

import time
import uuid
from contextlib import suppress
from random import Random
from typing import Any

import psycopg

from tests.faults.checker import Bulk, Unit, query
from tests.faults.field import Field
from tests.faults.people import PATIENCE_SECONDS, Form, People

WHO = "agent"
WATCH_SECONDS = 6.0
NUMBERED = ("taobao", "wechat")


class Clerks:
    """Those who ask for many at once; what they are told is kept with what the others are told."""

    def __init__(self, field: Field, people: People, chance: Random) -> None:
        self._field, self._people, self._chance = field, people, chance
        self._tried_again: set[int] = set()

    def ask(self, forms: list[Form], chance: Random) -> None:
        """Hand units in as a text, start what was planned, and change one's mind as chance has it."""
        if pk := self.begin(forms, chance):
            self._waver(pk, chance)

    def begin(self, forms: list[Form], chance: Random) -> int:
        """Hand units in as a text and start what was planned; return the bulk's number, 0 when it does not run."""
        self._people.remember(forms)
        pk = self._hand_in(forms, str(uuid.UUID(int=chance.getrandbits(128))))
        if not pk or not self._is_planned(pk):
            return 0
        for form in chance.sample(forms, 2):  # of what is planned somebody else asks for some alone
            self._people.ask_too(form, chance)
        return pk if self._start(pk) else 0

    def _hand_in(self, forms: list[Form], submission: str) -> int:
        """Post the text until it is answered; return the bulk's number, 0 when nobody answered."""
        units = dict.fromkeys(form.unit for form in forms)
        text = "\n".join(name for _slug, name in units)
        fields = {"text": text, "reason": "out_of_stock", "note": "", "submission": submission}
        ends = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < ends:
            answer = self._people.post(WHO, "/bulk/new/", fields)
            if answer is not None and answer.pk:
                self._people.told.bulks[answer.pk] = Bulk(given=len(units))
                return answer.pk
            time.sleep(0.3)
        self._people.unanswered += 1
        return 0

    def _is_planned(self, pk: int) -> bool:
        ends = time.monotonic() + 3 * PATIENCE_SECONDS
        while time.monotonic() < ends:
            if (pk,) in self._query("SELECT id FROM cancellations_batch WHERE state = 'planned'"):
                return True
            time.sleep(0.2)
        return False

    def _start(self, pk: int) -> bool:
        """Start what is ready; each of it is a word from here on, for no answer may mean yes."""
        units = self._units("batchrow", f"o.batch_id = {pk} AND o.verdict IN ('ready', 'ready_approval')")
        told = self._people.told
        told.bulks[pk].ready = len(units)
        with self._people.lock:
            told.words.update(units)
        if not units:
            return False
        answer = self._people.press(WHO, f"/bulk/{pk}/start/", {"count": str(len(units))})
        # Nobody else decides on it: where it has moved on, an earlier press had been heard.
        told.bulks[pk].started = answer is not None and answer.status in (303, 409)
        return told.bulks[pk].started

    def _units(self, table: str, where: str) -> list[Unit]:
        """Return the units that rows of a table speak of; the database may be away for a while."""
        sql = (
            f"SELECT s.platform, o.item_ref, o.order_number, o.order_key FROM cancellations_{table} o "  # noqa: S608
            f"JOIN cancellations_shop s ON s.id = o.shop_id WHERE {where}"
        )
        while True:
            with suppress(psycopg.OperationalError):
                rows = query(self._field.database, sql)
                return [(slug, item or (number if slug in NUMBERED else key)) for slug, item, number, key in rows]
            time.sleep(0.2)

    def _waver(self, pk: int, chance: Random) -> None:
        for _again in range(chance.choice((0, 1, 1, 2))):
            time.sleep(chance.uniform(0, 1.5))
            self._people.press(WHO, f"/bulk/{pk}/pause/", {})
            time.sleep(chance.uniform(0.2, 3))
            self._people.press(WHO, f"/bulk/{pk}/resume/", {})
        if chance.random() < 0.12:
            time.sleep(chance.uniform(0, 1))
            self._people.told.bulks[pk].stopped = True
            self._people.press(WHO, f"/bulk/{pk}/stop/", {})
        self._watch(pk)

    def _watch(self, pk: int) -> None:
        """Stay a while, so that things go on breaking while it is sent."""
        ends = time.monotonic() + WATCH_SECONDS
        going = "SELECT id FROM cancellations_batch WHERE finished_at IS NULL"
        while time.monotonic() < ends and (pk,) in self._query(going):
            time.sleep(0.5)

    def tend(self, *, calm: bool) -> None:
        """Look at each that stands still and let it go on; send once more what failed of some that are done.

        Args:
            calm: Everybody else has gone: who paused one himself and got no answer when he went on, is helped, too.
        """
        for pk, state, why in self._query(
            "SELECT id, state, paused_why FROM cancellations_batch WHERE state IN ('paused', 'done') ORDER BY id"
        ):
            if state == "paused" and (calm or why != "person"):
                self._people.post(WHO, f"/bulk/{pk}/resume/", {})
            elif state == "done" and not calm and pk not in self._tried_again:
                self._tried_again.add(pk)
                if self._chance.random() < 0.3:
                    self._try_again(pk)

    def _try_again(self, pk: int) -> None:
        """Send what failed again; nothing of a bulk that is done fails any more, so the count is known before."""
        units = self._units("cancellationrequest", f"o.batch = {pk} AND o.state = 'failed'")
        again = self._people.told.again
        with self._people.lock:
            again.update(units)
        answer = self._people.post(WHO, f"/bulk/{pk}/retry/", {}) if units else None
        if answer is not None and answer.status == 409:
            with self._people.lock:
                again.subtract(units)

    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        with suppress(psycopg.OperationalError):
            return query(self._field.database, sql)
        return []
