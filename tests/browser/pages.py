"""Names every page of the desk in every state, with how one gets there; the axe test and the album both walk it."""

import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page, expect

from providers.registry import PROVIDERS
from tests.stack import Stack

Act = Callable[[Page, Stack], None]
Made = dict[str, Any]


def _nothing(page: Page, desk: Stack) -> None:
    """Do no more than open it."""


@dataclass(frozen=True)
class Sight:
    """One page in one state.

    Attributes:
        name: Of its picture, without look; sorts by page.
        who: Who is signed in; "" for nobody.
        act: What is done on the page before it is looked at; ``after`` puts back what that broke.
        walked: The axe test opens it in every look: it is there on a desk where little happened, and needs no hand.
        once: The axe test opens it in one look, for its parts stand on other pages, too.
        printed: Somebody may want it on paper.
    """

    name: str
    address: str
    who: str = "admin"
    act: Act = _nothing
    walked: bool = False
    once: bool = False
    printed: bool = False
    after: Act = _nothing


def made_by(desk: Stack, function: str) -> Made:
    """Have the desk brought into some states, by the function of that name in ``states.py``; return their numbers."""
    code = f"import json; from tests.browser import states; print(json.dumps(states.{function}()))"
    found: Made = json.loads(desk.manage("shell", "--no-imports", "-c", code).stdout.splitlines()[-1])
    return found


def walked(made: Made) -> list[Sight]:
    """Return what the axe test opens in every look."""
    return [one for one in every(made) if one.walked]


def once(made: Made) -> list[Sight]:
    """Return what it opens besides in one look: with :func:`walked`, a sight of every page."""
    return [one for one in (*every(made), *at_the_door(made)) if one.once]


def every(made: Made) -> Iterator[Sight]:
    """Yield every sight for which there is what it needs."""
    for one in (*_desk(made), *_orders(made), *_cancellations(made), *_bulks(made), *_record(), *_admins(made)):
        if "None" not in one.address:
            yield one


def at_the_door(made: Made) -> Iterator[Sight]:
    """Yield what is seen by whoever is not signed in, and what is wrong with an address, a form or the desk."""
    link = made["link"]
    yield Sight("00-door-empty", "/accounts/login/", "")
    yield Sight("00-door-refused", "/accounts/login/", "", lambda page, _: _sign_in(page, 1))
    yield Sight("00-door-locked", "/accounts/login/", "", lambda page, _: _sign_in(page, 6), after=_forget_tries)
    yield Sight("00-door-404", "/nothing-here/", "")
    yield Sight("01-link-fresh", link, "", once=True)
    yield Sight("01-link-weak", link, "", lambda page, _: _set_password(page, "password"))
    yield Sight("01-link-used", re.sub(r"-[^-]+/$", "-0123456789abcdef/", link), "", once=True)
    yield Sight("01-link-done", "/accounts/password/reset/key/done/", "", once=True)
    yield Sight("02-inactive", "/accounts/inactive/", "", once=True)
    yield Sight("95-fault-400", "/me/", act=_too_many_fields, once=True)
    yield Sight("95-fault-403", "/shops/new/", "agent", once=True)
    yield Sight("95-fault-403-csrf", "/me/", act=_without_token, once=True)
    yield Sight("95-fault-404", "/nothing-here/", once=True)
    yield Sight("95-fault-429", "/accounts/login/", "", _too_many_tries, after=_forget_tries, once=True)
    yield Sight("95-fault-500", "/reasons/", act=_broken, after=_mended, once=True)


def when_held(made: Made) -> Iterator[Sight]:
    """Yield what shows a shop whose keys are refused."""
    yield Sight("96-held-cancellation", f"/cancellations/{made.get('cancellation.held')}/", "agent")
    yield Sight("96-held-order", f"/orders/{made.get('order.held')}/", "agent")
    yield Sight("96-held-home", "/", "manager")
    yield Sight("96-held-shop", "/shops/taobao-sandbox/")
    yield Sight("96-held-operations", "/operations/")


