"""S13: a message is a doorbell. Whatever somebody writes into the broker, nothing is sent that nobody asked for."""

import base64
import json
import pickle
import random
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from kombu import Connection
from kombu.exceptions import ContentDisallowed
from kombu.serialization import loads

from cancellations.orders.tasks import import_file, sync_due, sync_shop
from cancellations.reasons.tasks import refresh_reasons
from cancellations.requests import tasks
from cancellations.requests.models import CancellationRequest
from tests.security.ground import House, build

pytestmark = pytest.mark.django_db
OURS = "cancellations."


class Bomb:
    """Says so when somebody unpickles it."""

    def __reduce__(self) -> Any:
        return (Path.touch, (Path(settings.DATA_DIR) / "exploded",))


ODD: list[Any] = [
    0, -1, 1, 2**31, 2**63, 2**70, 10**400, 1.5, float("nan"), True, None, "", "1", "1; DROP TABLE x", "../../1", "\x00",
    "x" * 100_000, [], [1], {}, {"pk": 1}, {"__class__": "x"}, "\ud83d",
]  # fmt: skip


def queue_all(house: House) -> None:
    """Leave one request queued and finish it, so that nothing at all is queued any more."""
    tasks.deliver(house.stall.shop.pk)
    assert len(house.stall.called()) == 1


def test_S13_a_thousand_forged_messages_send_nothing() -> None:
    house = build()
    queue_all(house)
    luck = random.Random(13)
    known = [tasks.deliver, tasks.reconcile, tasks.probe, sync_shop, import_file, refresh_reasons]
    ids: list[Any] = [*ODD, house.stall.shop.pk, house.elsewhere.shop.pk, house.cancellation.pk, house.order.pk]
    raised = set()
    for _ in range(1000):
        task, args = luck.choice(known), [luck.choice(ids)]
        args += [luck.choice(ids)] * (luck.random() < 0.1)
        try:
            task(*args)
        except Exception as error:  # noqa: BLE001 - the worker catches all; here the kinds are counted
            raised.add(type(error).__name__)
    assert len(house.stall.called()) == 1
    assert house.elsewhere.called() == []
    assert CancellationRequest.objects.count() == 1
    assert not raised & {"OperationalError", "IntegrityError", "MemoryError"}


def test_S13_what_is_not_queued_is_not_sent_however_often_somebody_rings() -> None:
    house = build()
    for state in (
        "pending_approval",
        "withdrawn",
        "declined",
        "rejected",
        "failed",
        "uncertain",
        "accepted",
        "succeeded",
    ):
        CancellationRequest.objects.update(state=state, due_at=None)
        for _ in range(3):
            tasks.deliver(house.stall.shop.pk)
    assert house.stall.called() == []


def test_S13_a_switched_off_or_held_shop_sends_nothing_however_often_somebody_rings() -> None:
    house = build()
    house.stall.shop.active = False
    house.stall.shop.save()
    for _ in range(5):
        tasks.deliver(house.stall.shop.pk)
    assert house.stall.called() == []


def test_S13_doubled_and_reordered_messages_send_once() -> None:
    house = build()
    messages = [(tasks.deliver, house.stall.shop.pk), (tasks.reconcile, house.cancellation.pk),
                (tasks.probe, house.stall.shop.pk), (sync_shop, house.stall.shop.pk)] * 20  # fmt: skip
    random.Random(7).shuffle(messages)
    for task, pk in messages:
        task(pk)
    tasks.sweep()
    sync_due()
    assert len(house.stall.called()) == len(house.stall.performed()) == 1


def test_S13_only_json_is_read() -> None:
    assert list(settings.CELERY_ACCEPT_CONTENT) == ["json"]
    assert current_app.conf.accept_content == ["json"]
    assert current_app.conf.task_serializer == "json"
    assert current_app.conf.result_backend in (None, "disabled://")
    assert current_app.conf.worker_enable_remote_control is False
    body = pickle.dumps([[Bomb()], {}, {}])
    for kind in ("application/x-python-serialize", "application/x-yaml", "application/x-msgpack", "text/plain"):
        with pytest.raises(ContentDisallowed):
            loads(body, kind, "binary", accept=["json"])
    assert not (Path(settings.DATA_DIR) / "exploded").exists()


def test_S13_the_programs_tasks_are_those_of_the_table_and_take_ids_only() -> None:
    current_app.loader.import_default_modules()
    ours = {name for name in current_app.tasks if name.startswith(OURS)}
    assert ours == {
        "cancellations.batches.tasks.plan", "cancellations.batches.tasks.advance", "cancellations.batches.tasks.sweep",
        "cancellations.requests.tasks.deliver", "cancellations.requests.tasks.reconcile",
        "cancellations.requests.tasks.check", "cancellations.requests.tasks.probe", "cancellations.requests.tasks.sweep", "cancellations.orders.tasks.sync_shop",
        "cancellations.orders.tasks.sync_due", "cancellations.orders.tasks.import_file", "cancellations.audit.tasks.seal",
        "cancellations.audit.tasks.verify_chain", "cancellations.reasons.tasks.refresh_reasons",
    }  # fmt: skip
    assert all(name.startswith((OURS, "celery.")) for name in current_app.tasks)


