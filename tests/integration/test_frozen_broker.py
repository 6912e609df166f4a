"""A broker that takes connections and never answers holds up nobody who asks for something."""

import socket
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from celery import current_app
from django.test import Client
from django.urls import reverse
from redis import Redis

from cancellations import ring
from cancellations.requests import sweeping, tasks
from cancellations.requests.models import CancellationRequest
from cancellations.requests.states import State
from tests.desk import Stall, person, stall

PUBLISH = ring._publish
# As config.settings has it for each kind of broker.
KINDS = {
    "redis://{}/0": {"socket_timeout": 5, "socket_connect_timeout": 2, "retry_on_timeout": True},
    "amqp://guest:guest@{}//": {"confirm_publish": True, "socket_timeout": 5},
}


class Broker:
    """Something in front of a real broker, or of none, that can stop to pass anything on."""

    def __init__(self, port: int = 0) -> None:
        self.line = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.line.getsockname()[1]}"
        self._port, self._flows, self.touched = port, threading.Event(), 0
        self._held: list[socket.socket] = []
        threading.Thread(target=self._take, daemon=True).start()

    def flow(self) -> None:
        self._flows.set()

    def freeze(self) -> None:
        self._flows.clear()

    def end(self) -> None:
        self.line.close()
        for one in self._held:
            one.close()

    def _take(self) -> None:
        while True:
            try:
                caller, _where = self.line.accept()
            except OSError:
                return
            self.touched += 1
            self._held.append(caller)
            if self._port:
                self._flows.wait()
                there = socket.create_connection(("127.0.0.1", self._port))
                self._held.append(there)
                for pair in ((caller, there), (there, caller)):
                    threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, here: socket.socket, there: socket.socket) -> None:
        try:
            while heard := here.recv(65536):
                self._flows.wait()
                there.sendall(heard)
        except OSError:
            pass


@pytest.fixture
def bell(rung: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return a function that has the doorbell ring for real, at a broker of this kind."""
    brokers: list[Broker] = []

    def wire(url: str, port: int = 0, **more: Any) -> Broker:
        broker = Broker(port)
        brokers.append(broker)
        monkeypatch.setitem(current_app.conf, "broker_write_url", url.format(broker.address))
        monkeypatch.setitem(current_app.conf, "broker_transport_options", {**KINDS[url], **more})
        monkeypatch.setattr(ring, "_publish", PUBLISH)
        return broker

    monkeypatch.setattr(ring, "_quiet_until", 0.0, raising=False)
    yield wire
    for broker in brokers:
        broker.end()


def cancel(client: Client, made: Stall, place: int) -> float:
    """Ask for an order by its form; return how many seconds the answer took."""
    order = made.orders()[place]
    given = {"reason": "out_of_stock", "note": "", "submission": str(uuid.uuid4()), "version": str(order.version)}
    begun = time.monotonic()
    answer = client.post(reverse("orders:cancel", args=[order.pk]), given)
    took = time.monotonic() - begun
    assert answer.status_code == 303
    return took


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("url", KINDS)
def test_R10_beside_a_frozen_broker_a_form_is_answered_within_three_seconds_and_what_it_asks_is_kept(
    url: str, client: Client, bell: Any, rung: list[Any]
) -> None:
    made = stall("shoplazza")
    client.force_login(person())
    broker = bell(url)
    assert cancel(client, made, 0) < 3
    assert broker.touched, "it was rung for"
    touched = broker.touched
    assert cancel(client, made, 1) < 1, "what did not answer just now is not tried again at once"
    assert broker.touched == touched
    begun = time.monotonic()
    assert sweeping.shops_with_work() == [made.shop.pk]
    tasks.sweep()
    tasks.deliver(made.shop.pk)
    assert time.monotonic() - begun < 3
    assert set(CancellationRequest.objects.values_list("state", flat=True)) == {State.SUCCEEDED}
    assert len(made.called()) == 2


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_R10_a_broker_that_freezes_while_it_is_in_use_is_given_up_as_soon_and_rung_again_once_it_thaws(
    client: Client, bell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, prefix = stall("shoplazza"), f"tests-{uuid.uuid4()}."
    client.force_login(person())
    broker = bell("redis://{}/0", 6379, global_keyprefix=prefix)
    there = Redis(port=6379)
    try:
        broker.flow()
        cancel(client, made, 0)
        assert there.llen(f"{prefix}celery") == 1
        broker.freeze()
        assert cancel(client, made, 1) < 3
        broker.flow()
        monkeypatch.setattr(ring, "_quiet_until", 0.0)
        cancel(client, made, 2)
        assert there.llen(f"{prefix}celery") >= 2
    finally:
        for key in there.keys(f"{prefix}*"):
            there.delete(key)
    assert CancellationRequest.objects.filter(state=State.QUEUED).count() == 3
