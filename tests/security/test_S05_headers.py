"""S5: the strict headers, with every answer there is: pages, faults, redirects, files."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as used
from django.test import Client, override_settings

from cancellations.orders import search
from cancellations.requests.progress import moment
from cancellations.requests.wording import headline
from tests.desk import PASSWORD
from tests.security.ground import ROUTES, House, build
from tests.security.test_S01_routes import TABLE, undone

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = (
    "unsafe-inline",
    "unsafe-eval",
    "unsafe-hashes",
    "data:",
    "blob:",
    "*",
    "http:",
    "https:",
    "strict-dynamic",
)


def faults_of(answer: Any, *, whose: str) -> list[str]:
    """Return what is missing from an answer's headers."""
    said, found = answer.headers, []
    policy = {part.split()[0]: part.split()[1:] for part in said.get("Content-Security-Policy", "none").split(";")}
    for kind in ("default-src", "base-uri", "object-src", "frame-ancestors"):
        if policy.get(kind) != ["'none'"]:
            found.append(f"{kind} {policy.get(kind)}")
    found += [f"{kind} {word}" for kind, words in policy.items() for word in words if word in FORBIDDEN]
    if policy.get("form-action") != ["'self'"] or policy.get("script-src") != ["'self'"]:
        found.append("form-action or script-src")
    wanted = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    found += [f"{name}: {said.get(name)}" for name, value in wanted.items() if said.get(name) != value]
    if whose != "static" and "no-store" not in said.get("Cache-Control", ""):
        found.append(f"Cache-Control: {said.get('Cache-Control')}")
    if "Server" in said or "X-Powered-By" in said:
        found.append("it says what it is made of")
    return [f"{whose}: {one}" for one in found]


def broken(*_: Any, **__: Any) -> None:
    raise RuntimeError("provoked")


