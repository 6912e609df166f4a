"""People and shops from a TOML file: read whole, judged whole, then applied in one transaction or not at all."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from cancellations.access import ROLES
from cancellations.people.models import Person
from cancellations.shops import configuring
from cancellations.shops.connection import read_credential
from cancellations.shops.file_reading import Place, Reading, read_file
from cancellations.shops.models import Credential, Environment, Shop
from cancellations.shops.people_from_file import PersonPlan, apply_person
from providers import registry
from providers.contract import Card
from providers.errors import AuthFailed

PERSON_KEYS = ("username", "password", "role", "shops")
SHOP_KEYS = ("name", "title", "platform", "environment", "base_url", "options", "credential")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_USERNAME = re.compile(r"[\w.@+-]{1,150}")


@dataclass(frozen=True)
class ShopPlan:
    """One ``[[shop]]``, its secrets filled in; "" and ``None`` mean left out."""

    at: Place
    name: str
    title: str
    platform: str
    environment: str
    base_url: str
    options: Mapping[str, Any]
    credential: Mapping[str, Any] | None


def configure(path: Path, *, by: Any, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Make people and shops as the file says; what it does not name stays as it is.

    Returns:
        One sentence per change; none when everything was so already.

    Raises:
        FaultyFile: With every fault; nothing was changed.
    """
    reading = read_file(path, environ, ("person", "shop"))
    changes: list[str] = []
    with transaction.atomic():
        shops = [_shop_plan(reading, at, table) for at, table in reading.tables("shop", SHOP_KEYS)]
        people = [_person_plan(reading, at, table) for at, table in reading.tables("person", PERSON_KEYS)]
        _check_twice(reading, [(plan.at, "name", plan.name) for plan in shops])
        _check_twice(reading, [(plan.at, "username", plan.username.lower()) for plan in people])
        _check_known_shops(reading, people, {plan.name for plan in shops})
        for shop in shops:
            _check_shop(reading, shop)
        reading.stop_if_faulty()
        for shop in shops:
            try:
                changes += _apply_shop(shop, by)
            except ValidationError as error:
                for place, say in _sentences(shop, error):
                    reading.fault(place, say)
        reading.stop_if_faulty()
        for person in people:
            changes += apply_person(person, by)
    return changes


def _shop_plan(reading: Reading, at: Place, table: Mapping[str, Any]) -> ShopPlan:
    name = reading.text(at, table, "name", needed=True)
    if name and not _NAME.fullmatch(name):
        reading.fault((*at, "name"), _("“name” takes letters, digits, - and _ only, 64 at most."))
    platform = reading.text(at, table, "platform", needed=True)
    if platform and platform not in registry.PROVIDERS:
        known = {"platform": platform, "known": ", ".join(registry.PROVIDERS)}
        reading.fault((*at, "platform"), _("There is no platform “%(platform)s”; known are: %(known)s.") % known)
    environment = reading.text(at, table, "environment", needed=True)
    if environment and environment not in Environment.values:
        reading.fault((*at, "environment"), _("“environment” is live or sandbox."))
    credential = None
    if "credential" in table:
        inner = reading.table(at, table, "credential")
        credential = {key: reading.secret((*at, "credential", key), value) for key, value in inner.items()}
    title, base_url = reading.text(at, table, "title"), reading.text(at, table, "base_url")
    options = reading.table(at, table, "options")
    return ShopPlan(at, name, title, platform, environment, base_url, options, credential)


