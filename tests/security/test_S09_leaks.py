"""S9: no secret and no buyer's datum is found anywhere, whatever goes well or wrong, with the log at DEBUG."""

import base64
import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from cancellations.orders import importing, sync
from cancellations.orders.models import FileImport, Order
from cancellations.reasons import refreshing
from cancellations.requests import asking, delivery, reconciliation
from cancellations.requests.models import CancellationRequest
from cancellations.shops import configuring, connection
from cancellations.shops.models import Shop, ShopHealth
from providers import registry
from providers.world import SandboxTransport
from tests.desk import Stall, learn_orders, person, stall, unit_of
from tests.security.canaries import Watch, as_text
from tests.security.hostile import hostile_shop

pytestmark = pytest.mark.django_db
WAYS: dict[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    "huaweicloud": ("huaweicloud", {}, {}),
    "huaweicloud-token": ("huaweicloud", {"auth": "token"}, {}),
    "wechat": ("wechat", {}, {}),
    "wechat-plain": ("wechat", {"token": "plain"}, {}),
    "sellercenter": ("sellercenter", {}, {}),
    "sellercenter-xml": ("sellercenter", {"format": "xml"}, {}),
    "shoplazza": ("shoplazza", {}, {}),
    "taobao": ("taobao", {}, {}),
    "taobao-xml": ("taobao", {"format": "xml", "sign_method": "hmac-sha256"}, {}),
}  # fmt: skip
USER_TOKEN = dict(registry.PROVIDERS["huaweicloud"].sandbox.token_credential)  # type: ignore[attr-defined]
TYPED = {
    "canary-typed<secret>&\"'/+=42": "a key typed into a form",
    "canary-from-the-environment-77": "a key from the environment",
    "canary-in-a-file-4242": "a key in a file",
    "canary-person-password-9": "a password in a file",
    "canary-wrong-password-1": "a wrong password",
    "canary-name-that-was-a-password": "a password typed as a name",
}
FILE = """\
[[person]]
username = "agent1"
password = "canary-person-password-9"
role = "agent"
{fault}
[[shop]]
name = "from-file-{name}"
platform = "{slug}"
environment = "live"
credential = {{ {keys} }}
"""


class Echo(httpx.BaseTransport):
    """A platform that, told to, answers nothing but what it was sent, and its own idea of our keys."""

    def __init__(self, inner: SandboxTransport, secrets: list[str]) -> None:
        self.inner, self.secrets, self.on = inner, secrets, ""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not self.on:
            return self.inner.handle_request(request)
        heard = request.read().decode("utf-8", "replace")
        coded = [
            base64.b64encode(f"{'desk'[:at]}:{one}:x".encode()).decode() for one in self.secrets for at in (1, 2, 3)
        ]
        words = " | ".join(
            [*(one for secret in self.secrets for one in (*as_text(secret), secret.encode().hex())), *coded]
        )
        said = {"message": words, "msg": words, "error": heard, "errors": [str(request.url)], "code": self.secrets[0],
                "error_msg": words, "error_code": words[:64], "errmsg": words, "errcode": 40001, "x": dict(request.headers)}  # fmt: skip
        body = json.dumps(said).encode() if self.on == "json" else f"<html>{said}</html>".encode()
        kind = "application/json" if self.on == "json" else "text/html"
        headers = {"content-type": kind, "x-request-id": self.secrets[0], "server": self.secrets[0]}
        return httpx.Response(401, headers=headers, stream=httpx.ByteStream(body))


def secrets_of(slug: str, credential: dict[str, Any]) -> list[str]:
    card = registry.PROVIDERS[slug].card
    return [str(credential[one.name]) for one in card.credential if one.kind == "secret" and credential.get(one.name)]


def buyers_of(made: Stall) -> dict[str, str]:
    found = {}
    for row in registry.PROVIDERS[made.slug].sandbox.rows(made.world):
        for column in ("buyer_name", "buyer_email", "buyer_phone"):
            value = row.get(column, "")
            if len(value) >= 6 or (value and not value.isascii() and len(value) >= 3):
                found[value] = column
    return found


