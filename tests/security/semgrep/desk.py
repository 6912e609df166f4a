# What each rule of desk.yaml must find, and what it must leave alone; `semgrep scan --test` compares.
import csv
import pickle
import urllib.request
import xml.etree.ElementTree

import httpx


# ruleid: view-without-allowed
@require_GET
def open_to_all(request: HttpRequest) -> HttpResponse: ...


# ok: view-without-allowed
@require_GET
@allowed("search")
def guarded(request: HttpRequest) -> HttpResponse: ...


# ruleid: task-takes-more-than-ids
@shared_task
def send(shop_id: int, key: str) -> None: ...


# ok: task-takes-more-than-ids
@shared_task
def deliver(shop_id: int) -> None: ...


def texts(name):
    # ruleid: text-marked-safe
    mark_safe("<b>" + name)
    # ruleid: text-marked-safe
    mark_safe(name)
    # ok: text-marked-safe
    mark_safe("<b>")
    # ok: text-marked-safe
    format_html("<b>{}</b>", name)


def rows(request, cursor, name):
    # ruleid: sql-past-the-models
    Order.objects.raw("SELECT 1")
    # ruleid: sql-past-the-models
    Order.objects.all().extra(where=["1=1"])
    # ruleid: sql-past-the-models
    cursor.execute("SELECT %s" % name)
    # ruleid: sql-past-the-models
    Order.objects.order_by(request.GET["sort"])
    # ok: sql-past-the-models
    cursor.execute("SELECT %s", [name])
    # ok: sql-past-the-models
    Order.objects.order_by("-placed_at")


def ways_out(url):
    # ruleid: way-out-past-the-wire
    httpx.Client()
    # ruleid: way-out-past-the-wire
    urllib.request.urlopen(url)
    # ruleid: way-out-past-the-wire
    open_it(url, follow_redirects=True)


def files(out, row):
    # ruleid: csv-past-the-spreadsheet
    csv.writer(out)
    # ok: csv-past-the-spreadsheet
    csv_lines(["a"], [row])


def logs(logger, token, shop, credential):
    # ruleid: secret-in-a-log
    logger.warning("refused %s", token)
    # ruleid: secret-in-a-log
    logger.info("shop %s", shop.credential)
    # ok: secret-in-a-log
    logger.info("shop %s", shop.name)


def reads(text):
    # ruleid: xml-past-defusedxml
    xml.etree.ElementTree.fromstring(text)
    # ruleid: reads-objects
    pickle.loads(text)
    # ok: reads-objects
    json.loads(text)


# ruleid: csrf-off
@csrf_exempt
def hook(request): ...


def doors(request):
    # ruleid: open-redirect
    redirect(request.GET["next"])
    # ok: open-redirect
    redirect("home")
