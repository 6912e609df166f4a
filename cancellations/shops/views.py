"""Shops: who may look sees how they are doing; admins set them up."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cancellations.access import allowed, may
from cancellations.pages import render_page, see_other, wants_fragment
from cancellations.people.models import Person
from cancellations.schema import as_lines
from cancellations.shops import configuring, hosts
from cancellations.shops.checkup import check_connection
from cancellations.shops.connection import rate_of
from cancellations.shops.forms import AccessForm, CredentialForm, ShopForm
from cancellations.shops.models import Credential, Environment, Shop, ShopHealth
from cancellations.shops.scope import shops_of
from providers import registry
from providers.contract import Card, Field

QUEUED = "queued"  # a word of the requests, which this folder must not import
_CHECKUP = "checkup"


def _shop(request: HttpRequest, name: str) -> Shop:
    """Return a shop of this person; anybody else's does not exist."""
    return get_object_or_404(shops_of(request.user).select_related("health", "credential"), name=name)


def _card(platform: str) -> Card:
    provider = registry.PROVIDERS.get(platform)
    if provider is None:
        raise Http404
    return provider.card


def _back(request: HttpRequest, shop: Shop) -> HttpResponseBase:
    return see_other(reverse("shops:shop", args=[shop.name]), request)


@require_GET
@allowed("search")
def index(request: HttpRequest) -> HttpResponseBase:
    """One's shops and how they are doing."""
    waiting = Count("cancellations", filter=Q(cancellations__state=QUEUED))
    shops = shops_of(request.user).select_related("health", "credential").annotate(waiting=waiting)
    context = {"shops": shops, "may_change": may(request.user, "shops")}
    return render_page(request, "shops/list.html", "shops/_rows.html", context)


@require_GET
@allowed("search")
def detail(request: HttpRequest, name: str) -> HttpResponseBase:
    """One shop: its health first."""
    shop = _shop(request, name)
    context = _facts(request, shop, request.session.pop(_CHECKUP, None))
    return render_page(request, "shops/shop.html", "shops/_health.html", context)


def _facts(request: HttpRequest, shop: Shop, checkup: dict[str, Any] | None) -> dict[str, Any]:
    provider = registry.PROVIDERS.get(shop.platform)
    may_change = may(request.user, "shops")
    local = hosts.is_local(shop.base_url)
    people = Person.objects.filter(Q(every_shop=True) | Q(access__shop=shop), is_active=True)
    return {
        "shop": shop,
        "card": provider.card if provider else None,
        "rate": rate_of(shop) if provider else None,
        "options": _options(provider.card, shop.options) if provider else [],
        "health": getattr(shop, "health", None) or ShopHealth(shop=shop),
        "credential": Credential.objects.filter(shop=shop).first(),
        "waiting": shop.cancellations.filter(state=QUEUED).count(),
        "people": people.distinct().order_by("username") if may_change else None,
        "may_change": may_change,
        "may_audit": may(request.user, "audit"),
        "local": local,
        "live_but_local": local and shop.environment == Environment.LIVE,
        "checkup": checkup if checkup and checkup.get("shop") == shop.pk else None,
    }


