"""Brings a desk into the states its pages show; run inside it, by :func:`tests.browser.pages.few` and ``all_states``.

Each function returns numbers of what it made by name: ``{"cancellation.rejected": 7, "bulk.plan": 2}``.
"""

import io
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from cancellations.batches import decisions as of_bulks
from cancellations.batches import handing_in as bulks
from cancellations.batches.models import Batch
from cancellations.management.commands.demo import sheet_of
from cancellations.orders import handing_in as files
from cancellations.orders import importing
from cancellations.orders.models import Order
from cancellations.people.invitations import LinkTokens
from cancellations.people.models import Person, Role
from cancellations.reasons.models import Reason
from cancellations.requests import decisions
from cancellations.requests.asking import request_cancellation
from cancellations.requests.claiming import claim
from cancellations.requests.models import CancellationRequest
from cancellations.requests.states import OPEN
from cancellations.shops.connection import card_of
from cancellations.shops.models import Shop
from providers.registry import PROVIDERS
from providers.world import World
from tests.stack import wait_until

LATER = timedelta(days=2)
REASON = "out_of_stock"
WAIT_SECONDS = 60.0
Made = dict[str, Any]


def few() -> Made:
    """Make what every page needs: two cancellations, done and refused, two bulks, a file with faults, a newcomer."""
    newcomer, _ = Person.objects.get_or_create(username="newcomer", defaults={"role": Role.AGENT})
    return {
        "cancellation.succeeded": settled(ask(plain("shoplazza"))),
        "cancellation.rejected": settled(ask(odd("shoplazza", "REJECT"))),
        "bulk.plan": plan(mixed("shoplazza")),
        "bulk.done": run(plan(mixed("shoplazza")), "done"),
        "import.bad": imported("wechat", bad=True),
        "person.newcomer": newcomer.pk,
        "link": link_of(newcomer),
        **{f"order.{slug}": plain(slug).pk for slug in PROVIDERS},
    }


def all_states() -> Made:
    """Make everything :func:`few` makes, and whatever else a page can show without anything being broken."""
    made = few()
    for slug in PROVIDERS:
        made[f"cancellation.succeeded.{slug}"] = pk = settled(ask(plain(slug)))
        made[f"order.cancelled.{slug}"] = CancellationRequest.objects.get(pk=pk).order_id
    made["cancellation.rejected"] = settled(ask(odd("huaweicloud", "REJECT")))
    made["cancellation.uncertain"] = pk = left_alone(ask(odd("shoplazza", "DROP")))
    made["order.uncertain"] = CancellationRequest.objects.get(pk=pk).order_id
    made["cancellation.review"] = left_alone(ask(odd("sellercenter", "GARBAGE")), in_review=True, due_at=None)
    made["cancellation.settled"] = settle(ask(odd("wechat", "GARBAGE")), cancelled=True)
    made["cancellation.failed"] = settle(ask(odd("taobao", "DROP")), cancelled=False)
    made["cancellation.alarm"] = settled(ask(plain("huaweicloud")))
    CancellationRequest.objects.filter(pk=made["cancellation.alarm"]).update(alarm="revived", due_at=None)
    made["cancellation.queued"] = unsent(plain("huaweicloud"))
    made["order.queued"] = CancellationRequest.objects.get(pk=made["cancellation.queued"]).order_id
    made["cancellation.sending"] = under_way(plain("wechat"))
    made["cancellation.withdrawn"] = unsent(plain("shoplazza"))
    decisions.withdraw(CancellationRequest.objects.get(pk=made["cancellation.withdrawn"]), by=person("agent"))
    approvals(made)
    every_bulk(made)
    made["import.good"] = imported("wechat", bad=False)
    gone, _ = Person.objects.get_or_create(username="gone", defaults={"role": Role.AGENT, "is_active": False})
    made["person.gone"] = gone.pk
    return made | {f"order.{slug}": plain(slug).pk for slug in PROVIDERS}