@pytest.mark.parametrize("way", sorted(WAYS))
def test_S09_nothing_is_left_behind_by_a_whole_campaign(
    way: str, monkeypatch: pytest.MonkeyPatch, rung: list[Any], tmp_path: Path
) -> None:
    slug, options, _ = WAYS[way]
    watch = Watch()
    watch.begin(monkeypatch)
    made = stall(slug, count=24, learn=False)
    shop, admin = made.shop, person("admin", username="admin")
    credential = dict(registry.PROVIDERS[slug].sandbox.credential)
    if options:
        further = {"iam_url": shop.base_url} if "iam_url" in shop.options else {}
        shop.options = {**shop.options, **options, **further}
        shop.save()
    if options.get("auth") == "token":
        credential = dict(USER_TOKEN)
        configuring.replace_credential(shop, credential, by=admin)
    secrets = secrets_of(slug, credential)
    assert secrets
    watch.secrets |= dict.fromkeys(secrets, "a key of the shop") | TYPED
    watch.buyers |= buyers_of(made)
    assert len(watch.buyers) > 5
    learn_orders(made)
    browser = Client(raise_request_exception=False)
    browser.force_login(admin)
    campaign(made, watch, browser, admin, secrets)
    shop_pages(made, watch, browser, tmp_path, monkeypatch)
    handed_in(made, watch, browser)
    doors(watch)
    for page in ("/", "/orders/", "/cancellations/", "/audit/", "/shops/", f"/shops/{shop.name}/", "/reasons/",
                 "/reasons/lists/", "/people/", "/orders/pulls/", f"/shops/{shop.name}/keys/", "/orders/import/"):  # fmt: skip
        watch.browse(browser, "get", page)
    for cancellation in CancellationRequest.objects.all():
        watch.browse(browser, "get", f"/cancellations/{cancellation.pk}/")
    for shape in ("csv", "jsonl"):
        watch.browse(browser, "post", f"/audit/export/{shape}/")
    watch.see("rung", rung)
    watch.finish(files=Path(settings.DATA_DIR))
    assert len(watch.seen) > 100
    if way in ("wechat", "wechat-plain", "huaweicloud-token"):
        assert any(what.startswith("token") for what in watch.secrets.values())
    leaks = watch.leaks()
    assert not leaks, "\n".join(leaks[:6])


def campaign(made: Stall, watch: Watch, browser: Any, admin: Any, secrets: list[str]) -> None:
    """Cancel with every outcome there is, look at every page of it, look up and pull."""
    shop = made.shop
    inner = connection.TRANSPORTS[shop.base_url]
    assert isinstance(inner, SandboxTransport)
    echo = Echo(inner, secrets)
    connection.TRANSPORTS[shop.base_url] = echo
    plans = ["", "drop", "hang-after", "garbage-after", "html", "truncated", "huge", "limit", "auth", "json", "page"]
    for plan, order in zip(plans, made.orders(), strict=False):
        watch.browse(browser, "get", f"/orders/{order.pk}/")
        watch.browse(browser, "get", f"/orders/{order.pk}/fresh/", headers={"HX-Request": "true"})
        order = Order.objects.get(pk=order.pk)
        unit = unit_of(order)
        if plan and plan not in ("json", "page"):
            key = next((key for key, _ in made.world.all() if key in (unit, order.key, order.number)), order.key)
            made.world.plan(key, plan)
        form = {"reason": "out_of_stock", "note": "please", "version": order.version, "anyway": "on",
                "submission": f"6f0d4f62-0a4d-4a0e-9d75-{order.pk:012d}", "units": [unit] if unit else []}  # fmt: skip
        answer = watch.browse(browser, "post", f"/orders/{order.pk}/cancel/", form)
        assert answer.status_code == 303, answer.content.decode()[-2000:]
        echo.on = plan if plan in ("json", "page") else ""
        ShopHealth.objects.filter(shop=shop).update(held_since=None, wait_until=None, tokens=100, failures=0)
        queued = CancellationRequest.objects.filter(shop=shop, state="queued").order_by("-pk")
        queued.update(due_at=None)
        queued.filter(pk=queued[0].pk).update(due_at=timezone.now())
        delivery.drain(shop.pk)
        cancellation = CancellationRequest.objects.latest("pk")
        assert cancellation.attempts.exists(), plan
        reconciliation.reconcile(cancellation.pk)
        watch.browse(browser, "get", f"/shops/{shop.name}/")
        watch.browse(browser, "get", f"/cancellations/{cancellation.pk}/status/")
        watch.browse(browser, "get", f"/orders/{order.pk}/?fresh=1")
        watch.browse(browser, "get", f"/orders/lookup/{shop.name}/?q={order.number}")
        if echo.on:
            watch.browse(browser, "post", f"/shops/{shop.name}/check/", headers={"HX-Request": "true"})
            sync.pull(shop, pause=lambda _seconds: None)
            refreshing.refresh(shop)
    echo.on = ""
    states = set(CancellationRequest.objects.values_list("state", flat=True))
    assert "succeeded" in states
    assert len(states) > 1
    Shop.objects.get(pk=shop.pk)
    sync.pull(shop, pause=lambda _seconds: None)
    refreshing.refresh(shop)
    watch.browse(browser, "post", f"/shops/{shop.name}/check/", headers={"HX-Request": "true"})


