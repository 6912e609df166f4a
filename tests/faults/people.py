"""People who ask through real pages, all at once, twice, too late and again; they remember what they were told."""

import html
import http.client
import re
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random
from urllib.parse import urlencode, urlsplit

import httpx

from tests.faults.cast import APPROVED, PASSWORD, PEOPLE, PLATFORMS
from tests.faults.checker import Told, Unit, query
from tests.faults.field import Field

PATIENCE_SECONDS = 40.0
WHERE = re.compile(r"/(?:cancellations|bulk)/(\d+)/")


@dataclass(frozen=True)
class Form:
    """One rendered form of one unit."""

    order: int
    unit: Unit
    item: str
    version: int
    shop: str
    submission: str


@dataclass(frozen=True)
class Answer:
    """What a post came to: a status, and the request or the bulk it led to if any."""

    status: int
    pk: int = 0


def units_of(database: str, chance: Random) -> list[Form]:
    """Return every unit that may be asked for, in an order of chance."""
    rows = query(
        database,
        "SELECT o.id, s.platform, s.name, o.key, o.number, o.version, coalesce(i.ref, '') FROM cancellations_order o "
        "JOIN cancellations_shop s ON s.id = o.shop_id LEFT JOIN cancellations_orderitem i ON i.order_id = o.id "
        "AND s.platform = 'sellercenter' AND coalesce(i.cancellable, true) AND i.status = 'open' "
        "WHERE o.status = 'open' AND coalesce(o.cancellable, true) AND o.number NOT LIKE '%-%' "
        "AND (s.platform <> 'sellercenter' OR i.ref IS NOT NULL) AND o.key NOT LIKE '%|STO|%' ORDER BY o.id",
    )
    forms = []
    for order, slug, shop, key, number, version, item in rows:
        name = item or (number if slug in ("taobao", "wechat") else key)
        forms.append(Form(order, (slug, name), item, version, shop, str(uuid.UUID(int=chance.getrandbits(128)))))
    chance.shuffle(forms)
    by_platform = {slug: [one for one in forms if one.unit[0] == slug] for slug in PLATFORMS}
    mixed: list[Form] = []
    while all(by_platform.values()):
        mixed.append(by_platform[chance.choice(PLATFORMS)].pop())
    return mixed


class Browser:
    """A signed-in person."""

    def __init__(self, address: str, name: str) -> None:
        self._host, self._name = urlsplit(address).netloc, name
        with httpx.Client(base_url=address, follow_redirects=True, trust_env=False, timeout=30) as browser:
            page = browser.get("/accounts/login/").text
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
            assert token
            said = {"csrfmiddlewaretoken": token[1], "login": name, "password": PASSWORD}
            assert browser.post("/accounts/login/", data=said).status_code == 200
            self._headers = {
                "Cookie": "; ".join(f"{one}={value}" for one, value in browser.cookies.items()),
                "X-CSRFToken": browser.cookies["csrf"],
                "Content-Type": "application/x-www-form-urlencoded",
                "Connection": "close",
            }

    def look(self, path: str) -> str:
        """Return a page's text; what is not shown with 200 is returned as its status.

        Raises:
            httpx.HTTPError: No answer came.
        """
        with httpx.Client(base_url=f"http://{self._host}", trust_env=False, timeout=30) as browser:
            page = browser.get(path, headers=self._headers)
        text = " ".join(re.sub(r"<[^>]+>", " ", html.unescape(page.text)).split())
        return text if page.status_code == 200 else f"{page.status_code} {text}"

    def post(self, path: str, **fields: str) -> Answer:
        """Post once.

        Raises:
            OSError, http.client.HTTPException: No answer came.
        """
        line = http.client.HTTPConnection(self._host, timeout=30)
        try:
            line.request("POST", path, urlencode(fields), self._headers)
            answer = line.getresponse()
            answer.read()
            found = WHERE.search(answer.headers.get("Location", "") if answer.status == 303 else "")
            return Answer(answer.status, int(found[1]) if found else 0)
        finally:
            line.close()


