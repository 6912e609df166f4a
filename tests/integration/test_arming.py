"""A restored backup does not send again, and a copy does not send at all."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from cancellations.audit import trail
from cancellations.audit.models import AuditEvent
from cancellations.batches import decisions as batch_decisions
from cancellations.batches import tasks as batch_tasks
from cancellations.batches.states import BatchState
from cancellations.models import Arming
from cancellations.orders import lookup, sync
from cancellations.requests import (
    asking,
    decisions,
    delivery,
    last_send,
    reconciliation,
    replaying,
    restoring,
    settling,
    sweeping,
    tasks,
)
from cancellations.requests.models import Attempt, CancellationRequest
from cancellations.requests.refusals import NotAllowed
from cancellations.requests.states import State
from cancellations.shops import arming, checkup, configuring
from cancellations.shops.arming import Standing
from cancellations.shops.models import Pulse, ShopHealth
from providers import registry
from providers.errors import AuthFailed
from tests.desk import person, stall
from tests.integration.bulk import Till, fresh, install, many_orders, open_shop, planned, started
from tests.stack import ROOT
from tests.throwaway import POSTGRES, database, run

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.services)]
Restore = Callable[[], None]


@pytest.fixture
def own(request: Any, tmp_path: Path, django_db_blocker: Any) -> Iterator[str]:
    with django_db_blocker.unblock(), database(request.param, tmp_path):
        yield request.param


def back_up() -> Restore:
    """Keep the database as it is now; return how to bring that state back."""
    name = connection.settings_dict["NAME"]
    connection.close()
    if connection.vendor == "sqlite":
        shutil.copyfile(name, f"{name}.backup")  # closed, so nothing stands in the log beside it

        def restore_file() -> None:
            connection.close()
            for rest in ("-wal", "-shm"):
                Path(f"{name}{rest}").unlink(missing_ok=True)
            shutil.copyfile(f"{name}.backup", name)

        return restore_file

    def admin(*statements: str) -> None:
        connection.close()
        with psycopg.connect(f"{POSTGRES}/postgres", autocommit=True) as line:
            for statement in statements:
                line.execute(statement)

    admin(f'CREATE DATABASE "{name}_backup" TEMPLATE "{name}"')
    return lambda: admin(f'DROP DATABASE "{name}"', f'ALTER DATABASE "{name}_backup" RENAME TO "{name}"')


def ask(platform: Till, count: int) -> int:
    """Ask for so many orders of one shop, one by one; return the shop's key."""
    shop, by = open_shop(), person()
    for order in many_orders(shop, count, platform=platform):
        asking.request_cancellation(by=by, order=order, units=[""], reason_code="out_of_stock")
    return shop.pk


def look_at_all(shop: int) -> None:
    CancellationRequest.objects.exclude(due_at=None).update(due_at=Now())
    reconciliation.check_shop(shop)


def states() -> Counter[str]:
    return Counter(CancellationRequest.objects.values_list("state", flat=True))


