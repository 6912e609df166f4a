"""The embedded broker: nothing lost, nothing twice, whatever is half written."""

import threading
import time
from pathlib import Path

import pytest
from kombu import Connection, Exchange, Queue

from config.spool import Channel


def queue_of(folder: Path) -> Queue:
    """One queue per folder: kombu remembers bindings for the life of a process."""
    name = f"q{folder.name.replace('_', '')}"
    return Queue(name, Exchange(name), routing_key=name)


def spool(folder: Path) -> Connection:
    return Connection(
        "filesystem://",
        transport="config.spool:Transport",
        transport_options={
            "data_folder_in": str(folder / "spool"),
            "data_folder_out": str(folder / "spool"),
            "control_folder": str(folder / "control"),
        },
    )


def drain(folder: Path) -> list[int]:
    got: list[int] = []
    with spool(folder) as connection:
        queue = connection.SimpleQueue(queue_of(folder))
        while True:
            try:
                message = queue.get(timeout=0.3)
            except queue.Empty:
                break
            got.append(message.payload)
            message.ack()
        queue.close()
    return got


def publish(folder: Path, numbers: range) -> None:
    with spool(folder) as connection:
        queue = connection.SimpleQueue(queue_of(folder))
        for number in numbers:
            queue.put(number)
        queue.close()


def test_R10_four_publishers_and_four_takers_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    publishers = [threading.Thread(target=publish, args=(tmp_path, range(n * 50, n * 50 + 50))) for n in range(4)]
    for thread in publishers:
        thread.start()
    for thread in publishers:
        thread.join()
    got: list[int] = []
    takers = [threading.Thread(target=lambda: got.extend(drain(tmp_path))) for _ in range(4)]
    for thread in takers:
        thread.start()
    for thread in takers:
        thread.join()
    assert sorted(got) == list(range(200))


def test_R10_a_message_put_while_another_thread_binds_the_queue_arrives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bind, binding = Channel._queue_bind, threading.Event()

    def slowly(channel: Channel, *args: str | None) -> None:
        binding.set()
        time.sleep(0.2)
        bind(channel, *args)

    monkeypatch.setattr(Channel, "_queue_bind", slowly)
    first = threading.Thread(target=publish, args=(tmp_path, range(1)))
    first.start()
    assert binding.wait(10)
    publish(tmp_path, range(1, 2))
    first.join()
    assert sorted(drain(tmp_path)) == [0, 1]


def test_R10_an_unreadable_message_is_set_aside_and_the_next_one_comes(tmp_path: Path) -> None:
    publish(tmp_path, range(2))
    first = min(one for one in (tmp_path / "spool").iterdir() if one.suffix == ".msg")
    first.write_bytes(b'{"half": ')
    (tmp_path / "spool" / ".half.msg.new").write_bytes(b"{")
    assert drain(tmp_path) == [1]
    assert [one.name for one in (tmp_path / "spool").iterdir() if one.name.endswith(".unreadable")]


def test_R10_messages_come_in_the_order_they_were_put(tmp_path: Path) -> None:
    publish(tmp_path, range(20))
    assert drain(tmp_path) == list(range(20))


@pytest.mark.parametrize("times", [2, 5])
def test_R10_binding_a_queue_again_changes_nothing(tmp_path: Path, times: int) -> None:
    for _again in range(times):
        publish(tmp_path, range(1))
    assert drain(tmp_path) == [0] * times
