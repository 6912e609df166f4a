"""S15: whatever is sent, no answer shows how the house is built; what breaks has a number, on the page and in the log."""

import html
import io
import logging
import random
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from tests.security.ground import House, build
from tests.security.payloads import PAYLOADS
from tests.security.test_S01_routes import TABLE, undone
from tests.security.test_S16_injection import ATTACKS

REQUESTS, SEED = 5000, 15
BROKEN_EACH = 25  # every so many requests the database breaks in the middle of one
SECRET = "canary-of-the-database: SELECT sealed FROM cancellations_credential"
TRACES = re.compile(
    r'Traceback|File "|line \d+, in |/site-packages/|\.py\b|SELECT |INSERT INTO|Exception|DoesNotExist|OperationalError'
    r"|canary-of|DJANGO_|SECRET_KEY|ROOT_URLCONF|at 0x[0-9a-f]{6,}"
)
ODD = [
    "", " ", "0", "-1", "1.5", "1e309", "NaN", "2147483648", "9" * 40, "0x10", "١٢", "true", "null", "undefined", "on",
    "\x00", "a\x00b", "\ud83d", "\u202e", "\r\nX: y", "../../etc/passwd", "%2e%2e%2f", "%", "%zz", "2026-02-30", "0000-00-00",
    "9999-12-31T23:59:59+99:99", "UTC", "zh-hans", "x" * 5000, "[]", "{}", '{"a": ', "a[]", "a[b]", "|", ",,,", "\ufeff",
]  # fmt: skip
VALUES = [*ODD, *ATTACKS, *(one[:2000].encode("utf-8", "replace").decode() for one in PAYLOADS[::4])]
HEADERS: list[dict[str, str]] = [
    {}, {}, {}, {"HX-Request": "true"}, {"HX-Request": "true", "HX-Current-URL": "http://[::1/%"}, {"HX-Target": "\u00e9"},
    {"Accept-Language": "x" * 300}, {"Accept-Language": "zh,*;q=nan"}, {"Cookie": "session=\x7f; csrf=; =x; ;;"},
    {"Content-Type": "text/nonsense; charset=utf-99"}, {"Content-Length": "-5"}, {"X-Forwarded-For": "a, b, c\x01"},
    {"Range": "bytes=9-1"}, {"If-Modified-Since": "yesterday"}, {"Origin": "null"}, {"Accept-Encoding": "\u00ff"},
]  # fmt: skip
BODIES = [
    (b'{"a": 1', "application/json"), (b"--x\r\nContent-Disposition: form-data", "multipart/form-data; boundary=x"),
    (b"", "multipart/form-data; boundary=" + "y" * 300), (b"a=%ff%fe&b=%", "application/x-www-form-urlencoded"),
    (b"&".join(b"a%d=1" % one for one in range(1200)), "application/x-www-form-urlencoded"), (b"\x00" * 100, "text/csv"),
    (b"a=1", "application/x-www-form-urlencoded; charset=utf-7"), (b"<x/>", "application/xml"),
]  # fmt: skip


class Luck:
    """Makes requests at random, the same ones for the same seed, out of what the pages themselves ask for."""

    def __init__(self, house: House) -> None:
        self.random, self.house = random.Random(SEED), house
        self.names, self.values = self._asked_for()

    def _asked_for(self) -> tuple[list[str], list[str]]:
        browser, names, values = self.house.client("admin"), {"q", "at", "page", "moment", "next"}, set()
        for route, answers in TABLE.items():
            if "GET" in answers:
                page = browser.get(self.house.url(route)).getvalue().decode(errors="replace")
                names |= set(re.findall(r'name="([\w.-]+)"', page)) - {"csrfmiddlewaretoken", "viewport"}
                values |= {html.unescape(one) for one in re.findall(r'value="([^"]{1,60})"', page)}
        assert len(names) > 40
        return sorted(names), sorted(values)

    def word(self) -> str:
        return self.random.choice(self.values if self.random.random() < 0.4 else VALUES)

    def fields(self) -> dict[str, Any]:
        some = {self.random.choice(self.names): self.word() for _ in range(self.random.randint(0, 6))}
        return {name: [value, self.word()] if self.random.random() < 0.1 else value for name, value in some.items()}

    def path(self) -> str:
        route = self.random.choice(list(TABLE))
        path = self.house.url(route)
        if self.random.random() < 0.15:
            cut = self.random.randrange(len(path))
            path = path[:cut] + self.random.choice(ATTACKS) + path[cut + 1 :]
        return path

    def send(self, browser: Client) -> Any:
        method = self.random.choices(["get", "post", "put", "delete", "options", "head"], [50, 40, 3, 3, 2, 2])[0]
        path, fields, headers = self.path(), self.fields(), self.random.choice(HEADERS)
        if method == "post" and self.random.random() < 0.15:
            body, kind = self.random.choice(BODIES)
            return browser.generic("POST", path, body, content_type=kind, headers=headers)
        if method == "post" and self.random.random() < 0.1:
            file: Any = io.BytesIO(self.word().encode("utf-8", "replace"))
            file.name = self.word().encode("ascii", "ignore").decode()[:80]
            fields["file"] = file
        if method in ("get", "post"):
            given = {name: value for name, value in fields.items() if is_sendable(value)}
            return getattr(browser, method)(path, given, headers=headers)
        return browser.generic(method.upper(), path, headers=headers)