def arm(*args: str) -> int:
    try:
        call_command("arm", *args)
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.mark.parametrize("own", BOTH, indirect=True)
@pytest.mark.parametrize("swept", [True, False], ids=["swept before the backup", "no worker had run"])
def test_R23_after_a_restore_nothing_is_sent_again_and_all_are_found_cancelled_by_reading(
    swept: bool, own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = install(monkeypatch)
    shop = ask(platform, 100)
    if swept:
        sweeping.restored()
    restore = back_up()
    delivery.drain(shop)
    assert len(platform.called) == 100
    assert states() == {State.SUCCEEDED: 100}

    restore()
    assert states() == {State.QUEUED: 100}
    delivery.drain(shop)
    assert arming.standing() == Standing.RESTORED
    assert AuditEvent.objects.filter(verb="sending.disarmed").count() == 1
    look_at_all(shop)
    assert len(platform.called) == 100
    assert states() == {State.SUCCEEDED: 100}
    assert not CancellationRequest.objects.filter(confirmed_at=None).exists()

    assert arm() == 1
    assert arming.standing() == Standing.RESTORED
    assert arm("--nothing-else-sends") == 0
    (order,) = many_orders(CancellationRequest.objects.first().shop, 1, platform=platform, start=900_000)  # type: ignore[union-attr]
    asking.request_cancellation(by=person(), order=order, units=[""], reason_code="out_of_stock")
    delivery.drain(shop)
    assert platform.called[100:] == [order.key], "armed again, what is new is sent"


@pytest.mark.django_db
def test_R23_a_mark_that_an_earlier_database_left_is_forgotten_by_one_nobody_has_asked_anything_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    last_send.note(Attempt(pk=4711), 3)
    tasks.sweep()
    assert last_send.noted() is None
    platform = install(monkeypatch)
    delivery.drain(ask(platform, 1))
    assert len(platform.called) == 1


@pytest.mark.django_db
def test_R23_with_a_mark_and_something_asked_for_a_database_nobody_has_sent_from_waits_for_a_person(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    platform = install(monkeypatch)
    last_send.note(Attempt(pk=4711), 3)
    shop = ask(platform, 1)
    delivery.drain(shop)
    assert platform.called == []
    assert arm("--nothing-else-sends") == 0
    look_at_all(shop)
    asked = CancellationRequest.objects.get()
    decisions.resend(asked, by=person("manager"))
    delivery.drain(shop)
    assert len(platform.called) == 1, "one word lets it go, and the old mark does not hold it up again"


@pytest.mark.parametrize("own", BOTH, indirect=True)
def test_R23_what_had_not_been_sent_is_not_sent_by_itself_and_one_waiting_for_approval_is_read_too(
    own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = install(monkeypatch)
    shop = ask(platform, 3)
    sweeping.restored()
    CancellationRequest.objects.filter(pk__in=CancellationRequest.objects.values("pk")[:1]).update(
        state=State.PENDING_APPROVAL, due_at=None
    )
    restore = back_up()
    delivery.serve(shop)
    restore()
    delivery.drain(shop)
    assert states() == {State.UNCERTAIN: 3}
    assert arm("--nothing-else-sends") == 0
    CancellationRequest.objects.update(sent_at=Now() - timedelta(hours=1))  # the settle window passes
    for _look in range(3):
        look_at_all(shop)
        delivery.drain(shop)
    assert states() == {State.SUCCEEDED: 1, State.FAILED: 2}
    assert len(platform.called) == 1


def put(pk: int, state: State, **columns: Any) -> None:
    """Have a request stand as it did in the backup: sent an hour ago, once."""
    hour_ago = Now() - timedelta(hours=1)
    facts = {"state": state, "sent_at": hour_ago, "attempt_no": 1, "due_at": None, "code": "", **columns}
    CancellationRequest.objects.filter(pk=pk).update(**facts)
    Attempt.objects.create(cancellation_id=pk, number=1, kind=Attempt.Kind.SEND)
    asked = CancellationRequest.objects.get(pk=pk)
    asked.record("cancellation.sending", by=trail.WORKER, data={"from": State.QUEUED, "to": State.SENDING})
    if state != State.SENDING:
        asked.record(f"cancellation.{state}", by=trail.WORKER, data={"from": State.SENDING, "to": state})


def sent_since(platform: Till, pk: int) -> None:
    """Have it be cancelled by a send the backup knows nothing of."""
    platform.cancel(SimpleNamespace(ref=CancellationRequest.objects.get(pk=pk).ref))


@pytest.mark.django_db
@pytest.mark.parametrize("bulk", [False, True], ids=["one by one", "of a bulk"])
def test_R23_what_had_failed_before_the_backup_is_read_before_anybody_sends_it_again(
    bulk: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = install(monkeypatch)
    batch = None
    if bulk:
        batch = started(many_orders(open_shop(), 2, platform=platform))
        batch_tasks.running.advance(batch.pk)
        shop = CancellationRequest.objects.values_list("shop", flat=True)[0]
    else:
        shop = ask(platform, 2)
    restoring.may_send()
    resent, untouched = CancellationRequest.objects.order_by("pk").values_list("pk", flat=True)
    for pk in (resent, untouched):
        put(pk, State.FAILED, seen_open_at=Now() - timedelta(minutes=50))
    sent_since(platform, resent)

    assert arm("--restored") == 1
    assert states() == {State.UNCERTAIN: 2}
    by = person("manager")
    if batch:
        with pytest.raises(NotAllowed):
            batch_decisions.retry(fresh(batch), by=batch.requested_by)
    for pk in (resent, untouched):
        with pytest.raises(NotAllowed):
            decisions.resend(CancellationRequest.objects.get(pk=pk), by=by)
    for _look in range(3):
        look_at_all(shop)
        assert sweeping.restored() == 0, "what was begun with is not begun again"
    assert states() == {State.SUCCEEDED: 1, State.UNCERTAIN: 1}, "the settle window has begun anew"
    monkeypatch.setattr(settling, "settle_window", lambda _one: timedelta(0))  # and is over
    for _look in range(2):
        look_at_all(shop)
    sweeping.restored()
    assert states() == {State.SUCCEEDED: 1, State.FAILED: 1}
    assert replaying.replay().differences == []
    assert arm("--nothing-else-sends") == 0
    decisions.resend(CancellationRequest.objects.get(pk=untouched), by=by)
    delivery.drain(shop)
    assert len(platform.called) == len(set(platform.called)) == 2


@pytest.mark.django_db
@pytest.mark.parametrize("state", [State.SENDING, State.UNCERTAIN, State.ACCEPTED])
def test_R23_what_was_under_way_or_in_doubt_in_the_backup_has_its_settle_window_begin_anew(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = install(monkeypatch)
    shop = ask(platform, 1)
    restoring.may_send()
    pk = CancellationRequest.objects.values_list("pk", flat=True).get()
    lease = {"lease_until": Now() - timedelta(minutes=59)} if state == State.SENDING else {}
    put(pk, state, due_at=None if lease else Now(), readings=5, equal_readings=1, last_reading="open", **lease)
    assert arm("--restored") == 1
    sweeping.lost_sends()
    for _look in range(3):  # it was sent again just before the restore, and the platform does not show it yet
        look_at_all(shop)
        sweeping.restored()
    assert states() == {state if state == State.ACCEPTED else State.UNCERTAIN: 1}
    asked = CancellationRequest.objects.get(pk=pk)
    assert asked.readings == 3
    assert asked.equal_readings == 0
    sent_since(platform, pk)
    look_at_all(shop)
    assert states() == {State.SUCCEEDED: 1}
    assert replaying.replay().differences == []
    assert AuditEvent.objects.filter(verb="cancellation.restored").count() == (0 if lease else 1)


@pytest.mark.django_db
def test_R23_what_was_in_review_in_the_backup_is_read_again_and_what_cannot_be_read_stays_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    platform = install(monkeypatch)
    shop = ask(platform, 1)
    restoring.may_send()
    pk = CancellationRequest.objects.values_list("pk", flat=True).get()
    put(pk, State.UNCERTAIN, in_review=True, readings=8)
    sent_since(platform, pk)
    assert arm("--restored") == 1
    look_at_all(shop)
    assert states() == {State.SUCCEEDED: 1}


@pytest.mark.django_db
def test_R23_of_two_failed_ones_of_a_unit_one_after_the_other_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    platform = install(monkeypatch)
    shop = ask(platform, 1)
    restoring.may_send()
    first = CancellationRequest.objects.get()
    put(first.pk, State.FAILED)
    assert first.order
    (second,) = asking.request_cancellation(by=person(), order=first.order, units=[""], reason_code="out_of_stock")
    put(second.cancellation.pk, State.FAILED)
    sent_since(platform, first.pk)
    assert arm("--restored") == 1
    assert states() == {State.UNCERTAIN: 1, State.FAILED: 1}
    for _each in range(2):
        look_at_all(shop)
        sweeping.restored()
    assert states() == {State.SUCCEEDED: 2}
    assert replaying.replay().differences == []


@pytest.mark.django_db
def test_R23_bulks_that_came_with_a_backup_are_ended_and_their_rows_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    platform = install(monkeypatch)
    shop = open_shop()
    orders = many_orders(shop, 30, platform=platform)
    running, waiting = started(orders[:20]), planned(orders[20:])
    restoring.may_send()
    batch_tasks.running.advance(running.pk)
    assert arm("--restored") == 1
    batch_tasks.sweep()
    assert fresh(running).state == BatchState.STOPPED
    assert fresh(waiting).state == BatchState.DISCARDED
    assert set(states()) == {State.UNCERTAIN}
    delivery.drain(shop.pk)
    assert platform.called == []


@pytest.mark.services
@pytest.mark.parametrize("own", ["postgresql"], indirect=True)
def test_R23_a_machine_that_never_sent_notices_tables_that_were_made_anew(
    own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = install(monkeypatch)
    shop = ask(platform, 2)
    assert restoring.may_send()
    kept = Arming.objects.values().get()
    run("ALTER TABLE cancellations_arming RENAME TO away")
    run("CREATE TABLE cancellations_arming (LIKE away INCLUDING ALL)")
    run("DROP TABLE away CASCADE")
    Arming.objects.create(**kept)
    delivery.drain(shop)
    assert platform.called == []
    assert arming.standing() == Standing.RESTORED


@pytest.mark.django_db
def test_R23_a_mark_that_was_looked_at_does_not_disarm_again() -> None:
    made = stall("shoplazza")
    asking.request_cancellation(by=person(), order=made.orders()[0], units=[""], reason_code="out_of_stock")
    delivery.drain(made.shop.pk)
    last_send.note(Attempt(pk=4711), 1)  # of a send the database has lost
    assert not restoring.may_send()
    assert arm("--nothing-else-sends") == 0
    last_send.forget()
    last_send.note(Attempt(pk=4711), 1)  # another machine's mark is as old
    assert restoring.may_send()
    last_send.note(Attempt(pk=4711), 2)
    assert not restoring.may_send()


@pytest.mark.django_db
def test_R23_a_mark_read_while_another_is_half_written_over_it_is_read_again_and_disarms_nothing(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = install(monkeypatch)
    delivery.drain(ask(platform, 2))
    path, whole = Path(settings.DATA_DIR) / "last-send", []
    for attempt in Attempt.objects.filter(kind=Attempt.Kind.SEND).order_by("pk"):
        last_send.forget()
        last_send.note(attempt, 1)
        whole.append(path.read_bytes())
    older, newer = whole
    for written in range(len(newer)):
        path.write_bytes(newer[:written] + older[written:])
        monkeypatch.setattr(last_send, "sleep", lambda _seconds: path.write_bytes(newer), raising=False)
        assert restoring.may_send(), written
    assert not Arming.objects.get().disarmed_since


@pytest.mark.django_db
def test_R23_a_mark_of_a_version_that_wrote_no_checksum_still_counts(settings: Any) -> None:
    restoring.may_send()
    (Path(settings.DATA_DIR) / "last-send").write_text(f"{1:010d} {4711:020d} {uuid.uuid4()}\n")
    assert not restoring.may_send()


WRITER = """
import sys, uuid
import django; django.setup()
from cancellations.requests import last_send
from cancellations.requests.models import Attempt
while True:
    for number in (7, 7 * 10**17):
        last_send.note(Attempt(pk=number, uid=uuid.UUID(int=number)), 1)
        last_send._latest = (0, 0)
"""


def test_R23_beside_tight_writers_every_mark_that_is_read_is_a_whole_one(settings: Any) -> None:
    env = {**os.environ, "DATA_DIR": str(settings.DATA_DIR), "DJANGO_SETTINGS_MODULE": "config.settings"}
    writers = [subprocess.Popen([sys.executable, "-c", WRITER], env=env, cwd=ROOT) for _each in range(2)]
    try:
        read, deadline, ends = Counter[bool](), time.monotonic() + 30, 0.0
        while time.monotonic() < (ends or deadline):
            mark = last_send.noted()
            if mark:
                ends = ends or time.monotonic() + 3
                read[mark.uid.int == mark.attempt] += 1
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
    assert read[True] > 100
    assert read[False] == 0


@pytest.mark.django_db
def test_R23_every_page_and_the_operators_page_say_why_and_what_next(client: Client) -> None:
    stall("shoplazza")
    restoring.may_send()
    restoring.disarm("a test")
    client.force_login(person("admin"))
    for address in (reverse("home"), reverse("orders:list"), reverse("operations")):
        text = client.get(address).content.decode()
        assert "was restored from a backup" in text
        assert "manage.py arm" in text
    client.force_login(person())
    text = client.get(reverse("home")).content.decode()
    assert "was restored from a backup" in text
    assert "An admin has to mend it" in text


# -- A copy


class Tripwire:
    """Something that listens where the platform would be, and counts who comes."""

    def __init__(self) -> None:
        self.line = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.line.getsockname()[1]}"
        self.touched = 0
        threading.Thread(target=self._wait, daemon=True).start()

    def _wait(self) -> None:
        while True:
            try:
                caller, _where = self.line.accept()
            except OSError:
                return
            self.touched += 1
            caller.close()


@pytest.fixture
def tripwire() -> Iterator[Tripwire]:
    wire = Tripwire()
    yield wire
    wire.line.shutdown(socket.SHUT_RDWR)
    wire.line.close()


def move_to_another_id(settings: Any) -> None:
    settings.INSTALLATION_ID = "staging"


def move_to_another_place(settings: Any) -> None:
    connection.settings_dict["HOST"] = "staging.example"


@pytest.mark.django_db
@pytest.mark.parametrize("copied", [move_to_another_id, move_to_another_place])
def test_R24_not_a_byte_leaves_a_copy_with_live_credentials(
    copied: Any, tripwire: Tripwire, settings: Any, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PLATFORM_HOSTS = frozenset({tripwire.address})
    made = stall("shoplazza")
    order = made.orders()[0]
    asking.request_cancellation(by=person(), order=order, units=[""], reason_code="out_of_stock")
    made.shop.base_url = f"http://{tripwire.address}"
    made.shop.save()
    configuring.replace_credential(
        made.shop, dict(registry.PROVIDERS[made.slug].sandbox.credential), by=person("admin")
    )
    assert restoring.may_send()
    checkup.check_connection(made.shop, by=person("admin"))
    assert tripwire.touched > 0, "the wire is live"
    before, held = tripwire.touched, ShopHealth.objects.get(shop=made.shop).held_since

    monkeypatch.setitem(connection.settings_dict, "HOST", connection.settings_dict["HOST"])
    copied(settings)
    Pulse.objects.all().delete()
    tasks.sweep()
    delivery.drain(made.shop.pk)
    sync.pull(made.shop)
    sweeping.probe(made.shop.pk)
    CancellationRequest.objects.update(state=State.UNCERTAIN)
    look_at_all(made.shop.pk)
    with pytest.raises(AuthFailed, match="another installation"):
        lookup.read_fresh(made.shop, order.ref)
    checkup.check_connection(made.shop, by=person("admin"))
    client.force_login(person("admin"))
    text = client.get(reverse("operations")).content.decode()
    assert tripwire.touched == before
    assert ShopHealth.objects.get(shop=made.shop).held_since == held, "the shop is not to blame"
    assert not Pulse.is_heard(), "a worker that may not send does not count as one"
    assert "belongs to another installation" in text
    assert "INSTALLATION_ID" in text


@pytest.mark.django_db
def test_R24_a_fresh_installation_arms_itself_and_its_id_stays_outside_the_database(settings: Any) -> None:
    made = stall("shoplazza")
    asking.request_cancellation(by=person(), order=made.orders()[0], units=[""], reason_code="out_of_stock")
    delivery.drain(made.shop.pk)
    assert len(made.called()) == 1
    row = Arming.objects.get()
    assert row.installation == arming.digest()
    path = Path(settings.DATA_DIR) / "installation"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text() not in repr(Arming.objects.values())


@pytest.mark.django_db
def test_R24_a_moved_database_is_armed_by_a_person_and_what_came_with_it_is_read(settings: Any) -> None:
    made = stall("shoplazza")
    asking.request_cancellation(by=person(), order=made.orders()[0], units=[""], reason_code="out_of_stock")
    assert restoring.may_send()
    settings.INSTALLATION_ID = "the new machine"
    delivery.drain(made.shop.pk)
    assert made.called() == []
    assert arm() == 1
    assert arm("--nothing-else-sends") == 0
    assert states() == {State.UNCERTAIN: 1}
    assert restoring.may_send()
    assert AuditEvent.objects.filter(verb="sending.armed").count() == 1
