"""How many threads of this process one shop may take, so that one that hangs leaves room for the others."""

import threading
from collections import Counter
from collections.abc import Hashable


class Places:
    """At most so many at once for each key. Who finds no place is not forgotten: who leaves is told to look again."""

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, threading.Lock()
        self._taken: Counter[Hashable] = Counter()
        self._missed: set[Hashable] = set()

    def take(self, key: Hashable) -> bool:
        """Take a place, or return False because none is free."""
        with self._lock:
            if self._taken[key] >= self._most:
                self._missed.add(key)
                return False
            self._taken[key] += 1
            return True

    def leave(self, key: Hashable) -> bool:
        """Give it back; return whether somebody found none meanwhile, so that there may be work."""
        with self._lock:
            self._taken[key] -= 1
            if not self._taken[key]:
                del self._taken[key]
            missed = key in self._missed
            self._missed.discard(key)
            return missed
