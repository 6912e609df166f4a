"""Loads the product once and forks its processes, so that a killed one is replaced in a tenth of a second.

Reads orders from its input, a JSON object a line: ``{"name", "argv", "log", "env", "skew"}``; answers with the child's
process id, or for ``"wait": true`` with its exit code. Its children end with it.
"""

import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import django
import gunicorn.app.wsgiapp
import gunicorn.workers.gthread
import kombu.transport.pyamqp
import kombu.transport.redis  # noqa: F401
from django.core.management import execute_from_command_line

import config.spool  # noqa: F401
from config.celery import app

django.setup()

from tests.faults import filling, tripwires  # noqa: E402 - they read models


def _run(argv: list[str]) -> None:
    kind, rest = argv[0], argv[1:]
    if kind == "worker":
        app.worker_main(["worker", *rest])
    elif kind == "beat":
        app.start(["beat", *rest])
    elif kind == "gunicorn":
        sys.argv = ["gunicorn", *rest]
        gunicorn.app.wsgiapp.run()
    elif kind == "fill":
        filling.fill(rest[0])
    else:
        execute_from_command_line(["manage.py", *rest])


def _become(order: dict[str, Any]) -> None:
    """Be that process, in the child; never returns."""
    code = 1
    try:
        os.setsid()
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for from_, to in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(from_, to)
        sys.stdout, sys.stderr = os.fdopen(1, "w", 1), os.fdopen(2, "w", 1)
        os.environ.update(order.get("env", {}))
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        tripwires.install(Path(os.environ["TRIPWIRES"]), skew=float(order.get("skew", 0)))
        _run(order["argv"])
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
    except BaseException:  # noqa: BLE001 - a child must never go on as its parent
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    """Fork until the input ends."""
    app.loader.import_default_modules()
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if not pid:
            _become(order)
        if order.get("wait"):
            print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
        else:
            print(pid, flush=True)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass


if __name__ == "__main__":
    main()