def forged(task: str, args: list[Any], **more: Any) -> dict[str, Any]:
    """Return a message as it lies in the spool."""
    body = base64.b64encode(json.dumps([args, {}, {"callbacks": [], "chain": None}]).encode()).decode()
    one = str(uuid.uuid4())
    return {
        "body": body,
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "py", "task": task, "id": one, "root_id": one, "retries": 0, "argsrepr": "x" * 1000, **more},
        "properties": {
            "correlation_id": one, "delivery_mode": 2, "delivery_tag": one, "body_encoding": "base64",
            "delivery_info": {"exchange": "", "routing_key": "celery"}, "priority": 0,
        },
    }  # fmt: skip


def forgeries(luck: random.Random, count: int, ids: list[int]) -> Iterator[dict[str, Any]]:
    """Yield messages as somebody who can write into the broker might put there."""
    current_app.loader.import_default_modules()
    ours = sorted(name for name in current_app.tasks if name.startswith(OURS))
    pickled = base64.b64encode(pickle.dumps([[Bomb()], {}, {}])).decode()
    for _ in range(count):
        task = luck.choice([*ours, *ours, "os.system", "builtins.eval", "celery.chain", "celery.backend_cleanup", ""])
        args = [luck.choice([*ids, *ids, *(one for one in ODD if one == one and one != "\ud83d")])]
        link = {"task": luck.choice(ours), "args": [luck.choice(ids)], "kwargs": {}, "options": {}}
        embed = luck.choice([{}, {}, {"callbacks": [link]}, {"chord": link}, {"chain": [link]}])
        one = forged(task, args)
        one["body"] = base64.b64encode(json.dumps([args, luck.choice([{}, {"shell": True}]), embed]).encode()).decode()
        kind = luck.randrange(20)
        if kind == 0:
            one |= {"content-type": "application/x-python-serialize", "body": pickled}
        elif kind == 1:
            one |= {"content-type": luck.choice(["application/x-yaml", "text/plain", "application/data"])}
        elif kind == 2:
            one["body"] = base64.b64encode(json.dumps([["x" * 1_000_000], {}, {}]).encode()).decode()
        elif kind == 3:
            one["headers"] = luck.choice([{}, {"task": task}, {"id": None, "task": task}])
        elif kind == 4:
            one["body"] = luck.choice(["", "e30=", "W10=", "bnVsbA==", one["body"][: len(one["body"]) // 8 * 4]])
        yield one


def test_S13_a_worker_reads_a_folder_of_forgeries_and_sends_nothing(tmp_path: Path) -> None:
    """Pickles, chains to unknown tasks, huge and torn files, straight into the spool; a real consumer takes them."""
    house = build()
    queue_all(house)
    spool = tmp_path / "spool"
    spool.mkdir()
    shop, one = house.stall.shop.pk, house.cancellation.pk
    messages: list[Any] = [
        forged("cancellations.requests.tasks.deliver", [shop]), forged("cancellations.requests.tasks.resend", [one]),
        forged("os.system", ["touch exploded"]), forged("celery.backend_cleanup", []), forged("builtins.eval", ["1"]),
        forged("cancellations.requests.tasks.deliver", [{"a": [1] * 10_000}]),
        forged("cancellations.requests.tasks.deliver", [], reply_to="elsewhere", chain=[{"task": "os.system"}]),
        {**forged("cancellations.requests.tasks.deliver", [shop]), "content-type": "application/x-python-serialize",
         "body": base64.b64encode(pickle.dumps([[Bomb()], {}, {}])).decode()},
        {"body": "", "properties": {}}, {}, [], 7, None, "text", {"body": None, "properties": None, "headers": None},
    ]  # fmt: skip
    for number, message in enumerate(messages):
        (spool / f"{number:020d}_{uuid.uuid4().hex}.celery.msg").write_text(json.dumps(message))
    (spool / f"{98:020d}_torn.celery.msg").write_bytes(b'{"body": "abc')
    (spool / f"{99:020d}_noise.celery.msg").write_bytes(pickle.dumps(Bomb()))
    ran, refused = consume(spool, tmp_path)
    assert ran >= 2
    assert refused >= 5
    assert len(house.stall.called()) == 1
    assert not (Path(settings.DATA_DIR) / "exploded").exists()
    assert not list(spool.glob("*.celery.msg")), "a message nobody can read holds up those behind it"


def consume(spool: Path, folder: Path) -> tuple[int, int]:
    """Take every message as a worker does: JSON only, known tasks only; return how many ran and were refused."""
    ran = refused = 0
    options = {"data_folder_in": str(spool), "data_folder_out": str(spool), "control_folder": str(folder / "control")}
    with Connection("filesystem://", transport="config.spool:Transport", transport_options=options) as link:
        queue = link.SimpleQueue("celery")
        queue.consumer.accept = {"application/json"}
        for _ in range(60):
            try:
                message = queue.get(block=False)
            except queue.Empty:
                break
            except Exception:  # noqa: BLE001 - as the worker's consumer does
                refused += 1
                continue
            try:
                args, _options, _embed = message.payload
                task = current_app.tasks[message.headers["task"]]
                task(*args)
                ran += 1
            except Exception:  # noqa: BLE001 - as the worker's tracer does
                refused += 1
            message.ack()
        queue.close()
    return ran, refused
