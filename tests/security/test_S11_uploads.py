"""S11: a hostile file is read or refused, named, bounded in size, and costs little memory."""

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from cancellations.orders import importing
from cancellations.orders.models import FileImport, Order
from tests.desk import person, stall

ROOT = Path(__file__).resolve().parents[2]
HEAD = b"order_id,buyer_name,amount\n"
pytestmark = pytest.mark.django_db


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("orders.csv", b"order_id\n" + b"1\n" * 100_000)
    return out.getvalue()


# What is handed in → how many lines are good and bad, or None where the file is refused whole.
FILES: dict[str, tuple[bytes, tuple[int, int] | None]] = {
    "a field of 1 MB": (HEAD + b"1," + b"x" * 1_000_000 + b",1\n2,b,1\n", (1, 1)),
    "a line of 30 MB": (HEAD + b"1," + b"x" * 30_000_000 + b"\n2,b,1\n", (1, 1)),
    "a line that never ends": (b"order_id," + b"x" * 20_000_000, None),
    "a quotation that never ends": (HEAD + b'1,"' + b"a\n" * 50_000, (0, 50_000)),
    "a bomb of quotation marks": (HEAD + b'1,"' + b'""' * 500_000 + b'",1\n2,b,1\n', (1, 1)),
    "quotation marks all over": (HEAD + b'"1","b",1\n2,""b"",1\n3,"c"c,1\n"4,d,1\n5,e,1\n', (2, 3)),
    "NUL in the middle": (HEAD + b"1,a\x00b,1\n2,b,1\n", (1, 1)),
    "nothing but NUL": (b"\x00" * 100_000, None),
    "UTF-16": ("order_id,amount\n1,1\n".encode("utf-16"), (1, 0)),
    "UTF-32": ("order_id,amount\n1,1\n".encode("utf-32"), None),
    "UTF-8 broken in a character": (HEAD + "1,ä".encode()[:-1] + b"\xff\xfe,1\n", None),
    "an archive": (zipped(), None),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 500, None),
    "a program": (b"\x7fELF" + bytes(range(256)) * 500, None),
    "markup": (b"<html><script>alert(1)</script></html>", None),
    "a hundred thousand columns": (b",".join(b"c%d" % n for n in range(20_000)) + b"\n1\n", None),
    "more cells than columns": (HEAD + b"1" + b"," * 60_000 + b"x\n2,b,1\n", (1, 1)),
    "only ends of lines": (HEAD + b"\n\r\n" * 100_000 + b"2,b,1\n", (1, 0)),
    "old ends of lines": (HEAD.replace(b"\n", b"\r") + b"1,a,1\r", None),
    "a formula": (HEAD + b'1,=HYPERLINK("http://e"),1\n"2","=1+1",1\n', (2, 0)),
    "an amount of 10^9 digits": (HEAD + b"1,a," + b"9" * 60_000 + b"\n2,b,1e999999999\n3,c,1\n", (1, 2)),
    "a number that is none": (HEAD + b"1,a,NaN\n2,b,Infinity\n3,c,-0\n4,d,0x10\n", (1, 3)),
    "right to left": (HEAD + "1,\u202eevil\u202c,1\n".encode(), (1, 0)),
}


@pytest.mark.parametrize("what", sorted(FILES))
def test_S11_a_hostile_file_is_read_line_by_line_or_refused_whole(what: str) -> None:
    shop = stall("shoplazza", count=1, learn=False).shop
    body, wanted = FILES[what]
    result = importing.import_file(shop, io.BytesIO(body))
    if wanted is None:
        assert result.error, what
        assert (result.good, Order.objects.count()) == (0, 0)
    else:
        assert not result.error, (what, result.error, result.data)
        assert (result.good, result.bad) == wanted
        assert Order.objects.filter(shop=shop).count() == wanted[0]
        assert len(result.faults) == min(wanted[1], importing.MOST_FAULTS)
        assert all(number > 1 for number, _say, _data in result.faults)


