"""A file of orders: every bad line named, the good ones kept, whatever else is in it."""

import csv
import io
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from cancellations.audit.models import AuditEvent
from cancellations.orders import handing_in, importing, refused, sheet, tasks
from cancellations.orders.cells import Fault
from cancellations.orders.models import FileImport, Order
from cancellations.people.models import Person
from cancellations.shops.models import Shop
from providers.registry import PROVIDERS
from tests.desk import person, stall
from tests.integration.counter_platform import CARD, CounterPlatform, install, open_shop
from tests.stack import ROOT

pytestmark = pytest.mark.django_db


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> CounterPlatform:
    return install(monkeypatch)


@pytest.fixture
def shop(platform: CounterPlatform) -> Shop:
    return open_shop()


def read(shop: Shop, text: str, encoding: str = "utf-8") -> importing.Result:
    return importing.import_file(shop, io.BytesIO(text.encode(encoding)))


def said(result: importing.Result) -> list[tuple[int, str]]:
    return [(number, sentence % values) for number, sentence, values in result.faults]


def test_a_line_becomes_an_order_with_everything_it_says(shop: Shop) -> None:
    result = read(
        shop,
        "order_id,courier,order_number,placed_at,status,amount,currency,buyer_name,buyer_email,buyer_phone\n"
        "00123,SF,LC-9,2026-03-01 14:05,open,12.50,eur,Maria Garcia,maria@example.com,+34 600 004 321\n",
    )
    assert (result.good, result.bad, result.error) == (1, 0, "")
    kept = Order.objects.get()
    assert kept.ref == {"order_id": "00123", "courier": "SF"}
    assert (kept.number, kept.status, kept.amount, kept.currency) == ("LC-9", "open", Decimal("12.5"), "EUR")
    assert (kept.placed_at, kept.buyer) == (datetime(2026, 3, 1, 14, 5, tzinfo=UTC), "M••• G•••, •••• 4321")
    assert (kept.source, kept.cancellable) == ("file", None)


def test_the_look_up_fields_alone_are_enough_in_any_order_of_columns(shop: Shop) -> None:
    assert read(shop, "Status;ORDER_ID\nbrewing;1\n;2\n").good == 2
    assert list(Order.objects.order_by("key").values_list("status", "status_text")) == [
        ("unknown", "brewing"),
        ("unknown", ""),
    ]
    assert not Order.objects.filter(placed_known=True).exists()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_chinese_arrives_in_every_encoding_spreadsheets_write(shop: Shop, encoding: str) -> None:
    read(shop, "order_id,status,buyer_name\n1,待发货,王小明\n", encoding)
    kept = Order.objects.get()
    assert (kept.status_text, kept.buyer) == ("待发货", "王•••")


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        (",open,1,2026-01-01,EUR,a@b.c", "“order_id” is empty"),
        ("1,open,1", "Cells in this line: 3"),
        ('1,"open,1,2026-01-01,EUR,a@b.c', "quotation mark"),
        ('1,"op"en,1,2026-01-01,EUR,a@b.c', "quotation mark"),
        ("1,open,ten,2026-01-01,EUR,a@b.c", "no amount"),
        ("1,open,1e5,2026-01-01,EUR,a@b.c", "no amount"),
        ("1,open,NaN,2026-01-01,EUR,a@b.c", "no amount"),
        ('1,open,"1,000.00",2026-01-01,EUR,a@b.c', "no amount"),
        ("1,open,1,yesterday,EUR,a@b.c", "no date"),
        ("1,open,1,2026-02-30,EUR,a@b.c", "no date"),
        ("1,open,1,2026-01-01,€,a@b.c", "as EUR"),
        ("1,open,1,2026-01-01,EUR,nobody", "no e-mail"),
        ("1.23457E+18,open,1,2026-01-01,EUR,a@b.c", "shortened"),
        ("1\x00,open,1,2026-01-01,EUR,a@b.c", "NUL"),
        (f"{'9' * 300},open,1,2026-01-01,EUR,a@b.c", "longer than 255"),
        (f"1,{'x' * 70000},1,2026-01-01,EUR,a@b.c", "longer than 64 KB"),
        (f"1,{'x' * 900000},1,2026-01-01,EUR,a@b.c", "longer than 64 KB"),
    ],
)
def test_a_bad_line_is_named_with_its_number_and_cause_and_the_others_are_kept(
    shop: Shop, line: str, cause: str
) -> None:
    good = "7,open,1,2026-01-01,EUR,a@b.c"
    result = read(
        shop, f"order_id,status,amount,placed_at,currency,buyer_email\n{good}\n\n{line}\n{good.replace('7', '8')}\n"
    )
    assert (result.good, result.bad) == (2, 1)
    [(number, sentence)] = said(result)
    assert number == 4
    assert cause in sentence
    assert sentence.endswith(".")