def _person_plan(reading: Reading, at: Place, table: Mapping[str, Any]) -> PersonPlan:
    username = reading.text(at, table, "username", needed=True)
    if username and not _USERNAME.fullmatch(username):
        reading.fault((*at, "username"), _("“username” takes letters, digits and @ . + - _ only, 150 at most."))
    role = reading.text(at, table, "role", needed=True)
    if role and role not in ROLES:
        reading.fault((*at, "role"), _("“role” is one of: %(known)s.") % {"known": ", ".join(ROLES)})
    password = reading.secret((*at, "password"), table.get("password"))
    if password is not None and (not isinstance(password, str) or not password.strip()):
        reading.fault((*at, "password"), _("“password” must be text in quotes, and not empty."))
    if password is None and not Person.objects.filter(username__iexact=username).exists():
        reading.fault((*at, "password"), _("“password” is missing; a new person needs one."))
    shops = table.get("shops")
    if shops is not None and not (isinstance(shops, list) and all(isinstance(one, str) for one in shops)):
        reading.fault((*at, "shops"), _("“shops” must be a list of shop names."))
        shops = []
    return PersonPlan(at, username, password, role, None if shops is None else tuple(shops))


def _check_twice(reading: Reading, names: list[tuple[Place, str, str]]) -> None:
    seen: set[str] = set()
    for at, key, name in names:
        if name and name in seen:
            reading.fault((*at, key), _("“%(name)s” is there twice.") % {"name": name})
        seen.add(name)


def _check_known_shops(reading: Reading, people: list[PersonPlan], made: set[str]) -> None:
    known = made | set(Shop.objects.values_list("name", flat=True))
    for person in people:
        for name in person.shops or ():
            if name not in known:
                say = _("There is no shop “%(name)s”, neither here nor in the file.") % {"name": name}
                reading.fault((*person.at, "shops", name), say)


def _check_shop(reading: Reading, plan: ShopPlan) -> None:
    """Judge all that depends on the platform, and on the shop of that name as it is."""
    provider = registry.PROVIDERS.get(plan.platform)
    if provider is None:
        return
    _base_url, options, faults = configuring.judge_settings(provider.card, plan.base_url, plan.options)
    shop = Shop.objects.filter(name=plan.name).first()
    if shop and shop.platform != plan.platform:
        say = _("A shop's platform never changes; this one is %(platform)s. Give the new one another name.")
        reading.fault((*plan.at, "platform"), say % {"platform": shop.platform})
        shop = None
    deciding = {f"options.{one.when[0]}" for one in provider.card.credential if one.when}
    try:
        keys = _kept(shop) if plan.credential is None else plan.credential
        if not deciding & set(faults):  # else nobody can tell which keys are asked for
            faults |= configuring.judge_credential(provider.card, options, keys)[1]
    except AuthFailed as error:
        faults["credential"] = _(error.advice.admin)
    for place, say in _sentences(plan, ValidationError({key: [text] for key, text in faults.items()})):
        reading.fault(place, say)


def _kept(shop: Shop | None) -> dict[str, str]:
    """Return the keys a shop has already; they still have to fit what the file says of it."""
    stored = Credential.objects.filter(shop=shop).first() if shop else None
    return read_credential(stored) if stored else {}


def _sentences(plan: ShopPlan, error: ValidationError) -> Iterator[tuple[Place, str]]:
    name = plan.name or _("shop")
    for key, messages in error.message_dict.items():
        yield (*plan.at, *key.split(".")), f"{name}: {key}: {' '.join(messages)}"


def _apply_shop(plan: ShopPlan, by: Any) -> list[str]:
    shop = Shop.objects.filter(name=plan.name).first()
    name = {"name": plan.name}
    if shop is None:
        configuring.create_shop(
            by=by, name=plan.name, title=plan.title, platform=plan.platform, environment=plan.environment,
            base_url=plan.base_url, options=plan.options, credential=plan.credential or {},
        )  # fmt: skip
        return [_("shop %(name)s: created") % name]
    changes = []
    wanted: dict[str, Any] = {"title": plan.title or shop.title, "environment": plan.environment}
    wanted |= {"base_url": plan.base_url or _card(shop).base_url, "options": plan.options}
    if configuring.change_shop(shop, by=by, **wanted):
        changes.append(_("shop %(name)s: settings changed") % name)
    if plan.credential is not None and configuring.replace_credential(shop, plan.credential, by=by):
        changes.append(_("shop %(name)s: keys replaced") % name)
    return changes


def _card(shop: Shop) -> Card:
    return registry.PROVIDERS[shop.platform].card