def _options(card: Card, options: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Return the label and the lines of every option that says something."""
    return [
        (_(one.label), _lines(one, options[one.name]))
        for one in card.options
        if options.get(one.name) not in ("", [], {}, None)
    ]


def _lines(option: Field, value: Any) -> list[str]:
    if option.kind == "switch":
        return [_("yes") if value else _("no")]
    if option.kind == "list":
        return as_lines(value).splitlines()
    return [_(dict(option.choices).get(value, value))]


@require_POST
@allowed("shops")
def check(request: HttpRequest, name: str) -> HttpResponseBase:
    """Ask the platform whether the connection works, and tell what does not."""
    shop = _shop(request, name)
    found = {"shop": shop.pk, **asdict(check_connection(shop, by=request.user))}
    if wants_fragment(request):
        facts = _facts(request, _shop(request, name), found)
        return render_page(request, "shops/shop.html", "shops/_health.html", facts)
    request.session[_CHECKUP] = found
    return _back(request, shop)


@require_GET
@allowed("shops")
def choose(request: HttpRequest) -> HttpResponseBase:
    """A new shop, first step: which platform."""
    context = {"cards": [provider.card for provider in registry.PROVIDERS.values()]}
    return render_page(request, "shops/choose.html", "shops/_cards.html", context)


@require_GET
@allowed("shops")
def draft(request: HttpRequest, platform: str) -> HttpResponseBase:
    """A new shop, second step: its fields."""
    card = _card(platform)
    return render_page(request, "shops/new.html", "shops/_form.html", {"card": card, "form": ShopForm(card)})


@require_POST
@allowed("shops")
def create(request: HttpRequest, platform: str) -> HttpResponseBase:
    """Make the new shop."""
    card = _card(platform)
    form = ShopForm(card, request.POST)
    if not form.save(by=request.user) or form.shop is None:
        return render_page(request, "shops/new.html", "shops/_form.html", {"card": card, "form": form}, status=422)
    messages.success(request, _("%(shop)s is set up. Check the connection now.") % {"shop": form.shop})
    return _back(request, form.shop)


@require_GET
@allowed("shops")
def edit(request: HttpRequest, name: str) -> HttpResponseBase:
    """A shop's settings, to be changed."""
    shop = _shop(request, name)
    card = _card(shop.platform)
    context = {"shop": shop, "card": card, "form": ShopForm(card, shop=shop)}
    return render_page(request, "shops/edit.html", "shops/_form.html", context)


@require_POST
@allowed("shops")
def change(request: HttpRequest, name: str) -> HttpResponseBase:
    """Change a shop's settings."""
    shop = _shop(request, name)
    card = _card(shop.platform)
    form = ShopForm(card, request.POST, shop=shop)
    if not form.save(by=request.user):
        context = {"shop": shop, "card": card, "form": form}
        return render_page(request, "shops/edit.html", "shops/_form.html", context, status=422)
    if configuring.credential_fits(shop):
        messages.success(request, _("%(shop)s is as you set it. Check the connection now.") % {"shop": shop})
    else:
        messages.warning(request, _("The settings are kept, but the keys do not fit them. Replace the keys."))
    return _back(request, shop)


@require_GET
@allowed("shops")
def keys(request: HttpRequest, name: str) -> HttpResponseBase:
    """A shop's keys, to be replaced; they are never shown."""
    shop = _shop(request, name)
    card = _card(shop.platform)
    context = {"shop": shop, "card": card, "form": CredentialForm(card, shop)}
    return render_page(request, "shops/keys.html", "shops/_keys.html", context)


@require_POST
@allowed("shops")
def replace_keys(request: HttpRequest, name: str) -> HttpResponseBase:
    """Replace a shop's keys whole."""
    shop = _shop(request, name)
    card = _card(shop.platform)
    form = CredentialForm(card, shop, request.POST)
    if not form.save(by=request.user):
        context = {"shop": shop, "card": card, "form": form}
        return render_page(request, "shops/keys.html", "shops/_keys.html", context, status=422)
    if form.replaced:
        messages.success(request, _("The keys are replaced. Check the connection now."))
    else:
        messages.info(request, _("These are the keys that were stored already. Nothing changed."))
    return _back(request, shop)


@require_GET
@allowed("shops")
def access(request: HttpRequest, name: str) -> HttpResponseBase:
    """Who may act on a shop."""
    shop = _shop(request, name)
    form = AccessForm(initial={"people": list(shop.access.values_list("person", flat=True))})
    return render_page(request, "shops/access.html", "shops/_access.html", _access_facts(shop, form))


@require_POST
@allowed("shops")
def set_access(request: HttpRequest, name: str) -> HttpResponseBase:
    """Let exactly the chosen people act on a shop."""
    shop = _shop(request, name)
    form = AccessForm(request.POST)
    if not form.is_valid():
        return render_page(request, "shops/access.html", "shops/_access.html", _access_facts(shop, form), status=422)
    if configuring.set_access(shop, form.cleaned_data["people"], by=request.user):
        messages.success(request, _("Who may act on %(shop)s is as you chose.") % {"shop": shop})
    if not shops_of(request.user).filter(pk=shop.pk).exists():
        return see_other(reverse("shops:list"), request)
    return _back(request, shop)


def _access_facts(shop: Shop, form: AccessForm) -> dict[str, Any]:
    everywhere = Person.objects.filter(every_shop=True, is_active=True).order_by("username")
    return {"shop": shop, "form": form, "everywhere": everywhere}


@require_POST
@allowed("shops")
def switch_on(request: HttpRequest, name: str) -> HttpResponseBase:
    """Let a shop's requests be sent again."""
    shop = _shop(request, name)
    if configuring.set_active(shop, True, by=request.user):
        text = _("%(shop)s is switched on. What waits is sent, unless the shop is on hold.")
        messages.success(request, text % {"shop": shop})
    return _back(request, shop)


@require_POST
@allowed("shops")
def switch_off(request: HttpRequest, name: str) -> HttpResponseBase:
    """Send nothing for a shop; its requests wait."""
    shop = _shop(request, name)
    if configuring.set_active(shop, False, by=request.user):
        messages.success(
            request, _("%(shop)s is switched off. Its requests wait until it is on again.") % {"shop": shop}
        )
    return _back(request, shop)
