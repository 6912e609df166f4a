"""Tags and filters of every page; docs/components.md shows how each is written and what comes out."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django import template
from django.forms import BoundField, Form
from django.utils.formats import number_format
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from cancellations import charts
from cancellations.evidence import pretty_text, with_blots
from cancellations.marks import MARKS, Mark
from cancellations.marks import icon as draw_icon
from cancellations.moments import Clock, span
from providers import registry

register = template.Library()

WHOLE = frozenset({"JPY", "KRW", "VND", "CLP", "ISK"})  # currencies without a smaller coin


@register.simple_tag
def icon(name: str, size: int = 20) -> SafeString:
    """Draw an icon, hidden from screen readers."""
    return draw_icon(str(name), size)


@register.simple_tag
def gap() -> str:
    """Part two sentences, or a label and what it names; Chinese marks bring their own space."""
    return "" if (get_language() or "").startswith("zh") else " "


@register.simple_tag
def colon() -> str:
    """Part a name and what is said of it."""
    return "：" if (get_language() or "").startswith("zh") else ": "


@register.simple_tag
def badge(state: Any, detail: str = "", label: str = "") -> SafeString:
    """Draw a state as mark and word; a request may be given whole, so that its shades of meaning show."""
    word = str(getattr(state, "state", state))
    if word == "uncertain" and getattr(state, "in_review", False):
        word = "in_review"
    if word == "succeeded" and getattr(state, "already", False):
        word = "already"
    after_all = word in ("failed", "rejected") and getattr(state, "last_reading", "") == "cancelled"
    word = "alarm" if getattr(state, "alarm", "") else "after_all" if after_all else word
    mark = MARKS.get(word) or Mark(word, "quiet", "minus")
    more = format_html(' <span class="badge-detail">{}</span>', detail) if detail else ""
    return format_html(
        '<span class="badge" data-state="{}" data-tone="{}">{}<span>{}{}</span></span>',
        word, mark.tone, draw_icon(mark.icon, 16), label or mark.label, more,
    )  # fmt: skip


@register.simple_tag
def verdict(cancellable: bool | None, why: str = "") -> SafeString:
    """Say whether a unit can be cancelled, with a mark, and why not."""
    name, tone, words = {
        True: ("check-circle", "good", gettext("Can be cancelled")),
        False: ("no-symbol", "quiet", gettext("Cannot be cancelled")),
        None: ("question-mark-circle", "warn", gettext("Not known")),
    }[cancellable]
    more = format_html(' <span class="verdict-why">{}</span>', gettext(why)) if why else ""
    return format_html(
        '<span class="verdict" data-tone="{}">{}<span><strong>{}</strong>{}</span></span>',
        tone, draw_icon(name, 16), words, more,
    )  # fmt: skip


_EXACT, _NEAR = '<time datetime="{}" title="{}">{}</time>', '<time datetime="{}" title="{}" data-when>{}</time>'


@register.simple_tag
def when(moment: datetime | None, exact: bool = False, empty: str = "", clock: Clock | None = None) -> SafeString:
    """Show a moment in the reader's zone: relative with the exact one on hover, or the other way round."""
    if moment is None:
        return format_html('<span class="muted">{}</span>', empty or gettext("never"))
    sharp, near = (clock or Clock()).both(moment)
    shown, hover = (sharp, near) if exact else (near, sharp)
    return format_html(_EXACT if exact else _NEAR, moment.isoformat(), hover, shown)


@register.filter
def moment(text: str) -> datetime:
    """Read the ISO-8601 time a record keeps as text."""
    return datetime.fromisoformat(text)


@register.simple_tag
def duration(seconds: float | None) -> str:
    """Show a length of time: ``340 ms``, ``1.2 s``, ``3 min``."""
    return span(seconds)


@register.simple_tag
def money(amount: Decimal | None, currency: str = "") -> SafeString:
    """Show an amount with its currency, in figures that line up."""
    if amount is None:
        return format_html('<span class="money muted" title="{}">–</span>', gettext("The platform did not say."))
    return _money(Decimal(amount), currency, get_language())


@lru_cache(maxsize=8192)
def _money(amount: Decimal, currency: str, language: str | None) -> SafeString:
    exponent = amount.normalize().as_tuple().exponent
    places = max(0 if currency in WHOLE else 2, -exponent if isinstance(exponent, int) else 0)
    figure = number_format(amount, decimal_pos=places, force_grouping=True)
    return format_html('<span class="money">{} <span class="currency">{}</span></span>', figure, currency)


@register.filter
def grouped(number: int) -> str:
    """Write a count as people read it: 12,345."""
    return number_format(number, force_grouping=True)


@register.simple_tag
def copy(text: Any, label: str = "") -> SafeString:
    """Show an id whole, in monospace, with a button that copies it."""
    name = gettext("Copy %(what)s") % {"what": label or str(text)}
    return format_html(
        '<span class="copy"><code>{}</code><button type="button" class="copy-button script-only" data-copy="{}" '
        'aria-label="{}" title="{}">{}</button></span>',
        text, text, name, gettext("Copy"), draw_icon("square-2-stack", 16),
    )  # fmt: skip