def approvals(made: Made) -> None:
    """In shops that need approval: one waits, one was approved, one declined; a bulk waits, too."""
    shops = Shop.objects.filter(platform="shoplazza")
    shops.update(needs_approval=True)
    waiting, approved, declined = (ask(plain("shoplazza")) for _ in range(3))
    by = person("manager")
    decisions.approve(approved, by=by)
    decisions.decline(declined, by=by, note="The buyer rang again and keeps it.")
    made["cancellation.pending"] = waiting.pk
    made["cancellation.approved"] = settled(approved)
    made["cancellation.declined"] = declined.pk
    made["bulk.approval"] = run(plan(mixed("shoplazza", 6)), "running")
    time.sleep(3)
    shops.update(needs_approval=False)


def every_bulk(made: Made) -> None:
    """Bulks that are large, stopped, put away, not to be read, paused by a person and by themselves."""
    made["bulk.large"] = plan("\n".join(one.number for one in some(60)))
    made["bulk.discarded"] = plan(mixed("huaweicloud"))
    of_bulks.discard(Batch.objects.get(pk=made["bulk.discarded"]), by=person("admin"))
    made["bulk.nothing"] = plan("Hello,\nbest regards")
    made["bulk.ambiguous"] = plan(f"{alike().number}\n{mixed('sellercenter')}")
    made["bulk.unreadable"] = plan("", file=b"number;shop\n1;2\n")
    made["bulk.braked"] = run(
        plan("\n".join([*(one.number for one in odd_ones()), *(one.number for one in some(12))])), "paused"
    )
    made["bulk.paused"] = run(plan(mixed("wechat", 9)), "running")
    of_bulks.pause(Batch.objects.get(pk=made["bulk.paused"]), by=person("admin"))
    made["bulk.stopped"] = run(plan(mixed("taobao", 9)), "running")
    of_bulks.stop(Batch.objects.get(pk=made["bulk.stopped"]), by=person("admin"))


def hold() -> Made:
    """Ask in a shop whose keys its platform refuses."""
    world = World("taobao", str(settings.DATA_DIR / "sandbox.sqlite3"))
    for key, _document in world.all():
        world.plan(key, "auth")
    order = plain("taobao")
    waits = ask(order)
    until(lambda: Shop.objects.get(pk=order.shop_id).health.held_since is not None)
    return {"cancellation.held": waits.pk, "order.held": plain("taobao").pk}


def silent() -> Made:
    """Ask and start a bulk while no worker is there to hear it (the caller has frozen them)."""
    large = Batch.objects.filter(state="planned").order_by("-plan_total").values_list("pk", flat=True)[0]
    return {"cancellation.unheard": ask(plain("wechat")).pk, "bulk.running": run(large, "running")}


# -- Orders


def plain(slug: str) -> Order:
    """Return an order that behaves and that nobody asked for yet."""
    return some(1, slug)[0]


def some(count: int, slug: str = "") -> list[Order]:
    """Return orders that behave and that nobody asked for yet, the oldest of each shop first."""
    found = Order.objects.filter(status="open", desk_state="").exclude(number__regex=r"-[A-Z]+$")
    found = found.exclude(key__in=CancellationRequest.objects.values("order_key"))
    found = found.filter(shop__platform=slug) if slug else found
    return [one for one in found.select_related("shop").order_by("pk") if one.cancellable is not False][:count]


def odd(slug: str, word: str) -> Order:
    """Return an order that misbehaves."""
    return Order.objects.select_related("shop").filter(shop__platform=slug, number__endswith=f"-{word}")[0]


def odd_ones() -> list[Order]:
    """Return orders that misbehave, and that nobody asked for yet."""
    found = Order.objects.filter(number__regex=r"-(REJECT|DROP)$", status="open", desk_state="")
    return list(found.exclude(shop__platform="shoplazza")[:4])


# -- Cancellations


def person(name: str) -> Person:
    return Person.objects.get(username=name)


def ask(order: Order, by: str = "agent") -> CancellationRequest:
    """Ask for an order, or for its first item where items are cancelled."""
    items = card_of(order.shop).unit == "item"
    units = [order.items.order_by("pk")[0].ref] if items else [""]
    note = "The buyer rang: ordered twice by mistake."
    asked = request_cancellation(by=person(by), order=order, units=units, reason_code=REASON, note=note)
    return asked[0].cancellation


def unsent(order: Order) -> int:
    """Ask, and have no worker send it for days."""
    with transaction.atomic():
        asked = ask(order)
        CancellationRequest.objects.filter(pk=asked.pk).update(due_at=timezone.now() + LATER)
    return asked.pk