def shop_pages(made: Stall, watch: Watch, browser: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forms with keys in them, good and bad ones, a fault of our own under them, and files."""
    card, typed = registry.PROVIDERS[made.slug].card, next(iter(TYPED))
    keys = {f"credential.{one.name}": typed if one.kind == "secret" else "someone" for one in card.credential}
    new = f"/shops/new/{made.slug}/create/"
    watch.browse(browser, "post", new, {"name": "", **keys})
    watch.browse(browser, "post", new, {"name": "new-one", "title": typed[:0], "environment": "nonsense", **keys})
    one = f"/shops/{made.shop.name}/keys/replace/"
    watch.browse(browser, "post", one, {name: value * 60 for name, value in keys.items()})
    watch.browse(browser, "post", one, {name: value + "\x00" for name, value in keys.items()})

    def break_down(*_args: Any, **_more: Any) -> None:
        raise RuntimeError("provoked")

    with monkeypatch.context() as patched:
        patched.setattr(configuring, "replace_credential", break_down)
        assert watch.browse(browser, "post", one, keys).status_code in (422, 500)
    good = {f"credential.{name}": value for name, value in registry.PROVIDERS[made.slug].sandbox.credential.items()}
    watch.browse(browser, "post", one, {**keys, **good})
    watch.browse(browser, "post", one, keys)
    delivery.drain(made.shop.pk)
    watch.browse(browser, "post", f"/shops/{made.shop.name}/check/")
    monkeypatch.setenv("CANARY_KEY", "canary-from-the-environment-77")
    fields = {one.name: one for one in card.credential if not one.when or "aksk" in one.when}
    for name, fault in (("good", ""), ("bad", 'nonsense = "canary-in-a-file-4242"'), ("torn", "[[[")):
        words = ", ".join(
            f'{key} = "canary-in-a-file-4242"'
            if number or one.kind != "secret"
            else f'{key} = {{ env = "CANARY_KEY" }}'
            for number, (key, one) in enumerate(fields.items())
        )
        file = folder / f"{name}.toml"
        file.write_text(FILE.format(fault=fault, name=name, slug=made.slug, keys=words))
        out = io.StringIO()
        try:
            call_command("configure", str(file), stdout=out, stderr=out)
        except CommandError as error:
            watch.see("configure", f"{error!r} {error}")
        watch.see("configure", out.getvalue())


def handed_in(made: Stall, watch: Watch, browser: Any) -> None:
    """A file of orders, with good lines and lines in which a buyer stands in the wrong place."""
    rows = list(registry.PROVIDERS[made.slug].sandbox.rows(made.world))
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    for row in rows[:6]:
        for column in ("placed_at", "status", "amount", "currency"):
            writer.writerow({**row, column: row["buyer_name"] or row["buyer_email"]})
    file = SimpleUploadedFile("orders.csv", text.getvalue().encode(), "text/csv")
    watch.browse(browser, "post", "/orders/import/", {"shop": made.shop.name, "file": file})
    handed = FileImport.objects.latest("pk")
    importing.run(handed.pk)
    handed.refresh_from_db()
    assert handed.bad > 5
    assert handed.good > 5
    watch.browse(browser, "get", f"/orders/import/{handed.pk}/")
    watch.browse(browser, "get", f"/orders/import/{handed.pk}/refused.csv")
    for buyer in list(watch.buyers)[:8]:  # what is searched for is on the page that answers, and nowhere else
        browser.get("/orders/", {"q": buyer})


def doors(watch: Watch) -> None:
    """Wrong passwords, and one that slipped into the field of the name."""
    for name, password in (("admin", "canary-wrong-password-1"), ("canary-name-that-was-a-password", "x")):
        answer = Client().post("/accounts/login/", {"login": name, "password": password})
        body = answer.content.decode()
        watch.see("door", body.replace(f'value="{name}"', ""))


def test_S09_the_watch_finds_a_canary_in_every_form() -> None:
    watch = Watch({"secret-canary/+<1>": "key"}, {"María Ángeles": "name"})
    for text in ("secret-canary/+<1>", "secret-canary%2F%2B%3C1%3E", base64.b64encode(b"abcsecret-canary/+<1>d").decode(),
                 base64.b64encode(b"abcdsecret-canary/+<1>d").decode(), "Mar\\u00eda \\u00c1ngeles", "Mar%C3%ADa%20%C3%81ngeles"):  # fmt: skip
        watch.seen = [("here", text)]
        assert watch.leaks(), text
    watch.seen = [("here", "M••• Á•••")]
    assert not watch.leaks()


def test_S09_a_fault_of_ours_over_an_answer_logs_no_word_of_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that stumbles may have a key or a buyer in its mouth; the log names the fault and the place."""
    watch = Watch({"secret-9f31c0-canary": "key"}, {"María Ángeles Núñez": "buyer"})
    watch.begin(monkeypatch)
    shop, mouth = hostile_shop(monkeypatch, unit="order")
    order = Order.objects.create(
        shop=shop, ref={"order_id": "1"}, key="1", number="1", placed_at=timezone.now(), seen_at=timezone.now()
    )
    mouth.outcome = KeyError("secret-9f31c0-canary", "María Ángeles Núñez")
    asking.request_cancellation(by=person(), order=order, units=[""], reason_code="other", note="x")
    delivery.drain(shop.pk)
    assert CancellationRequest.objects.get().state == "uncertain"
    assert any(
        "ClientFault: KeyError" in text and "hostile" in text for place, text in watch.seen if place.startswith("log")
    )
    watch.finish(files=Path(settings.DATA_DIR))
    assert not watch.leaks(), "\n".join(watch.leaks())


@pytest.fixture(autouse=True)
def empty_folder() -> None:
    """Files of other tests hold other tests' canaries."""
    shutil.rmtree(Path(settings.MEDIA_ROOT), ignore_errors=True)