def when_silent(made: Made) -> Iterator[Sight]:
    """Yield what shows that no worker is there."""
    yield Sight("97-silent-cancellation", f"/cancellations/{made.get('cancellation.unheard')}/", "agent")
    yield Sight("97-silent-bulk", f"/bulk/{made.get('bulk.running')}/")
    yield Sight("97-silent-operations", "/operations/")


def _desk(made: Made) -> Iterator[Sight]:
    yield Sight("10-home-agent", "/", "agent")
    yield Sight("10-home-manager", "/", "manager")
    yield Sight("10-home-admin", "/", walked=True)
    yield Sight("10-keys", "/", act=lambda page, _: page.keyboard.press("?"))
    yield Sight("80-operations", "/operations/", walked=True)
    yield Sight("81-me", "/me/", walked=True)
    yield Sight("83-sign-out", "/accounts/logout/", once=True)
    yield Sight("82-password", "/accounts/password/change/", walked=True)
    yield Sight("82-password-refused", "/accounts/password/change/", act=lambda page, _: send(page, "#main form"))
    yield Sight("82-password-weak", "/accounts/password/change/", act=_weak_password)
    yield Sight("95-nothing", "/nothing-here/", walked=True)


def _orders(made: Made) -> Iterator[Sight]:
    yield Sight("20-orders", "/orders/", walked=True)
    yield Sight("20-orders-agent", "/orders/", "agent")
    yield Sight("20-orders-filters", "/orders/?more=1&status=open&platform=shoplazza&amount_min=5&currency=CNY")
    yield Sight("20-orders-nothing-found", "/orders/?q=nothing-like-this-1234", walked=True, act=_answered)
    yield Sight("20-orders-nothing-fits", "/orders/?status=cancelled&amount_min=9999999")
    yield Sight("20-orders-cancelled", "/orders/?status=cancelled", walked=True)
    yield Sight("20-orders-ticked", "/orders/", "agent", _tick)
    for slug in PROVIDERS:
        order = f"/orders/{made.get(f'order.{slug}')}/"
        first = slug == "shoplazza"
        yield Sight(f"21-order-{slug}", order, "agent", walked=first, once=not first, printed=first)
        yield Sight(f"21-order-{slug}-refused", order, "agent", _ask_without_reason)
        yield Sight(f"21-order-{slug}-cancelled", f"/orders/{made.get(f'order.cancelled.{slug}')}/", "agent")
    yield Sight("21-order-open-request", f"/orders/{made.get('order.queued')}/", "agent")
    yield Sight("21-order-unclear-request", f"/orders/{made.get('order.uncertain')}/", "agent")
    yield Sight("22-import", "/orders/import/", walked=True)
    yield Sight("22-import-refused", "/orders/import/", act=lambda page, _: send(page, "#import form"))
    yield Sight("22-imported", f"/orders/import/{made.get('import.good')}/")
    yield Sight("22-imported-bad", f"/orders/import/{made.get('import.bad')}/", once=True)
    yield Sight("24-lookup", "/orders/lookup/wechat-sandbox/?q=WX-1", "agent", once=True)
    yield Sight("23-pulls", "/orders/pulls/", walked=True)


def _cancellations(made: Made) -> Iterator[Sight]:
    yield Sight("30-cancellations", "/cancellations/", walked=True)
    for tab in ("needs", "moving", "review", "done"):
        yield Sight(f"30-cancellations-{tab}", f"/cancellations/?tab={tab}", "manager", walked=tab == "needs")
    yield Sight("30-cancellations-filtered", "/cancellations/?state=rejected&reason=", "manager")
    yield Sight("30-cancellations-none", "/cancellations/?person=nobody", "manager")
    for name in sorted(one for one in made if one.startswith("cancellation.")):
        state = name.partition(".")[2]
        address = f"/cancellations/{made[name]}/"
        always = state in ("succeeded", "rejected")
        yield Sight(f"31-{state}-agent", address, "agent", walked=always, printed=state == "succeeded.shoplazza")
        if state in ("pending", "review", "uncertain", "alarm", "queued", "failed"):
            yield Sight(f"31-{state}-manager", address, "manager", _unfold, printed=state == "review")
    yield Sight("31-pending-own", f"/cancellations/{made.get('cancellation.pending')}/", act=_unfold)
    yield Sight("31-succeeded-unfolded", f"/cancellations/{made.get('cancellation.succeeded')}/", "agent", _unfold)


