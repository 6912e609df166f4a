"""``platforms``: what each platform is called here and which fields a shop of it has."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from cancellations.schema import default_of
from providers import registry
from providers.contract import Card, Field


class Command(BaseCommand):
    """Print every platform's card."""

    help = "Print every platform's slug, name, unit, addresses, options, credential and look-up fields."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON list instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        cards = [provider.card for provider in registry.PROVIDERS.values()]
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(card) for card in cards], ensure_ascii=False, indent=2))
            return
        self.stdout.write("\n\n".join("\n".join(_as_lines(card)) for card in cards))


def _as_json(card: Card) -> dict[str, Any]:
    return {
        "slug": card.slug,
        "name": _(card.name),
        "unit": card.unit,
        "base_url": card.base_url,
        "hosts": list(card.hosts),
        "reason": card.reason,
        "home": _(card.home) if card.home else "",
        **{kind: [_field(one) for one in getattr(card, kind)] for kind in ("options", "credential", "lookup")},
    }


def _field(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "label": _(field.label),
        "help": _(field.help) if field.help else "",
        "kind": field.kind,
        "required": field.required,
        "default": default_of(field),
        "choices": [value for value, _label in field.choices],
        "when": {field.when[0]: field.when[1]} if field.when else None,
    }


def _as_lines(card: Card) -> list[str]:
    lines = [
        f"{card.slug} – {_(card.name)}",
        "  " + _("cancels: %(unit)s") % {"unit": _("a whole order") if card.unit == "order" else _("one item")},
        "  " + _("base URL: %(url)s") % {"url": card.base_url},
        "  " + _("allowed hosts: %(hosts)s") % {"hosts": ", ".join(card.hosts)},
    ]
    if card.home:
        lines.append("  " + _(card.home))
    for title, fields in (
        (_("options"), card.options),
        (_("credential"), card.credential),
        (_("look-up fields"), card.lookup),
    ):
        lines.append(f"  {title}:" if fields else f"  {title}: –")
        lines += [f"    {_described(one)}" for one in fields]
    return lines


def _described(field: Field) -> str:
    facts = [field.kind if field.kind != "choice" else " | ".join(value for value, _label in field.choices)]
    if not field.required:
        facts.append(_("optional"))
    if default_of(field) not in ("", [], False):
        facts.append(_("default %(value)s") % {"value": default_of(field)})
    if field.when:
        facts.append(_("only with %(option)s = %(value)s") % {"option": field.when[0], "value": field.when[1]})
    words = f"{field.name} ({', '.join(map(str, facts))})"
    return f"{words}: {_(field.help)}" if field.help else f"{words}: {_(field.label)}"