def test_S11_what_is_too_large_is_refused_before_it_is_kept(monkeypatch: pytest.MonkeyPatch, client: Any) -> None:
    monkeypatch.setattr("cancellations.orders.forms.MOST_BYTES", 3_000_000)
    shop = stall("shoplazza", count=1, learn=False).shop
    client.force_login(person("manager"))
    before = set(Path(settings.MEDIA_ROOT).glob("*"))
    file = SimpleUploadedFile("orders.csv", HEAD + b"1,a,1\n" * 600_000, "text/csv")
    answer = client.post("/orders/import/", {"shop": shop.name, "file": file})
    assert answer.status_code == 422
    assert "larger than" in answer.content.decode()
    assert not FileImport.objects.exists()
    assert set(Path(settings.MEDIA_ROOT).glob("*")) == before


@pytest.mark.parametrize(
    "name", ["../../../etc/passwd", "/etc/passwd", "..\\..\\x.csv", "a\x00.csv", "\u202evsc.exe", "<b>.csv", "x" * 300,
             "a\r\nSet-Cookie: b", ".", ""],
)  # fmt: skip
def test_S11_a_files_name_leads_nowhere(client: Any, name: str) -> None:
    shop = stall("shoplazza", count=1, learn=False).shop
    client.force_login(person("manager"))
    file = SimpleUploadedFile("x.csv", HEAD + b"1,a,1\n", "text/csv")
    file._name = name  # type: ignore[attr-defined]  # past what the class itself cuts off
    answer = client.post("/orders/import/", {"shop": shop.name, "file": file})
    if answer.status_code == 422:
        assert not FileImport.objects.exists()
        return
    handed = FileImport.objects.get()
    stored = (Path(settings.MEDIA_ROOT) / handed.path).resolve()
    assert stored.parent == Path(settings.MEDIA_ROOT).resolve()
    assert stored.stat().st_mode & 0o077 == 0 or stored.parent.stat().st_mode & 0o077 == 0
    assert "/" not in handed.name
    assert len(handed.name) <= 200
    importing.run(handed.pk)
    assert not stored.exists()
    page = client.get(f"/orders/import/{handed.pk}/")
    assert page.status_code == 200
    assert "<b>" not in page.content.decode().partition("<main")[2]


def test_S11_a_form_with_too_much_in_it_is_refused_in_words(client: Any) -> None:
    client.force_login(person("admin"))
    many = {f"f{number}": "x" for number in range(2000)}
    assert client.post("/me/", many).status_code == 400
    assert client.post("/me/", {"language": "x" * 3_000_000}).status_code == 413
    files = {f"f{number}": SimpleUploadedFile("x", b"x") for number in range(150)}
    assert client.post("/me/", files).status_code == 400


INSIDE = """
import os, resource, sys, threading, time
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("createcachetable", verbosity=0)
from tests.desk import stall
from cancellations.orders import importing, refused
shop = stall("shoplazza", count=1, learn=False).shop
head = b"order_id,buyer_name,amount\\n"
def size():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() // 1024
def file(name, parts):
    path = os.environ["DATA_DIR"] + "/" + name
    with open(path, "wb") as out:
        for part in parts:
            out.write(part)
    return path
files = [
    file("warm", [head, b"0,a,1\\n" * 600]),
    file("field", [head, b"1,", *[b"x" * 1_000_000] * 20, b"\\n2,b,1\\n"]),
    file("quotes", [head, b'1,"', *[b'""' * 500_000] * 20]),
    file("empty", [head, *[b"\\n" * 500_000]]),
    file("repeated", [head, *[b"1,a,1\\n" * 90_000]]),
    file("bad", [head, *[b"nonsense\\n" * 50_000]]),
]
base = most = 0
for path in files:
    done = threading.Event()
    def watch():
        global most
        while not done.is_set():
            most = max(most, size())
            time.sleep(0.01)
    base = base or 0
    watcher = threading.Thread(target=watch)
    watcher.start()
    with open(path, "rb") as opened, refused.keeping(1) as keep:
        result = importing.import_file(shop, opened, tell=keep)
    done.set(); watcher.join()
    if path.endswith("warm"):
        base, most = size(), 0
assert sum(1 for line in refused.lines(1)) == 1 + 50_000
print("GREW", most - base)
"""


def test_S11_reading_a_hostile_file_costs_at_most_30_MB_of_memory() -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    env.pop("TEST_DATABASE_URL", None)
    done = subprocess.run(
        [sys.executable, "-c", INSIDE], cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=180
    )
    assert "GREW" in done.stdout, done.stderr[-2000:]
    assert int(done.stdout.split("GREW")[1]) < 30 * 1024
