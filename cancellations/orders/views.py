"""Pages of the index: the list, a shop asked live, how far the pulling is, files of orders."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import push_url, replace_url

from cancellations.access import allowed, may
from cancellations.downloads import download
from cancellations.orders import asking, handing_in, importing, refused, sheet, sync
from cancellations.orders.forms import ImportForm, LookupForm, SearchForm
from cancellations.orders.models import FileImport, Pull
from cancellations.orders.rows import rows_of
from cancellations.orders.search import search
from cancellations.pages import render_page, see_other, wants_fragment
from cancellations.shops.connection import card_of
from cancellations.shops.models import Shop
from cancellations.shops.scope import seen_by, shops_of, visible_to
from cancellations.templatetags.desk import grouped
from providers.errors import ProviderError

# So many shops are asked by themselves when nothing was found; the others on request, so as not to flood them.
MOST_ASKED = 8
RECENT = 10
# Filters that are drawn only when asked for.
FURTHER = ("placed_from", "placed_to", "amount_min", "amount_max", "currency")


@require_GET
@allowed("search")
def index(request: HttpRequest) -> HttpResponseBase:
    """The list: one box over all shops one may see, and its filters. The whole state is in the address."""
    shops = seen_by(request.user)
    form = SearchForm(request.GET, shops)
    sound = form.is_valid()
    filters = form.filters()
    results = search(request.user, filters, request.GET.get("at", ""), shops=shops)
    chips = [(chip, _address(request, *chip.names, "at")) for chip in form.chips()]
    context: dict[str, Any] = {"form": form, "filters": filters, "results": results, "chips": chips}
    context["more"] = "more" in request.GET or any(form[name].data for name in FURTHER)
    context["selectable"] = may(request.user, "request")
    context["rows"] = rows_of(results.page.rows, shops, context["selectable"])
    if not results.page.rows and results.understood and results.understood.number:
        askable = [one for one in shops if filters.includes(one) and asking.can_be_asked(one)]
        context["askable"], context["unasked"] = askable[:MOST_ASKED], len(askable) - MOST_ASKED
        # Digits may be somebody's phone: platforms are told them only when a person says so.
        context["at_once"] = not {"phone", "tail"} & {*results.understood.kinds}
    response = render_page(request, "orders/list.html", "orders/_rows.html", context, status=200 if sound else 422)
    if wants_fragment(request):
        set_address = replace_url if request.headers.get("HX-Trigger") == "typing" else push_url
        return set_address(response, _address(request))
    return response


@require_GET
@allowed("search")
def lookup(request: HttpRequest, name: str) -> HttpResponseBase:
    """One shop asked live; only this fragment waits for it."""
    shop = get_object_or_404(shops_of(request.user), name=name)
    text = request.GET.get("q", "")[:200]
    answer = asking.ask(shop, text, request.GET.dict(), by=request.user)
    context: dict[str, Any] = {"shop": shop, "answer": answer, "q": text, "address": request.get_full_path()}
    context["rows"] = rows_of([answer.order] if answer.order else [], [shop])
    if answer.missing:
        context["form"] = LookupForm(answer.missing, answer.listed or {}, f"ask-{shop.name}", request.GET.dict())
    return render_page(request, "orders/lookup.html", "orders/_lookup.html", context)


@require_GET
@allowed("search")
def pulls(request: HttpRequest) -> HttpResponseBase:
    """How far each shop's orders have been pulled."""
    now = timezone.now()
    rows = list(
        visible_to(request.user, Pull.objects.select_related("shop").filter(shop__active=True)).order_by("shop")
    )
    running = [row for row in rows if row.lease_until and row.lease_until > now]
    context = {
        "running": running,
        "broken": [row for row in rows if row.error and row.error != sync.CANNOT and row not in running],
        "oldest": min((row.watermark for row in rows if row.watermark), default=None),
        "pulls": rows,
    }
    return render_page(request, "orders/pulls.html", "orders/_pull.html", context)


@require_http_methods(["GET", "POST"])
@allowed("import")
def hand_in(request: HttpRequest) -> HttpResponseBase:
    """Hand a file of orders in; a worker reads it."""
    shops = shops_of(request.user)
    given = (request.POST, request.FILES) if request.method == "POST" else ()
    form = ImportForm(*given, shops=shops, initial={"shop": request.GET.get("shop", "")})
    if form.is_valid():
        handed = handing_in.hand_in(form.cleaned_data["shop"], form.cleaned_data["file"], by=request.user)
        return see_other(reverse("orders:imported", args=[handed.pk]), request)
    recent = visible_to(request.user, FileImport.objects.select_related("shop", "by")).order_by("-pk")[:RECENT]
    platforms = {shop.platform: shop for shop in shops if shop.active}
    sheets = [(shop, sheet.columns_of(card)) for shop in platforms.values() if (card := _card(shop))]
    most = grouped(importing.MOST_LINES)
    context = {"form": form, "recent": recent, "sheets": sheets, "most": most, "size": importing.MOST_BYTES}
    status = 422 if form.is_bound and form.errors else 200
    return render_page(request, "orders/import.html", "orders/_import.html", context, status=status)


@require_GET
@allowed("import")
def imported(request: HttpRequest, pk: int) -> HttpResponseBase:
    """How far a file has been read, and what was wrong with it."""
    files = visible_to(request.user, FileImport.objects.select_related("shop", "by"))
    handed = get_object_or_404(files, pk=pk)
    context = {
        "handed": handed,
        "lines": handed.good + handed.bad + handed.repeated,
        "error": gettext(handed.error) % handed.error_data if handed.error else "",
        "faults": [(number, gettext(sentence) % values) for number, sentence, values in handed.faults],
        "unnamed": handed.bad - importing.lines_in(handed.faults),
        "all": handed.by_id == request.user.pk and handed.finished_at and refused.path_of(pk).is_file(),
        "kept": refused.KEPT.days,
    }
    return render_page(request, "orders/imported.html", "orders/_imported.html", context)


@require_GET
@allowed("import")
def refused_lines(request: HttpRequest, pk: int) -> HttpResponseBase:
    """All that was wrong with a file, as a file; only for whoever handed it in."""
    files = visible_to(request.user, FileImport.objects.filter(by=request.user.pk).exclude(finished_at=None))
    handed = get_object_or_404(files, pk=pk)
    if not refused.path_of(handed.pk).is_file():
        raise Http404
    return download(refused.lines(handed.pk), f"refused-{handed.pk}.csv")


@require_GET
@allowed("import")
def template(request: HttpRequest, name: str) -> HttpResponse:
    """An empty file with the columns of the shop's platform."""
    shop = get_object_or_404(shops_of(request.user), name=name)
    card = _card(shop)
    if card is None:
        raise Http404
    return HttpResponse(
        sheet.template(card),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="orders-{shop.name}.csv"'},
    )


def _card(shop: Shop) -> Any:
    try:
        return card_of(shop)
    except ProviderError:
        return None


def _address(request: HttpRequest, *without: str) -> str:
    """Return the page's address, without the filters that are not set and those named."""
    query = request.GET.copy()
    for name in [name for name, value in query.items() if not value or name in without]:
        del query[name]
    return f"{request.path}?{query.urlencode()}" if query else request.path