def test_R19_a_bad_line_names_all_that_is_wrong_with_it(shop: Shop) -> None:
    result = read(
        shop,
        "order_id,amount,placed_at,currency,buyer_email\n1.23457E+18,ten,yesterday,€,nobody\n7,1,2026-01-01,EUR,\n",
    )
    assert (result.good, result.bad) == (1, 1)
    assert {number for number, _sentence in said(result)} == {2}
    text = " ".join(sentence for _number, sentence in said(result))
    for cause in ("shortened", "no amount", "no date", "as EUR", "no e-mail"):
        assert text.count(cause) == 1, cause


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("number\n1\n", "The column “number” is not known"),
        ("order_id,order_id\n1,1\n", "twice"),
        ("courier\nSF\n", "“order_id” is missing"),
        ("x" * 100000, "64 KB"),
    ],
)
def test_a_file_that_names_no_usable_columns_is_refused_whole(shop: Shop, text: str, cause: str) -> None:
    result = read(shop, text)
    assert cause in result.error % result.data
    assert result.lines == 0


def test_what_is_no_text_is_refused_whole(shop: Shop) -> None:
    result = importing.import_file(shop, io.BytesIO(b"PK\x03\x04\xff\xff\xff\xfe" * 50))
    assert "UTF-8" in result.error


def test_numbers_guarded_against_spreadsheets_are_unwrapped(shop: Shop) -> None:
    assert read(shop, 'order_id\n="00123"\n\'00456\n').good == 2
    assert set(Order.objects.values_list("number", flat=True)) == {"00123", "00456"}


def test_an_order_named_twice_is_kept_once_and_counted(shop: Shop) -> None:
    result = read(shop, "order_id,status\n1,open\n1,closed\n2,open\n1,open\n")
    assert (result.good, result.repeated, result.lines) == (2, 2, 4)
    assert Order.objects.get(number="1").status == "open"


# Real cards: what each of their look-up fields may hold, and what all of them together.
@pytest.mark.parametrize("slug", PROVIDERS)
def test_a_field_may_be_as_long_as_its_platform_says_and_no_longer(slug: str) -> None:
    made = stall(slug, count=1, learn=False)
    fields = PROVIDERS[slug].card.lookup
    for one in fields:
        cells = {other.name: "7" for other in fields}
        taken, refused = ({**cells, one.name: "8" * length} for length in (one.max_length, one.max_length + 1))
        result = read(made.shop, "\n".join(",".join(row) for row in (taken, taken.values(), refused.values())))
        assert (result.good, result.bad) == (1, 1), one.name
        assert said(result) == [(3, f"“{one.name}” is longer than {one.max_length} characters.")]


def test_an_identity_too_long_to_be_kept_is_named_and_the_sums_add_up() -> None:
    made = stall("wechat", count=1, learn=False)
    good, long = f"{'a' * 500},SF,1,o", f"{'a' * 512},{'b' * 64},{'c' * 128},o"
    result = read(made.shop, f"order_id,delivery_id,waybill_id,openid\n{good}\n{long}\n{good}\n|,|,|,o\n")
    assert (result.good, result.bad, result.repeated, result.lines) == (2, 1, 1, 4)
    [(number, sentence)] = said(result)
    assert number == 3
    assert "order_id, delivery_id, waybill_id are too long together" in sentence
    assert Order.objects.filter(shop=made.shop).count() == 2