def _bulks(made: Made) -> Iterator[Sight]:
    yield Sight("40-bulks", "/bulk/", walked=True)
    yield Sight("41-bulk-new", "/bulk/new/", walked=True)
    yield Sight("41-bulk-new-refused", "/bulk/new/", act=lambda page, _: send(page, "#new form"))
    yield Sight("41-bulk-new-file", "/bulk/new/", act=_with_file)
    yield Sight("41-bulk-new-selected", "/orders/", act=_selected)
    for name in sorted(one for one in made if one.startswith("bulk.")):
        state = name.partition(".")[2]
        always = state in ("plan", "done")
        yield Sight(f"42-bulk-{state}", f"/bulk/{made[name]}/", walked=always, printed=state in ("plan", "braked"))
    yield Sight("42-bulk-plan-doubled", f"/bulk/{made.get('bulk.plan')}/?show=doubled", walked=True)
    yield Sight("42-bulk-plan-manager", f"/bulk/{made.get('bulk.plan')}/", "manager")
    yield Sight("42-bulk-large-mistyped", f"/bulk/{made.get('bulk.large')}/", act=_mistyped)
    yield Sight("42-bulk-start-asked", f"/bulk/{made.get('bulk.plan')}/", act=_start_asked)


def _record() -> Iterator[Sight]:
    yield Sight("50-audit", "/audit/", "admin", walked=True, printed=True)
    yield Sight("50-audit-unfolded", "/audit/", "manager", _unfold_first)
    yield Sight("50-audit-filtered", "/audit/?person=agent&what=decisions&since=2020-01-01", "manager")
    yield Sight("50-audit-none", "/audit/?person=nobody", "manager")
    yield Sight("51-audit-record", "/audit/record/", walked=True, printed=True)


def _admins(made: Made) -> Iterator[Sight]:
    shop = "/shops/shoplazza-sandbox/"
    yield Sight("60-shops", "/shops/", walked=True)
    yield Sight("60-shops-new", "/shops/new/", walked=True)
    for slug in PROVIDERS:
        yield Sight(f"61-shop-new-{slug}", f"/shops/new/{slug}/", walked=slug == "shoplazza", once=slug != "shoplazza")
        yield Sight(f"61-shop-{slug}", f"/shops/{slug}-sandbox/", walked=slug == "shoplazza")
    yield Sight("61-shop-new-refused", "/shops/new/huaweicloud/", act=lambda page, _: send(page, "#main form"))
    yield Sight("61-shop-checked", "/shops/huaweicloud-sandbox/", act=_checked)
    yield Sight("62-shop-edit", f"{shop}edit/", once=True)
    yield Sight("62-shop-keys", f"{shop}keys/", once=True)
    yield Sight("62-shop-keys-refused", f"{shop}keys/", act=lambda page, _: send(page, "#main form"))
    yield Sight("62-shop-access", f"{shop}access/", once=True)
    yield Sight("70-reasons", "/reasons/", walked=True)
    yield Sight("71-reason", "/reasons/out_of_stock/", once=True)
    yield Sight("71-reason-edit", "/reasons/out_of_stock/edit/", once=True)
    yield Sight("71-reason-new", "/reasons/new/", once=True)
    yield Sight("71-reason-new-refused", "/reasons/new/", act=lambda page, _: send(page, "#main form"))
    yield Sight("72-reason-lists", "/reasons/lists/", once=True)
    yield Sight("75-people", "/people/", walked=True)
    yield Sight("76-person", f"/people/{made.get('person.newcomer')}/", once=True)
    yield Sight("76-person-link", f"/people/{made.get('person.newcomer')}/", act=_make_link)
    yield Sight("76-person-gone", f"/people/{made.get('person.gone')}/")
    yield Sight("77-person-new", "/people/new/", once=True)
    yield Sight("77-person-new-refused", "/people/new/", act=lambda page, _: send(page, "#main form"))


# -- What is done on a page before it is looked at