def is_sendable(value: Any) -> bool:
    """Tell whether a browser could write it down at all."""
    return (
        "\ud83d" not in value if isinstance(value, str) else not isinstance(value, list) or all(map(is_sendable, value))
    )


@contextmanager
def database_breaks(at: int) -> Iterator[list[str]]:
    """Let one statement of those inside fail, with a text that nobody may see."""
    failed: list[str] = []
    count = iter(range(10_000))

    def execute(run: Any, sql: str, *rest: Any) -> Any:
        if next(count) == at and not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            failed.append(sql)
            raise OperationalError(SECRET)
        return run(sql, *rest)

    with connection.execute_wrapper(execute):
        yield failed


@pytest.mark.django_db
def test_S15_five_thousand_odd_requests_show_no_trace_and_what_breaks_has_a_number(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.ERROR, "django")
    house = build(count=6)
    luck, seen, faults = Luck(house), Counter[int](), []
    browsers = [house.client(role) for role in ("admin", "anonymous", "agent", "anonymous", "outsider")]
    keys = [one.cookies["session"].value if "session" in one.cookies else "" for one in browsers]
    for number in range(REQUESTS):
        at = number % len(browsers)
        broken = number % BROKEN_EACH == 0
        caplog.clear()
        with database_breaks(luck.random.randrange(8) if broken else -1) as failed:
            answer = undone(lambda: luck.send(browsers[at]))  # noqa: B023 - done at once
        if keys[at]:
            browsers[at].cookies["session"] = keys[at]
        seen[answer.status_code] += 1
        faults += [f"{number}: {one}" for one in faults_of(answer, caplog, broke=bool(failed))]
    assert not faults, f"seed {SEED}\n" + "\n".join(faults[:20])
    assert sum(seen.values()) == REQUESTS
    assert seen[500] > 50, "the database broke too seldom to mean anything"
    assert min(seen[code] for code in (200, 302, 403, 404, 405, 422)) > 20, seen


def faults_of(answer: Any, caplog: pytest.LogCaptureFixture, *, broke: bool) -> Iterator[str]:
    """Yield what an answer shows that it must not, or lacks."""
    where = f"{answer.request['REQUEST_METHOD']} {answer.request['PATH_INFO']}?{answer.request['QUERY_STRING'][:300]}"
    body = "" if answer.streaming else answer.content.decode("utf-8", "replace")
    if answer.status_code == 500:
        if not broke:
            yield f"{where} broke by itself: {caplog.text[-600:]}"
        incident = answer.headers["X-Incident"]
        if incident not in body and answer.request["REQUEST_METHOD"] != "HEAD":
            yield f"{where}: no incident on the page"
        if [one for one in caplog.records if incident in one.getMessage() and one.exc_info] == []:
            yield f"{where}: the incident is not in the log"
    if (answer.status_code == 500 or answer["Content-Type"].startswith("text/plain")) and (told := TRACES.search(body)):
        yield f"{where}: it shows {told[0]!r}"
    if SECRET[:20] in body:
        yield f"{where}: it shows what the database said"