def test_the_same_file_again_adds_nothing(shop: Shop) -> None:
    text = "order_id\n1\n2\n"
    read(shop, text)
    assert read(shop, text).good == 2
    assert Order.objects.count() == 2


def test_every_fault_is_told_as_it_is_met_and_only_the_first_are_held(shop: Shop) -> None:
    told: list[int] = []
    result = importing.Result()

    def tell(number: int, fault: Fault) -> None:
        told.append(number)
        held.append(Order.objects.count())

    held: list[int] = []
    text = "order_id,amount\n" + "1,x\n" * 300 + "".join(f"{at},1\n" for at in range(600)) + "1,x\n"
    result = importing.import_file(shop, io.BytesIO(text.encode()), tell=tell)
    assert told == [*range(2, 302), 902]
    assert (held[0], held[-1]) == (0, importing.BATCH), "the last is told with the file half kept"
    assert (result.bad, len(result.faults)) == (301, importing.MOST_FAULTS)


def test_lines_after_the_most_allowed_are_not_read_and_the_result_says_so(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "MOST_LINES", 10)
    result = read(shop, "order_id\n" + "".join(f"{at}\n" for at in range(11)))
    assert result.good == 10
    assert "more than 10 lines" in result.error % result.data


# A process of its own: threads of other tests may not be traced when tracing ends.
READS = """
import io, sys, tracemalloc
import django; django.setup()
from cancellations.orders import sheet
from tests.integration.counter_platform import CARD
file = io.BytesIO(b"order_id,status\\n" + b"".join(b"%d,open\\n" % at for at in range(40_000)))
tracemalloc.start()
lines = sheet.lines(CARD, file)
kept = [line.order for line in lines] if sys.argv[1] == "kept" else sum(1 for line in lines if line.order)
print(tracemalloc.get_traced_memory()[1])
"""


def test_memory_does_not_grow_with_the_file() -> None:
    """Bytes more than before the file is read; beside it what keeping its lines would need."""
    read, kept = (
        int(subprocess.run([sys.executable, "-c", READS, how], cwd=ROOT, capture_output=True, check=True).stdout)
        for how in ("read", "kept")
    )
    assert read < 1_000_000 < 10_000_000 < kept


def test_the_template_has_the_platforms_columns(shop: Shop) -> None:
    assert read(shop, sheet.template(CARD).decode("utf-8") + "1,,,,,,,,,\n").good == 1
    assert sheet.template(CARD).startswith(b"\xef\xbb\xbforder_id,courier,order_number,placed_at")


def test_a_file_handed_in_is_read_by_a_worker_and_then_deleted(shop: Shop, rung: list[Any]) -> None:
    manager = person("manager")
    upload = SimpleUploadedFile("../../orders march.csv", b"order_id,amount\n1,2\n2,x\n")
    handed = handing_in.hand_in(shop, upload, by=manager)
    stored = Path(settings.MEDIA_ROOT) / handed.path
    assert (handed.name, stored.exists(), Order.objects.count()) == ("orders march.csv", True, 0)
    assert list(importing.unread()) == [handed]
    importing.run(handed.pk)
    handed.refresh_from_db()
    assert (handed.good, handed.bad, handed.error, handed.path) == (1, 1, "", "")
    assert handed.finished_at
    assert not stored.exists()
    assert not importing.unread()
    events = AuditEvent.objects.filter(subject_kind="import").order_by("pk")
    assert [(one.verb, one.actor) for one in events] == [
        ("orders.handed_in", manager.username),
        ("orders.imported", manager.username),
    ]
    importing.run(handed.pk)
    assert AuditEvent.objects.filter(verb="orders.imported").count() == 1