def settled(asked: CancellationRequest) -> int:
    """Wait until its outcome is known, and read back where that is soon."""
    until(lambda: CancellationRequest.objects.get(pk=asked.pk).state not in OPEN)
    return asked.pk


def under_way(order: Order) -> int:
    """Ask, and claim it as a worker would that takes days over it."""
    pk = unsent(order)
    assert claim(CancellationRequest.objects.select_related("shop").get(pk=pk))
    CancellationRequest.objects.filter(pk=pk).update(lease_until=timezone.now() + LATER)
    return pk


def left_alone(asked: CancellationRequest, **columns: Any) -> int:
    """Wait until its outcome is unclear, and have nobody look again for days."""
    until(lambda: CancellationRequest.objects.get(pk=asked.pk).state == "uncertain")
    columns = {"due_at": timezone.now() + LATER, **columns}
    CancellationRequest.objects.filter(pk=asked.pk).update(**columns)
    return asked.pk


def settle(asked: CancellationRequest, *, cancelled: bool) -> int:
    """Have the manager settle an unclear one."""
    pk = left_alone(asked, in_review=True, due_at=None)
    note = "Looked it up in the seller's own console at 12:03; a picture is in the ticket."
    decisions.settle(CancellationRequest.objects.get(pk=pk), by=person("manager"), cancelled=cancelled, note=note)
    return pk


def until(what: Callable[[], Any]) -> None:
    """Wait until it is so."""
    wait_until(what, WAIT_SECONDS)


# -- Bulks


def mixed(slug: str, count: int = 3) -> str:
    """Return orders as people paste them: doubles and unknown ones among them, one that is cancelled already."""
    numbers = [one.number for one in some(count, slug)]
    gone = Order.objects.filter(shop__platform=slug, status="cancelled").values_list("number", flat=True)[:1]
    return "\n".join([*numbers, numbers[-1], *gone, "order 99887766554433"])


def plan(text: str, file: bytes = b"") -> int:
    """Have a bulk planned."""
    upload = SimpleUploadedFile("orders-of-the-week.csv", file) if file else None
    made = bulks.hand_in(
        by=person("admin"), reason=Reason.objects.get(code=REASON), note="", submission=uuid.uuid4(), text=text,
        upload=upload,
    )  # fmt: skip
    until(lambda: Batch.objects.get(pk=made.pk).state != "planning")
    return made.pk


def run(pk: int, state: str) -> int:
    """Start a bulk and wait until it is so far."""
    batch = Batch.objects.get(pk=pk)
    of_bulks.start(batch, by=person("admin"), typed=str(of_bulks.ready(batch)))
    until(lambda: Batch.objects.get(pk=pk).state == state)
    return pk


# -- The rest


def alike() -> Order:
    """Return an order whose number another shop has, too."""
    order, shop = plain("taobao"), Shop.objects.get(name="wechat-sandbox")
    sheet = f"order_id,delivery_id,waybill_id,openid\n{order.number},SF,SF{order.pk:010},buyer{order.pk}\n"
    importing.import_file(shop, io.BytesIO(sheet.encode()))
    return order


def imported(slug: str, *, bad: bool) -> int:
    """Hand a file of orders in, perhaps with lines that cannot be read."""
    shop = Shop.objects.filter(platform=slug)[0]
    lines = sheet_of(PROVIDERS[slug], settings.DATA_DIR / "sandbox.sqlite3").getvalue().decode().splitlines()[:30]
    if bad:
        lines += ["one cell", 'an "open quote,,,', *(one.replace("20", "xx") for one in lines[1:4])]
    upload = SimpleUploadedFile("orders of Monday.csv", "\n".join(lines).encode())
    handed = files.hand_in(shop, upload, by=person("admin"))
    until(lambda: type(handed).objects.get(pk=handed.pk).finished_at)
    return handed.pk


def link_of(one: Person) -> str:
    """Return the address of a person's one-time link."""
    parts = {"uidb36": user_pk_to_url_str(one), "key": LinkTokens().make_token(one)}
    return reverse("account_reset_password_from_key", kwargs=parts)