def provoked(house: House, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return one answer of each kind of fault, by what it is."""
    admin, nobody = house.client("admin"), house.client("anonymous")
    said = headline(house.cancellation)
    found = {
        "400 host": nobody.get("/", headers={"Host": "evil.example"}),
        "403 role": house.client("agent").get("/people/"),
        "403 token": Client(enforce_csrf_checks=True).post("/accounts/login/", {"login": "x"}),
        "404": admin.get("/orders/987654/"),
        "404 anonymous": nobody.get("/nothing/here/"),
        "404 signup": nobody.get("/accounts/closed/signup/"),
        "405": admin.post("/"),
        "405 anonymous": nobody.put("/healthz/"),
        "301 slash": admin.get("/orders"),
        "404 static": nobody.get("/static/no-such-file.js"),
        "302 door": nobody.get("/"),
        "htmx door": nobody.get("/", headers={"HX-Request": "true"}),
        "303": admin.post("/me/", {"language": "", "time_zone": ""}),
        "422": admin.post(house.url("orders:cancel")),
        "204": admin.get(house.url("requests:status") + f"?moment={moment(house.cancellation, said)}"),
        "export": admin.post("/audit/export/csv/"),
    }
    with override_settings(ACCOUNT_RATE_LIMITS={"login": "1/m/ip"}):
        for _ in range(2):
            found["429"] = nobody.post("/accounts/login/", {"login": "admin", "password": "wrong"})
    with monkeypatch.context() as patched:
        patched.setattr(search, "_list", broken)
        found["500"] = admin.get("/orders/")
    return found


@pytest.mark.django_db
def test_S05_every_route_carries_the_strict_headers() -> None:
    house, missing = build(), []
    for role in ("admin", "anonymous"):
        for route in ROUTES():
            for method in ("GET", "POST", "PUT"):
                browser = house.client(role)
                answer = undone(lambda: browser.generic(method, house.url(route)))  # noqa: B023 - done at once
                missing += [f"{method} {role} {one}" for one in faults_of(answer, whose=route)]
    assert not missing, "\n".join(missing)
    assert len(TABLE) == len(ROUTES())


@pytest.mark.django_db
def test_S05_faults_and_redirects_carry_the_strict_headers_too(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, missing = provoked(build(), monkeypatch), []
    for whose, answer in answers.items():
        if whose[:3].isdigit():
            assert answer.status_code == int(whose[:3]), whose
        missing += faults_of(answer, whose=whose)
    assert not missing, "\n".join(missing)


@pytest.mark.django_db
def test_S05_a_page_of_data_is_kept_by_no_cache_and_varies_by_whom_it_is_for() -> None:
    house = build()
    for route, answers in TABLE.items():
        if "GET" in answers:
            answer = house.client("admin").get(house.url(route))
            if not answer.streaming and answer.status_code == 200 and route != "health":
                assert "Cookie" in answer.headers["Vary"], route


INSIDE = """
import django, json, os
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("createcachetable", verbosity=0)
call_command("collectstatic", verbosity=0, interactive=False)
from django.test import Client, override_settings
from cancellations.people.models import Person
Person.objects.create_user("admin1", password={password!r}, role="admin", every_shop=True)
said = []
def note(what, answer):
    said.append((what, answer.status_code, dict(answer.headers.items()),
                 {{n: {{k: m[k] for k in ("secure", "httponly", "samesite", "path", "domain")}}
                   for n, m in answer.cookies.items()}}))
browser = Client(raise_request_exception=False, headers={{"Host": "desk.example.com"}})
note("to https", browser.get("/orders/"))
note("health in the clear", browser.get("/healthz/"))
note("door", browser.get("/accounts/login/", secure=True))
note("in", browser.post("/accounts/login/", {{"login": "admin1", "password": {password!r}}}, secure=True))
note("home", browser.get("/", secure=True))
note("language", browser.post("/me/language/", {{"language": "en"}}, secure=True))
note("nothing", browser.get("/nothing/", secure=True))
note("host", browser.get("/", secure=True, headers={{"Host": "evil.example"}}))
note("static", browser.get("/static/" + json.load(open(os.environ["DATA_DIR"] + "/static/staticfiles.json"))
     ["paths"]["js/app.js"], secure=True))
print("SAID" + json.dumps(said))
"""


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what a production says, by occasion: status, headers, cookies."""
    folder = tmp_path_factory.mktemp("production")
    env = {
        "PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "DATA_DIR": str(folder), "LOG_LEVEL": "ERROR",
        "ALLOWED_HOSTS": "desk.example.com", "SECRET_KEY": "tests-only-" + "s" * 50,
        "CREDENTIAL_KEYS": ",".join(used.CREDENTIAL_KEYS), "AUDIT_KEYS": ",".join(used.AUDIT_KEYS),
        "SEARCH_KEY": used.SEARCH_KEY,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", INSIDE.format(password=PASSWORD)],
        cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert "SAID" in done.stdout, done.stderr[-3000:]
    return {what: rest for what, *rest in json.loads(done.stdout.partition("SAID")[2])}


def test_S05_over_https_every_answer_says_so_for_a_year(secure: dict[str, Any]) -> None:
    for what, (_status, headers, _cookies) in secure.items():
        if what not in ("to https", "health in the clear"):  # browsers ignore it there
            assert headers.get("Strict-Transport-Security") == "max-age=31536000; includeSubDomains; preload", what


def test_S05_in_the_clear_one_is_sent_to_https_and_only_health_is_answered(secure: dict[str, Any]) -> None:
    status, headers, cookies = secure["to https"]
    assert (status, headers["Location"], cookies) == (301, "https://desk.example.com/orders/", {})
    assert secure["health in the clear"][0] == 200
    assert secure["host"][0] == 400


def test_S05_cookies_are_bound_to_the_host_and_out_of_reach_of_script(secure: dict[str, Any]) -> None:
    met = {}
    for _status, _headers, cookies in secure.values():
        met |= cookies
    assert {"__Host-session", "__Host-csrf", used.LANGUAGE_COOKIE_NAME} == set(met)
    for name, facts in met.items():
        assert facts["secure"], name
        assert facts["httponly"], name
        assert facts["samesite"] == "Lax", name
        assert facts["path"] == "/", name
        assert not facts["domain"], name


def test_S05_a_production_sends_the_strict_headers_with_redirects_and_files_as_well(secure: dict[str, Any]) -> None:
    class Answer:
        def __init__(self, headers: dict[str, str]) -> None:
            self.headers = headers

    missing = []
    for what, (_status, headers, _cookies) in secure.items():
        missing += faults_of(Answer(headers), whose="static" if what == "static" else what)
    assert not missing, "\n".join(missing)