def test_a_file_whose_worker_died_is_read_by_the_next(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    handed = handing_in.hand_in(shop, SimpleUploadedFile("a.csv", b"order_id\n1\n2\n"), by=person("manager"))
    with monkeypatch.context() as broken:
        broken.setattr(importing, "import_file", lambda *args, **more: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            importing.run(handed.pk)
    assert not importing.unread(), "the dead worker's lease still runs"
    FileImport.objects.update(lease_until=None)
    importing.run(handed.pk)
    assert Order.objects.count() == 2


def refused_by(shop: Shop, bad: int, by: Person) -> FileImport:
    """Hand in a file with so many bad lines, and have it read."""
    lines = "order_id,amount\n0,1\n" + "1,x\n" * bad
    handed = handing_in.hand_in(shop, SimpleUploadedFile("a.csv", lines.encode()), by=by)
    importing.run(handed.pk)
    return handed


@pytest.mark.usefixtures("compiled")
def test_R19_whoever_handed_a_file_in_has_every_refused_line_as_a_file(shop: Shop, client: Client) -> None:
    manager, other = person("manager"), person("manager")
    handed = refused_by(shop, 300, manager)
    page, address = f"/orders/import/{handed.pk}/", f"/orders/import/{handed.pk}/refused.csv"
    client.force_login(manager)
    shown = client.get(page).content.decode()
    assert shown.count("no amount") == importing.MOST_FAULTS
    assert address in shown
    for language, words in (("en", "“amount” is no amount."), ("zh-hans", "“amount”不是金额")):
        type(manager).objects.update(language=language)
        body = b"".join(client.get(address).streaming_content).decode()  # type: ignore[attr-defined]
        rows = list(csv.reader(io.StringIO(body.removeprefix("\ufeff"))))
        assert [number for number, _why in rows[1:]] == [str(number) for number in range(3, 303)]
        assert all(words in why for _number, why in rows[1:]), language
    client.force_login(other)
    assert address not in client.get(page).content.decode()
    assert client.get(address).status_code == 404


def test_a_file_with_no_bad_line_has_no_list_of_them_whatever_had_its_number_before(shop: Shop, client: Client) -> None:
    manager = person("manager")
    client.force_login(manager)
    before = refused_by(shop, 3, manager)
    address = f"/orders/import/{before.pk}/refused.csv"
    assert client.get(address).status_code == 200
    FileImport.objects.all().delete()
    handed = handing_in.hand_in(shop, SimpleUploadedFile("b.csv", b"order_id\n1\n"), by=manager)
    FileImport.objects.filter(pk=handed.pk).update(id=before.pk)
    assert client.get(address).status_code == 404, "it has not been read yet"
    importing.run(before.pk)
    assert client.get(address).status_code == 404
    assert "refused.csv" not in client.get(f"/orders/import/{before.pk}/").content.decode()


def test_what_was_refused_is_forgotten_after_a_month_and_what_a_dead_worker_began(shop: Shop, rung: list[Any]) -> None:
    old, new = refused_by(shop, 3, person("manager")), refused_by(shop, 3, person("manager"))
    begun = refused.path_of(old.pk).with_name("begun.faults")
    begun.touch()
    for path in (refused.path_of(old.pk), begun):
        os.utime(path, times=(time.time() - 31 * 86400,) * 2)
    tasks.sync_due()
    assert not refused.path_of(old.pk).exists()
    assert not begun.exists()
    assert refused.path_of(new.pk).exists()


def test_the_command_prints_numbers_and_bad_lines(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "orders.csv"
    file.write_text("order_id,amount\n1,2\n2,x\n")
    with pytest.raises(CommandError, match="Some lines were refused"):
        call_command("import_orders", str(file), shop="counter-1")
    printed = capsys.readouterr()
    assert "1 orders kept, 1 lines refused, 0 repeated." in printed.out
    assert "line 3: “amount” is no amount." in printed.err
    many = tmp_path / "many.csv"
    many.write_text("order_id,amount\n" + "1,x\n" * 300)
    with pytest.raises(CommandError, match="Some lines were refused"):
        call_command("import_orders", str(many), shop="counter-1")
    named = [line.partition(":")[0] for line in capsys.readouterr().err.splitlines() if "“amount”" in line]
    assert named == [f"line {number}" for number in range(2, 302)]
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_orders", str(tmp_path / "none.csv"), shop="counter-1")
    with pytest.raises(CommandError, match="no shop called"):
        call_command("import_orders", str(file), shop="nowhere")
