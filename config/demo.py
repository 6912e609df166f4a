"""``make demo``: the whole desk on loopback in one command, against the sandbox. Ctrl-C ends every child.

Everything it writes, keys included, goes into one folder of its own; only the compiled translations lie beside their
sources.
"""

import contextlib
import os
import signal
import socket
import sqlite3
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from config.family import ENDS, ROOT, CannotStart, WarmFamily
from config.keys import fresh_keys

ORDERS_EACH = 420


def environment(folder: Path, web: int, sandbox: int) -> dict[str, str]:
    """Return the demo's environment; its keys are made once and kept in the folder.

    Raises:
        CannotStart: The folder can't be written.
    """
    keys = folder / "keys.env"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not keys.exists():
            half = folder / "keys.env.new"  # renamed when whole, so that a start cut short leaves no half of it
            half.touch(mode=0o600)
            half.write_text("".join(f"{name}={value}\n" for name, value in fresh_keys().items()))
            half.replace(keys)
        (folder / ".writable").write_text("")
    except OSError as error:
        raise CannotStart(
            f"The folder {folder} can't be written ({error.strerror}): name another one with DEMO_DIR=…"
        ) from error
    stored = dict(line.split("=", 1) for line in keys.read_text().splitlines() if line)
    return {
        **stored,
        "ENV_FILE": os.devnull,
        "DATA_DIR": str(folder),
        "DATABASE_URL": "",
        "BROKER_URL": "spool",
        "CACHE_URL": "",
        "DEBUG": "false",
        "INSECURE_HTTP": "true",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "PLATFORM_HOSTS": f"127.0.0.1:{sandbox}",
        "LOG_LEVEL": "WARNING",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }


def keep(file: Path, env: Mapping[str, str]) -> None:
    """Write the demo's settings, so that commands can be tried against it with ``ENV_FILE``."""
    file.touch(mode=0o600)
    file.write_text("".join(f"{name}={value}\n" for name, value in env.items() if name != "ENV_FILE"))


def port_from(name: str, default: int) -> int:
    """Return the port a variable names; :class:`CannotStart` when that is none."""
    text = os.environ.get(name) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise CannotStart(f"{name} is {text!r}: a port is a number from 1 to 65535.")
    return int(text)


def check_port(port: int, name: str) -> None:
    """Raise :class:`CannotStart` when a port is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError as error:
            raise CannotStart(f"Port {port} may not be opened by you: choose one above 1023 with {name}=…") from error
        except OSError as error:
            raise CannotStart(
                f"Port {port} is in use: end what listens there, or choose another with {name}=…"
            ) from error


def main() -> None:
    """Start everything, say where it is, wait for Ctrl-C."""
    folder = Path(os.environ.get("DEMO_DIR") or ROOT / "data" / "demo").resolve()
    begun = time.monotonic()
    family: WarmFamily | None = None
    for number in ENDS:  # a shell's background job is started deaf to Ctrl-C
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup is meant
            signal.signal(number, signal.default_int_handler)
    try:
        web, sandbox = port_from("DEMO_PORT", 8000), port_from("SANDBOX_PORT", 8765)
        if web == sandbox:
            raise CannotStart(f"DEMO_PORT and SANDBOX_PORT are both {web}: choose two.")
        check_port(web, "DEMO_PORT")
        check_port(sandbox, "SANDBOX_PORT")
        env = environment(folder, web, sandbox)
        keep(folder / "settings.env", env)
        family = WarmFamily(env, folder)
        orders = ("--orders", str(ORDERS_EACH))
        family.start("sandbox", "providers.sandbox", "--port", str(sandbox), "--state",
                     str(folder / "sandbox.sqlite3"), *orders)  # fmt: skip
        family.load()
        prepare(family, folder, web, sandbox)
        say(web, sandbox, folder, time.monotonic() - begun)
        while not (gone := family.ended()):
            time.sleep(0.5)
        raise CannotStart(f"The {gone} ended; its last words are in {folder / (gone + '.log')}.")
    except CannotStart as reason:
        raise SystemExit(str(reason)) from None
    except KeyboardInterrupt:
        print("\nEnding…", flush=True)  # noqa: T201 - it talks to a terminal
    finally:
        for number in ENDS:  # a second Ctrl-C must not leave half of them running
            signal.signal(number, signal.SIG_IGN)
        if family:
            family.end()


def prepare(family: WarmFamily, folder: Path, web: int, sandbox: int) -> None:
    """Migrate and build, fill the index while the servers start, and wait until all answer."""
    address = f"http://127.0.0.1:{sandbox}"
    family.start("build", "manage", "build")
    family.run("fill", "manage", "demo", "--sandbox", address, "--step", "prepare")
    family.finish("build")
    begun = datetime.now(UTC)
    family.start("web", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{web}", "--workers", "1", "--threads", "8",
                 "--worker-class", "gthread", "--no-control-socket")  # fmt: skip
    family.start("worker", "celery", "-A", "config", "worker", "-P", "threads", "-c", "16", "-l", "WARNING",
                 "--without-gossip", "--without-mingle")  # fmt: skip
    family.wait_for("sandbox", address + "/")
    family.run("learn", "manage", "demo", "--sandbox", address, "--step", "learn")
    family.start("beat", "celery", "-A", "config", "beat", "-l", "WARNING", "--pidfile=")
    family.wait_for("web", f"http://127.0.0.1:{web}/healthz/")
    family.wait_until("worker", lambda: is_worker_heard(folder, begun))


def is_worker_heard(folder: Path, since: datetime) -> bool:
    """Tell whether a worker showed a sign of life since then, by the database itself."""
    with contextlib.closing(sqlite3.connect(folder / "rescind.sqlite3")) as database:
        row = database.execute("SELECT at FROM cancellations_pulse WHERE name = 'worker'").fetchone()
    return bool(row) and datetime.fromisoformat(row[0]).replace(tzinfo=UTC) >= since


def say(web: int, sandbox: int, folder: Path, seconds: float) -> None:
    """Print where everything is and how to sign in."""
    print(  # noqa: T201 - it talks to a terminal
        f"\nRescind is up ({seconds:.1f} s):  http://127.0.0.1:{web}/\n\n"
        + (folder / "fill.log").read_text()
        + f"\nThe sandbox platforms answer at http://127.0.0.1:{sandbox}/ ; logs and data are in {folder}."
        "\nCtrl-C ends everything.",
        flush=True,
    )


if __name__ == "__main__":
    main()
