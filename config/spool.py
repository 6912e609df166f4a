"""The embedded broker: kombu's filesystem transport, made safe against crashes and half-written files.

A message is written under a temporary name and renamed into place, taken by a rename, and set aside when it cannot be
read. One folder serves both directions. Messages are doorbells: a lost one costs a few seconds, never a request.
"""

import fcntl
import os
import threading
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import filesystem
from kombu.utils.encoding import bytes_to_str, str_to_bytes
from kombu.utils.json import dumps, loads

_TAKEN = ".taken"
_ODD = ".unreadable"
_binding = threading.Lock()


class Channel(filesystem.Channel):
    """Files named ``<time>_<uuid>.<queue>.msg`` in one folder."""

    def _folder(self) -> Path:
        folder = Path(self.transport_options["data_folder_in"])
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def queue_bind(self, *args: Any, **more: Any) -> None:
        # kombu calls a queue bound before it is written down: a message another thread puts meanwhile would go nowhere
        with _binding:
            super().queue_bind(*args, **more)

    def _queue_bind(self, exchange: str, routing_key: str | None, pattern: str | None, queue: str | None) -> None:
        Path(self.transport_options["control_folder"]).mkdir(parents=True, exist_ok=True)
        wanted = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with (Path(self.transport_options["control_folder"]) / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            table = self.get_table(exchange)
            if wanted in table:
                return
            file: Path = self._exchange_file(exchange)  # type: ignore[attr-defined]  # the stubs lack it
            new = file.with_suffix(f".{uuid.uuid4().hex}")
            new.write_text(dumps([wanted, *table]))
            new.replace(file)

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]  # kombu itself does
        name = f"{time.time_ns():020d}_{uuid.uuid4().hex}.{queue}.msg"
        folder = self._folder()
        new = folder / f".{name}.new"
        try:
            new.write_bytes(str_to_bytes(dumps(payload)))
            new.rename(folder / name)
        except OSError:  # a full disk must not fill up with halves
            new.unlink(missing_ok=True)
            raise

    def _waiting(self, queue: str) -> list[str]:
        ending = f".{queue}.msg"
        return sorted(name for name in os.listdir(self._folder()) if name.endswith(ending) and name[0] != ".")

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        folder = self._folder()
        for name in self._waiting(queue):
            mine = folder / f".{name}{_TAKEN}"
            try:
                (folder / name).rename(mine)
            except FileNotFoundError:
                continue  # another worker took it
            try:
                payload = loads(bytes_to_str(mine.read_bytes()))
            except ValueError:
                mine.rename(folder / f".{name}{_ODD}")
                continue
            mine.unlink()
            return payload
        raise Empty

    def _size(self, queue: str) -> int:
        return len(self._waiting(queue))

    def _purge(self, queue: str) -> int:
        names = self._waiting(queue)
        for name in names:
            (self._folder() / name).unlink(missing_ok=True)
        return len(names)


class Transport(filesystem.Transport):
    """What ``CELERY_BROKER_TRANSPORT`` names."""

    Channel = Channel
    polling_interval = 0.1
