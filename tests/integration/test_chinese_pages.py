"""Every kind of page in Chinese: no English sentence is left, nobody is called 你, and no space follows a 。"""

import re
from html.parser import HTMLParser
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from cancellations.requests import asking
from providers.registry import PROVIDERS
from tests.desk import person, stall, unit_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("compiled")]
CHINESE = {"Accept-Language": "zh-hans"}
# Values sent to a platform, names of rights and headings of files stay as they are written there.
KEPT = ("Item out of stock", "Seller API Order Access", "Seller Center sandbox", "CSV UTF-8")
ENGLISH = re.compile(r"[A-Za-z][a-z'’]*(?:[ ,;]+[A-Za-z][a-z'’]*){3,}")
_INLINE = r"(?:</?(?:strong|b|a|span|q|time|code)\b[^>]*>)*"
SPACED = re.compile(rf"[。：，；！？]{_INLINE} +{_INLINE}[^\s<]+")
SPOKEN = ("aria-label", "title", "placeholder", "alt", "data-confirm", "data-confirm-title", "data-confirm-yes",
          "data-confirm-no", "data-word-copied", "data-word-trouble", "data-announce")  # fmt: skip


class Reader(HTMLParser):
    """Collects what is read or spoken, without what is data: quotes, code, values to choose, times."""

    DATA = frozenset({"q", "code", "pre", "script", "style", "option", "textarea", "time", "title"})

    def __init__(self) -> None:
        super().__init__()
        self.inside: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.words += [given[name] for name in SPOKEN if name in given]
        kept = tag in self.DATA or "mono" in given.get("class", "").split()
        if self.inside or kept:
            self.inside += [tag] if tag not in {"input", "img", "br", "hr", "meta", "link", "path", "rect"} else []

    def handle_endtag(self, tag: str) -> None:
        if tag in self.inside:
            while self.inside.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not self.inside:
            self.words.append(data)


def english_in(html: str) -> list[str]:
    """Return the runs of four and more English words people would meet."""
    reader = Reader()
    reader.feed(html)
    found = []
    for text in reader.words:
        for name in KEPT:
            text = text.replace(name, "")
        found += ENGLISH.findall(" ".join(text.split()))
    return found


def read(client: Client, address: str, expected: int = 200) -> str:
    answer = client.get(address, headers=CHINESE)
    assert answer.status_code == expected, address
    html = answer.content.decode()
    assert 'lang="zh-hans"' in html
    assert "你" not in html, address
    assert SPACED.findall(html) == [], address
    return html


def test_the_reader_notices_an_english_sentence_where_people_would():
    assert english_in("<p>这里 Nothing waits for you now。</p>") == ["Nothing waits for you now"]
    assert english_in('<b aria-label="Go to the home page">去</b>') == ["Go to the home page"]
    assert english_in("<p><q>the order has been shipped</q> <code>a b c d e</code><br>好</p>") == []


def test_the_door_speaks_chinese(client: Client):
    assert english_in(read(client, "/accounts/login/")) == []
    refused = client.post("/accounts/login/", {"login": "nobody", "password": "wrong"}, headers=CHINESE)
    assert "您提供的用户名或密码不正确" in refused.content.decode()
    assert english_in(refused.content.decode()) == []


@pytest.mark.parametrize("slug", sorted(PROVIDERS))
def test_every_page_of_a_shop_speaks_chinese(slug: str):
    admin = person("admin", username="a")
    made = stall(slug)
    type(made.shop).objects.filter(pk=made.shop.pk).update(title="懒猫旗舰店", needs_approval=True)
    made.shop.refresh_from_db()
    order, other = made.orders()[:2]
    (asked,) = asking.request_cancellation(
        by=person(), order=order, units=[unit_of(order)], reason_code="out_of_stock", note="客户来电"
    )
    client = Client()
    client.force_login(admin)
    name = made.shop.name
    addresses = [
        "/", "/orders/", "/orders/?q=nothing-like-this-1234", f"/orders/{order.pk}/", f"/orders/{other.pk}/",
        "/orders/import/", "/orders/pulls/", "/cancellations/", "/cancellations/?tab=needs",
        f"/cancellations/{asked.cancellation.pk}/", "/audit/", "/shops/", f"/shops/{name}/", f"/shops/{name}/edit/",
        f"/shops/{name}/keys/", f"/shops/{name}/access/", "/shops/new/", f"/shops/new/{slug}/", "/reasons/",
        "/reasons/new/", "/reasons/lists/", "/reasons/out_of_stock/", "/reasons/out_of_stock/edit/", "/people/",
        "/people/new/", f"/people/{admin.pk}/", "/me/", "/accounts/password/change/",
    ]  # fmt: skip
    found = {address: english_in(read(client, address)) for address in addresses}
    found["/nothing-here/"] = english_in(read(client, "/nothing-here/", 404))
    assert {address: texts for address, texts in found.items() if texts} == {}


def test_refused_forms_speak_chinese():
    client = Client()
    client.force_login(person("admin"))
    made = stall("shoplazza")
    order = made.orders()[0]
    for address, data in {
        reverse("orders:cancel", args=[order.pk]): {},
        reverse("shops:create", args=["wechat"]): {"name": "Not A Slug!", "base_url": "ftp://x"},
        reverse("reasons:create"): {"code": "", "label": "", "position": "x"},
        reverse("people:create"): {"username": "", "role": "king"},
        "/me/": {"language": "xx", "time_zone": "Mars/Olympus"},
        "/accounts/password/change/": {"oldpassword": "x", "password1": "123", "password2": "321"},
    }.items():
        answer = client.post(address, data, headers=CHINESE, follow=True)
        assert english_in(answer.content.decode()) == [], address


def test_the_sentences_of_every_platform_are_in_the_catalogue():
    known = {one.msgid for one in polib.pofile(str(Path(settings.LOCALE_PATHS[0]) / "zh_Hans/LC_MESSAGES/django.po"))}
    for provider in PROVIDERS.values():
        card = provider.card
        fields = (*card.options, *card.credential, *card.lookup)
        shown = {text for one in fields for text in (one.label, one.help, *(label for _, label in one.choices))}
        assert {text for text in shown if " " in text} <= known, card.slug