@register.filter
def tr(sentence: str | None) -> str:
    """Translate a sentence that is kept in English."""
    return gettext(sentence) if sentence else ""


@register.filter
def platform_name(slug: str) -> str:
    """Return a platform's name from its card; a platform no longer known shows its slug."""
    provider = registry.PROVIDERS.get(slug)
    return gettext(provider.card.name) if provider else slug


@register.simple_tag
def platform(shop: Any, title: bool = True) -> SafeString:
    """Show a platform's mark and name, and the shop's title before it."""
    known = list(registry.PROVIDERS)
    hue = known.index(shop.platform) % 7 if shop.platform in known else 7
    return _platform(platform_name(shop.platform), hue, shop.title if title else "")


@lru_cache(maxsize=4096)
def _platform(name: str, hue: int, title: str) -> SafeString:
    words = [word for word in name.replace("-", " ").split() if word]
    letters = "".join(word[0] for word in words[:2]).upper() if len(words) > 1 else name[:2].title()
    text = title or name
    if title and name.casefold() not in text.casefold():  # else the title has said it
        text = format_html('{} <span class="platform-name">{}</span>', text, name)
    return format_html(
        '<span class="platform"><span class="platform-mark" data-hue="{}" aria-hidden="true">{}</span>'
        "<span>{}</span></span>",
        hue, letters, text,
    )  # fmt: skip


@register.filter
def pretty(value: Any) -> SafeString:
    """Show a body for reading: JSON indented, blotted-out parts marked, everything escaped."""
    return with_blots(pretty_text(value))


@register.filter
def evidence(value: Any) -> SafeString | str:
    """Show a value the record keeps (``.text``, ``.has_parts``): one with parts for reading, another as it is."""
    return format_html("<pre>{}</pre>", pretty(value.text)) if value.has_parts else value.text


@register.inclusion_tag("parts/chart.html")
def chart(
    rows: Sequence[tuple[str, Sequence[int]]], legend: Sequence[tuple[str, str]], title: str = "", head: str = ""
) -> dict[str, Any]:
    """Draw stacked bars: ``rows`` are (label, numbers), ``legend`` (name, tone) for each, ``head`` what labels are."""
    rows = list(rows)
    top = charts.ceiling(max((sum(numbers) for _, numbers in rows), default=0))
    drawn = charts.bars(rows, [tone for _, tone in legend], top)
    head = head or gettext("Day")
    grid = charts.grid(top)
    return {"bars": drawn, "legend": legend, "title": title, "head": head, "grid": grid, "height": charts.HEIGHT}


@register.inclusion_tag("parts/stack.html")
def stack(parts: Sequence[tuple[str, str, int]], title: str = "") -> dict[str, Any]:
    """Draw one bar across the page: ``parts`` are (label, tone, number); the legend says the numbers."""
    return {"pieces": charts.shares(parts), "title": title}


@register.inclusion_tag("parts/bar.html")
def bar(parts: Sequence[tuple[str, str, int]], whole: int) -> dict[str, Any]:
    """Draw one bar of several that are compared, ``whole`` being the longest; the numbers stand beside it."""
    return {"pieces": charts.shares([part for part in parts if part[2]], whole)}


@register.inclusion_tag("parts/pager.html", takes_context=True)
def pager(context: template.Context, page: Any, count: Any = None, target: str = "") -> dict[str, Any]:
    """Lead to the pages before and after, with the rest of the address kept."""
    query = context["request"].GET.copy()
    query.pop(page.name, None)
    start = query.urlencode()
    links = {
        way: f"?{start}{'&' if start else ''}{page.name}={cursor}" if cursor else ""
        for way, cursor in (("previous", page.previous), ("next", page.next))
    }
    if page.previous and page.first <= 1:
        links["previous"] = f"?{start}" if start else context["request"].path
    return {"page": page, "count": count, "target": target, **links}


@register.inclusion_tag("parts/errors.html")
def errors(form: Form, title: str = "") -> dict[str, Any]:
    """Sum up a form's errors, each leading to its field; ``title`` where nothing was to be kept."""
    return {"form": form, "title": title, "fields": [field for field in form if field.errors] if form.errors else []}


@register.inclusion_tag("parts/field.html")
def field(bound: BoundField, optional: bool = False) -> dict[str, Any]:
    """Show one field: label, help, widget, errors."""
    kind = getattr(bound.field.widget, "input_type", "")
    single = kind == "checkbox" and not bound.field.widget.use_fieldset
    return {"field": bound, "optional": optional, "single": single, "group": bound.field.widget.use_fieldset}


@register.inclusion_tag("parts/dots.html")
def dots(steps: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Show progress as dots: (label, ``done now todo skipped bad unsure``)."""
    names = {
        "done": gettext("done"),
        "now": gettext("under way"),
        "todo": gettext("still to come"),
        "skipped": gettext("not needed"),
        "bad": gettext("went wrong"),
        "unsure": gettext("not sure"),
    }
    return {"steps": [(conditional_escape(label), state, names[state]) for label, state in steps]}
