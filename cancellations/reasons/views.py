"""Reasons: everybody sees what can be picked and what is sent for it; admins change it."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cancellations.access import allowed, may
from cancellations.pages import render_page, see_other
from cancellations.reasons import managing, matrix
from cancellations.reasons.forms import MappingForm, ReasonForm
from cancellations.reasons.models import ListedReasons, Reason
from cancellations.shops.scope import shops_of

PATIENCE = timedelta(seconds=60)  # a list asked for longer ago is not waited for any more


@require_GET
@allowed("search")
def index(request: HttpRequest) -> HttpResponseBase:
    """The catalogue, and what is sent for each reason on which platform."""
    columns = matrix.columns(shops_of(request.user))
    cells = matrix.cells(columns)
    reasons = list(Reason.objects.all())
    context = {
        "columns": columns,
        "rows": [
            (one, list(zip(columns, cells.get(one.code, ()), strict=False))) for one in reasons if not one.retired_at
        ],
        "retired": [one for one in reasons if one.retired_at],
        "may_change": may(request.user, "reasons"),
        "has_lists": bool(matrix.lists(shop for column in columns for shop in column.shops)),
    }
    return render_page(request, "reasons/list.html", "reasons/_rows.html", context)


@require_GET
@allowed("search")
def detail(request: HttpRequest, code: str) -> HttpResponseBase:
    """One reason, platform by platform and shop by shop."""
    return _page(request, get_object_or_404(Reason, code=code))


def _page(request: HttpRequest, reason: Reason, refused: MappingForm | None = None) -> HttpResponseBase:
    shops = shops_of(request.user)
    columns = matrix.columns(shops)
    may_change = may(request.user, "reasons")
    sections = []
    for column, targets in zip(columns, matrix.targets(reason, columns), strict=True):
        forms = [_mapping_form(one, shops, refused) if may_change else None for one in targets]
        sections.append((column, list(zip(targets, forms, strict=True))))
    context = {"reason": reason, "sections": sections, "may_change": may_change, "refused": refused}
    status = 422 if refused else 200
    return render_page(request, "reasons/reason.html", "reasons/_reason.html", context, status=status)


def _mapping_form(target: matrix.Target, shops: Any, refused: MappingForm | None) -> MappingForm | None:
    """Return the form of one line: the one just refused, as it was typed, or a fresh one; ``None`` for no reason."""
    if target.card.reason == "none":
        return None
    slug, name = target.card.slug, target.shop.name if target.shop else ""
    if refused and (refused["platform"].value(), refused["shop"].value() or "") == (slug, name):
        form = refused
    else:
        initial = {"platform": slug, "shop": name, "value": target.own}
        form = MappingForm(initial=initial, shops=shops, auto_id=f"id_{slug}_{name}_%s")
    if target.card.reason == "listed":
        default = _("By default: %(value)s") % {"value": target.default} if target.default else _("Not mapped")
        kept = {target.own: target.own} if target.own else {}
        form.offer({**kept, **dict(target.offered)}.items(), default)
    else:
        form.fields["value"].widget.attrs["placeholder"] = target.default
    where = target.shop.title if target.shop else _(target.card.name)
    form.fields["value"].label = _("What %(where)s is told") % {"where": where}
    return form


@require_POST
@allowed("reasons")
def map_value(request: HttpRequest, code: str) -> HttpResponseBase:
    """Map a reason to what a platform or one of its shops is told."""
    reason = get_object_or_404(Reason, code=code)
    slug, name = request.POST.get("platform", ""), request.POST.get("shop", "")
    form = MappingForm(request.POST, shops=shops_of(request.user), auto_id=f"id_{slug}_{name}_%s")
    if not form.keep(reason, by=request.user):
        return _page(request, reason, form)
    if form.changed:
        messages.success(request, _("“%(reason)s” is mapped as you chose.") % {"reason": reason})
    return _back(request, reason)


@require_GET
@allowed("reasons")
def draft(request: HttpRequest) -> HttpResponseBase:
    """A new reason, to be filled in."""
    return render_page(request, "reasons/new.html", "reasons/_form.html", {"form": ReasonForm()})


@require_POST
@allowed("reasons")
def create(request: HttpRequest) -> HttpResponseBase:
    """Make a new reason."""
    form = ReasonForm(request.POST)
    if not form.keep(by=request.user):
        return render_page(request, "reasons/new.html", "reasons/_form.html", {"form": form}, status=422)
    text = _("“%(reason)s” can be picked from now on. See below where it still has to be mapped.")
    messages.success(request, text % {"reason": form.instance})
    return _back(request, form.instance)


@require_GET
@allowed("reasons")
def edit(request: HttpRequest, code: str) -> HttpResponseBase:
    """A reason's words, to be changed."""
    reason = get_object_or_404(Reason, code=code)
    context = {"reason": reason, "form": ReasonForm(instance=reason)}
    return render_page(request, "reasons/edit.html", "reasons/_form.html", context)


@require_POST
@allowed("reasons")
def change(request: HttpRequest, code: str) -> HttpResponseBase:
    """Change a reason's words."""
    form = ReasonForm(request.POST, instance=get_object_or_404(Reason, code=code))
    if not form.keep(by=request.user):
        context = {"reason": Reason.objects.get(code=code), "form": form}
        return render_page(request, "reasons/edit.html", "reasons/_form.html", context, status=422)
    messages.success(request, _("“%(reason)s” is as you set it.") % {"reason": form.instance})
    return _back(request, form.instance)


@require_POST
@allowed("reasons")
def retire(request: HttpRequest, code: str) -> HttpResponseBase:
    """Offer a reason no more."""
    reason = get_object_or_404(Reason, code=code)
    try:
        if managing.retire(reason, by=request.user):
            text = _("“%(reason)s” is not offered any more. What was asked with it stays.")
            messages.success(request, text % {"reason": reason})
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return _back(request, reason)


@require_POST
@allowed("reasons")
def restore(request: HttpRequest, code: str) -> HttpResponseBase:
    """Offer a retired reason again."""
    reason = get_object_or_404(Reason, code=code)
    if managing.restore(reason, by=request.user):
        messages.success(request, _("“%(reason)s” is offered again.") % {"reason": reason})
    return _back(request, reason)


@require_GET
@allowed("reasons")
def lists(request: HttpRequest) -> HttpResponseBase:
    """What the platforms themselves list; it looks again while an answer is waited for."""
    rows = [(shop, listed, _is_awaited(listed)) for shop, listed in matrix.lists(shops_of(request.user))]
    context = {"rows": rows, "awaited": any(awaited for _shop, _listed, awaited in rows)}
    return render_page(request, "reasons/lists.html", "reasons/_lists.html", context)


def _is_awaited(listed: ListedReasons) -> bool:
    if listed.asked_at is None or timezone.now() - listed.asked_at > PATIENCE:
        return False
    return all(answered is None or answered < listed.asked_at for answered in (listed.read_at, listed.failed_at))


@require_POST
@allowed("reasons")
def read_list(request: HttpRequest, name: str) -> HttpResponseBase:
    """Have a worker read what one shop's platform lists."""
    shop = get_object_or_404(shops_of(request.user), name=name)
    try:
        managing.ask_for_list(shop, by=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return see_other(reverse("reasons:lists"), request)


def _back(request: HttpRequest, reason: Reason) -> HttpResponseBase:
    return see_other(reverse("reasons:reason", args=[reason.code]), request)