class People:
    """Everybody at the desk, and what they remember."""

    def __init__(self, field: Field, chance: Random) -> None:
        self._field, self._chance = field, chance
        self._browsers = {name: Browser(field.address, name) for name in PEOPLE}
        self.told, self.unanswered, self.broken_pages = Told(), 0, 0
        self.lock = threading.Lock()
        self._bursts = ThreadPoolExecutor(100)
        self._recent: deque[Form] = deque(maxlen=200)

    def ask(self, form: Form, clicks: int = 1) -> int:
        """Fill in a form, click so often at once, press again until there is an answer; return the request's number."""
        self.remember([form])
        answers = (
            list(self._bursts.map(lambda _one: self._insist(form), range(clicks)))
            if clicks > 1
            else [self._insist(form)]
        )
        numbers = {one.pk for one in answers if one and one.pk}
        if form.shop == APPROVED:
            for pk in numbers:
                self._act("manager", pk, "approve")
        return max(numbers, default=0)

    def remember(self, forms: Iterable[Form]) -> None:
        """Have these forms be sent again, and their units be asked for in other tabs."""
        with self.lock:
            self._recent.extend(forms)

    def recent(self, most: int, chance: Random) -> list[Form]:
        """Return some of the forms that were sent lately, each unit once."""
        with self.lock:
            by_unit = {form.unit: form for form in self._recent}
        return chance.sample(list(by_unit.values()), min(most, len(by_unit)))

    def replay(self) -> None:
        """Go back and send a form once more that was sent a while ago."""
        with self.lock:
            form = self._chance.choice(self._recent) if self._recent else None
        if form:
            self._insist(form)

    def ask_in_another_tab(self, chance: Random) -> None:
        """Ask, as somebody else with a form of one's own, for what was asked for lately."""
        with self.lock:
            form = self._chance.choice(self._recent) if self._recent else None
        if form:
            self.ask_too(form, chance)

    def ask_too(self, form: Form, chance: Random) -> None:
        """Ask, as somebody else with a form of one's own, for what somebody wants already."""
        self._insist(replace(form, submission=str(uuid.UUID(int=chance.getrandbits(128)))), "agent2")

    def ask_once(self, form: Form, name: str = "agent") -> Answer | None:
        """Fill in a form and press once; remembers nothing."""
        fields = {
            "reason": "out_of_stock",
            "note": "",
            "submission": form.submission,
            "version": str(form.version),
            "anyway": "on",
        }
        if form.item:
            fields["units"] = form.item
        return self.post(name, f"/orders/{form.order}/cancel/", fields)

    def _insist(self, form: Form, name: str = "agent") -> Answer | None:
        ends, version = time.monotonic() + PATIENCE_SECONDS, form.version
        while time.monotonic() < ends:
            answer = self.ask_once(replace(form, version=version), name)
            if answer is None or answer.status >= 500:
                time.sleep(0.3)
                continue
            if answer.status == 409:  # it changed since: look at it again
                with suppress(Exception):
                    ((version,),) = query(
                        self._field.database,
                        f"SELECT version FROM cancellations_order WHERE id = {form.order}",  # noqa: S608
                    )
                continue
            if answer.pk:
                self._remember(answer.pk, form)
            elif answer.status not in (404, 422):  # neither taken nor refused: the page broke, or one is signed out
                time.sleep(0.3)
                continue
            return answer
        with self.lock:
            self.unanswered += 1
            self.told.words[form.unit] += 1  # it may have been taken
        return None

    def post(self, name: str, path: str, fields: dict[str, str]) -> Answer | None:
        """Press once; ``None`` when no answer came."""
        try:
            answer = self._browsers[name].post(path, **fields)
        except (OSError, http.client.HTTPException):
            return None
        if answer.status >= 500:
            with self.lock:
                self.broken_pages += 1
        return answer

    def _remember(self, pk: int, form: Form) -> None:
        with self.lock:
            if not self.told.forms[form.submission]:
                self.told.words[form.unit] += 1
            self.told.forms[form.submission].add(pk)
            self.told.accepted.setdefault(pk, form.unit)

    def _act(self, name: str, pk: int, act: str) -> Answer | None:
        return self.press(name, f"/cancellations/{pk}/{act}/", {"note": "campaign"})

    def press(self, name: str, path: str, fields: dict[str, str]) -> Answer | None:
        """Press until there is an answer."""
        for _again in range(20):
            answer = self.post(name, path, fields)
            if answer is not None and answer.status < 500:
                return answer
            time.sleep(0.5)
        return None

    def resend_failed(self, most: int) -> int:
        """Send again, by a person's word, some of what certainly was not cancelled."""
        rows = query(
            self._field.database,
            "SELECT id, attempt_no FROM cancellations_cancellationrequest WHERE state = 'failed' ORDER BY id",
        )
        chosen = [(pk, attempt) for pk, attempt in rows if pk in self.told.accepted][-most:]
        for pk, attempt in chosen:
            with self.lock:  # before it is known whether it is taken: no answer may mean yes
                self.told.again[self.told.accepted[pk]] += 1
            # Twice, from one page: it is one word about one attempt.
            form = {"note": "campaign", "attempt": str(attempt)}
            answers = [self.post("agent", f"/cancellations/{pk}/resend/", form) for _ in range(2)]
            if all(answer is not None and 303 != answer.status < 500 for answer in answers):
                with self.lock:
                    self.told.again[self.told.accepted[pk]] -= 1
        return len(chosen)

    def withdraw(self, pk: int) -> None:
        """Take one back, if it is not too late."""
        self._act("agent", pk, "withdraw")

    def look(self, pk: int) -> None:
        """Have it looked at now."""
        self._act("agent", pk, "check")

    def approve_all(self) -> None:
        """Approve what nobody has approved yet: the one who should have may have seen no answer."""
        rows = query(
            self._field.database, "SELECT id FROM cancellations_cancellationrequest WHERE state = 'pending_approval'"
        )
        for (pk,) in rows:
            self._act("manager", pk, "approve")
