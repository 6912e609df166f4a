"""The token store: shared, sealed, bound to one shop, and refreshed by one at a time."""

import threading
import time

import pytest
from django.core.cache import cache
from django.db import connection as database

from cancellations.shops import tokens
from cancellations.shops.tokens import CachedTokens, LockBusy
from providers.errors import Unreachable

pytestmark = pytest.mark.django_db


def test_a_token_is_shared_by_all_stores_of_a_shop_and_by_no_other():
    CachedTokens(1, "scope").put("access", "token-canary", 60)
    assert CachedTokens(1, "scope").get("access") == "token-canary"
    assert CachedTokens(2, "scope").get("access") is None
    assert CachedTokens(1, "other credential").get("access") is None
    assert CachedTokens(1, "scope").get("refresh") is None


def test_S9_the_cache_holds_no_token_in_clear():
    CachedTokens(1, "scope").put("access", "token-canary", 60)
    with database.cursor() as cursor:
        cursor.execute("SELECT cache_key, value FROM cache")
        assert "token-canary" not in repr(cursor.fetchall())


def test_a_token_sealed_under_a_lost_key_counts_as_none(settings):
    CachedTokens(1, "scope").put("access", "t", 60)
    settings.CREDENTIAL_KEYS = ["other:" + "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI="]
    assert CachedTokens(1, "scope").get("access") is None


def test_a_token_that_is_past_its_time_is_not_kept():
    CachedTokens(1, "scope").put("access", "t", 0)
    assert CachedTokens(1, "scope").get("access") is None


def test_a_dropped_token_is_gone_and_a_newer_one_survives_a_late_drop():
    store = CachedTokens(1, "scope")
    store.put("access", "old", 60)
    store.drop("access", "old")
    assert store.get("access") is None
    store.put("access", "new", 60)
    store.drop("access", "old")
    assert store.get("access") == "new"


def test_the_same_token_may_be_put_again_after_it_was_dropped():
    store = CachedTokens(1, "scope")
    store.put("access", "same", 60)
    store.drop("access", "same")
    store.put("access", "same", 60)
    assert store.get("access") == "same"


class Interrupted:
    """The cache, with something that happens right before the next write."""

    def __init__(self, before):
        self._before = before

    def __getattr__(self, name):
        return getattr(cache, name)

    def set(self, *args):
        before, self._before = self._before, None
        if before:
            before()
        cache.set(*args)


def test_a_drop_that_read_before_a_newer_put_does_not_remove_it(monkeypatch):
    store = CachedTokens(1, "scope")
    store.put("access", "old", 60)
    monkeypatch.setattr(tokens, "cache", Interrupted(lambda: store.put("access", "new", 60)))
    store.drop("access", "old")
    assert store.get("access") == "new"


def test_a_busy_lock_raises_a_timeout_that_is_also_unreachable():
    held, other = CachedTokens(1, "scope"), CachedTokens(1, "scope", wait_seconds=0.2)
    with held.lock("access"):
        begun = time.monotonic()
        with pytest.raises(LockBusy) as caught, other.lock("access"):
            pass
        assert 0.2 <= time.monotonic() - begun < 2
    assert isinstance(caught.value, Unreachable)
    assert isinstance(caught.value, TimeoutError)
    with other.lock("access"):
        pass


def test_a_lock_that_became_somebody_elses_is_not_taken_from_them():
    first = CachedTokens(1, "scope")
    with first.lock("access"):
        key = first._key("access", "lock")
        cache.set(key, "somebody else", 60)
    assert cache.get(key) == "somebody else"


def test_a_lock_near_its_end_is_left_to_expire(monkeypatch):
    monkeypatch.setattr(tokens, "LOCK_SECONDS", 4)
    store = CachedTokens(1, "scope")
    with store.lock("access"):
        pass
    assert cache.get(store._key("access", "lock")) is not None


@pytest.mark.django_db(transaction=True)
def test_R18_of_many_threads_that_meet_a_missing_token_one_refreshes():
    fetched = []

    def work():
        store = CachedTokens(9, "scope")
        try:
            if store.get("access") is None:
                with store.lock("access"):
                    if store.get("access") is None:
                        time.sleep(0.2)
                        fetched.append(1)
                        store.put("access", "t", 60)
        finally:
            database.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fetched) == 1
