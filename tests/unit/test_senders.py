"""The threads of a worker that send, without a database: who gets one, and who is held up by whom."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from cancellations.requests import senders, silence
from cancellations.requests.senders import MOST_SLOW, Senders
from cancellations.shops.models import Shop


def wait_until(is_so: Callable[[], bool], seconds: float = 20.0) -> None:
    ends = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends, "it never came to be so"
        time.sleep(0.005)


@contextmanager
def at_work(serve: Callable[[int, int], float | None], most: int) -> Iterator[Senders]:
    made = Senders(serve)
    made.open(most)
    try:
        yield made
    finally:
        made.close()
        wait_until(lambda: made._threads == 0)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "SLOW_SECONDS", 0.3)
    monkeypatch.setattr(senders, "LOOK_SECONDS", 0.05)


def test_R17_a_shop_alone_has_every_thread() -> None:
    inside, together = Counter[int](), threading.Barrier(8)

    def serve(shop: int, _room: int) -> None:
        inside[shop] += 1
        together.wait(20)

    with at_work(serve, 8) as made:
        made.want(1)
        wait_until(lambda: inside[1] == 8)


def test_R17_two_busy_shops_have_half_each() -> None:
    left = threading.Event()

    def serve(shop: int, _room: int) -> float:
        left.wait(0.01)
        return 0.0

    with at_work(serve, 8) as made:
        made.want(1)
        wait_until(lambda: made.under_way(1) >= 7)
        made.want(2)
        wait_until(lambda: made.under_way(1) == made.under_way(2) == 4)


def test_R17_a_shop_that_hangs_leaves_the_others_their_throughput() -> None:
    """Shop 1 hangs; shops 2 to 4 answer in 20 ms. They make as many calls beside it as without it."""
    release, done = threading.Event(), itertools.count()

    def serve(shop: int, _room: int) -> float | None:
        if shop == 1:
            release.wait(30)
            return None
        time.sleep(0.02)
        next(done)
        return 0.0

    def most_calls() -> int:
        """Return the calls of the best of some moments: the others tell of what else the machine does."""

        def calls() -> int:
            before = next(done)
            time.sleep(0.5)
            return next(done) - before

        return max(calls() for _moment in range(4))

    with at_work(serve, 8) as made:
        for shop in (2, 3, 4):
            made.want(shop)
        time.sleep(0.2)
        alone = most_calls()
        made.want(1)
        wait_until(lambda: made.under_way(1) > 0)
        time.sleep(0.5)
        beside = most_calls()
        hanging = made.under_way(1)
        release.set()
    assert beside >= 0.9 * alone, (alone, beside)
    assert hanging <= MOST_SLOW


def test_R17_a_shop_that_hung_in_every_thread_holds_up_the_next_for_a_moment_only() -> None:
    release, answered = threading.Event(), threading.Event()

    def serve(shop: int, _room: int) -> None:
        if shop == 1:
            release.wait(30)
        else:
            answered.set()

    with at_work(serve, 4) as made:
        made.want(1)
        wait_until(lambda: made.under_way(1) == 4)
        made.want(2)
        assert answered.wait(10)
        assert made.under_way(1) == 4
        release.set()


def test_R17_a_budget_that_is_spent_holds_no_thread() -> None:
    asked, answered = Counter[int](), threading.Event()

    def serve(shop: int, _room: int) -> float | None:
        asked[shop] += 1
        if shop == 1:
            return 0.5
        answered.set()
        return None

    with at_work(serve, 1) as made:
        made.want(1)
        wait_until(lambda: asked[1] == 1)
        made.want(2)
        assert answered.wait(10)
        wait_until(lambda: asked[1] == 3)


def test_R10_a_bell_that_rings_while_the_last_is_looked_at_is_heard() -> None:
    asked, looking, go_on = Counter[int](), threading.Event(), threading.Event()

    def serve(shop: int, _room: int) -> None:
        asked[shop] += 1
        looking.set()
        go_on.wait(10)

    with at_work(serve, 1) as made:
        made.want(1)
        assert looking.wait(10)
        made.want(1)
        go_on.set()
        wait_until(lambda: asked[1] == 2)


def test_R20_who_is_told_to_end_begins_nothing_more() -> None:
    asked, inside, go_on = Counter[int](), threading.Event(), threading.Event()

    def serve(shop: int, _room: int) -> float:
        asked[shop] += 1
        inside.set()
        go_on.wait(10)
        return 0.0

    with at_work(serve, 1) as made:
        made.want(1)
        assert inside.wait(10)
        made.close()
        go_on.set()
        wait_until(lambda: made._threads == 0)
        made.want(1)
    assert asked[1] == 1


def test_R20_who_waits_for_the_end_sees_everything_sent_and_put_back() -> None:
    inside, told = threading.Event(), list[str]()

    def serve(_shop: int, _room: int) -> None:
        inside.set()
        time.sleep(0.3)
        told.append("sent")

    def tidy(everything: bool) -> None:
        if everything:
            time.sleep(0.2)
            told.append("put back")

    made = Senders(serve, tidy)
    made.open(1)
    made.want(1)
    assert inside.wait(10)
    made.close()
    made.join()
    assert "sent" in told
    assert told[-1] == "put back"
    assert not made._threads


def test_R09_the_last_thread_to_go_leaves_nothing_lying_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "IDLE_SECONDS", 0.1)
    shelf: list[int] = []

    def serve(shop: int, _room: int) -> None:
        shelf.append(shop)  # another thread was told meanwhile that nothing is due

    def tidy(everything: bool) -> None:
        if everything:  # it has not lain long
            shelf.clear()

    made = Senders(serve, tidy)
    made.open(2)
    made.want(1)
    wait_until(lambda: bool(shelf))
    wait_until(lambda: not shelf, seconds=5)


def test_R16_one_call_that_hangs_and_a_platform_that_answers_others_hold_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(silence, "SILENT_SECONDS", 0.5)
    one, many = Shop(pk=-1), Shop(pk=-2)
    free = threading.Event()

    def hang(shop: Shop) -> None:
        with silence.watched(shop):
            free.wait(20)

    calls = [threading.Thread(target=hang, args=(shop,)) for shop in (one, one, many, many, many)]
    for call in calls:
        call.start()
    ends = time.monotonic() + 0.8
    while time.monotonic() < ends:
        with silence.watched(many):
            time.sleep(0.05)
    assert silence.silent_shops() == []
    free.set()
    for call in calls:
        call.join()