def send(page: Page, form: str) -> None:
    """Send a form as it stands, past what the browser itself would say."""
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.locator(form).first.evaluate("form => { form.noValidate = true; form.requestSubmit(); }")
    page.wait_for_timeout(300)  # the answer is swapped in, and its errors are gone to
    page.wait_for_load_state("networkidle")


def _sign_in(page: Page, times: int) -> None:
    for _ in range(times):
        page.fill("input[name=login]", "manager")
        page.fill("input[name=password]", "not-the-password")
        send(page, "#login form")


def _forget_tries(page: Page, desk: Stack) -> None:
    with closing(sqlite3.connect(desk.folder / "rescind.sqlite3", timeout=30)) as database, database:
        database.execute("DELETE FROM cache")


def _too_many_tries(page: Page, desk: Stack) -> None:
    page.evaluate("""async () => {
        const form = document.querySelector("#login form");
        for (let at = 0; at < 61; at++) await fetch(form.action, {method: "POST", body: new FormData(form)});
    }""")
    send(page, "#login form")


def _set_password(page: Page, password: str) -> None:
    for field in page.locator("input[type=password]").all():
        field.fill(password)
    send(page, "#set-password form")


def _weak_password(page: Page, desk: Stack) -> None:
    for field in page.locator("#main input[type=password]").all():
        field.fill("password")
    send(page, "#main form")


def _too_many_fields(page: Page, desk: Stack) -> None:
    page.locator("#me form").evaluate("""form => {
        const field = Object.assign(document.createElement("input"), {name: "x", value: "x"});
        for (let at = 0; at < 1100; at++) form.append(field.cloneNode());
    }""")
    send(page, "#me form")


def _without_token(page: Page, desk: Stack) -> None:
    page.locator("#me form [name=csrfmiddlewaretoken]").evaluate("field => field.remove()")
    send(page, "#me form")


def _broken(page: Page, desk: Stack) -> None:
    _rename(desk, "cancellations_reason", "put_aside")
    page.reload()


def _mended(page: Page, desk: Stack) -> None:
    _rename(desk, "put_aside", "cancellations_reason")


def _rename(desk: Stack, table: str, new: str) -> None:
    with closing(sqlite3.connect(desk.folder / "rescind.sqlite3", timeout=30)) as database:
        database.execute("PRAGMA legacy_alter_table=ON")
        database.execute(f"ALTER TABLE {table} RENAME TO {new}")


def _answered(page: Page, desk: Stack) -> None:
    expect(page.locator(".skeleton")).to_have_count(0)


def _tick(page: Page, desk: Stack) -> None:
    for box in page.locator("input[name=orders]").all()[:4]:
        box.check()


def _selected(page: Page, desk: Stack) -> None:
    _tick(page, desk)
    send(page, "#selection")


def _ask_without_reason(page: Page, desk: Stack) -> None:
    send(page, "#cancel-form")


def _unfold(page: Page, desk: Stack) -> None:
    for fold in page.locator("main details").all():
        fold.evaluate("fold => { fold.open = true; }")


def _unfold_first(page: Page, desk: Stack) -> None:
    page.locator("main details").first.evaluate("fold => { fold.open = true; }")


def _with_file(page: Page, desk: Stack) -> None:
    file = {"name": "orders of this week.csv", "mimeType": "text/csv", "buffer": b"order\n1\n"}
    page.set_input_files("#new input[type=file]", file)  # type: ignore[arg-type]


def _mistyped(page: Page, desk: Stack) -> None:
    page.fill("#count", "12")
    send(page, "form:has(#count)")


def _start_asked(page: Page, desk: Stack) -> None:
    page.click("form[action$='/start/'] button")


def _checked(page: Page, desk: Stack) -> None:
    page.click("form[action$='/check/'] button")
    expect(page.locator("#checkup-t")).to_be_visible()


def _make_link(page: Page, desk: Stack) -> None:
    page.click("form[action$='/link/'] button")
    page.click("#confirm [value=yes]")
    expect(page.locator("#link-t")).to_be_visible()


@contextmanager
def frozen(desk: Stack) -> Iterator[None]:
    """Freeze the workers for so long that the desk has noticed."""
    with desk.workers_frozen():
        time.sleep(65)
        yield
