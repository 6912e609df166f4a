"""What admins do to shops: create, change, replace the keys, switch on and off, give access.

The pages and the file use the same functions. Each judges everything first, changes nothing when nothing differs, and
writes one event per change in the same transaction. No secret is ever part of an event: only its fingerprint is.
"""

import json
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cancellations.audit import trail
from cancellations.people.models import Person
from cancellations.schema import clean_values
from cancellations.shops import health, vault
from cancellations.shops.connection import CREDENTIAL, card_of, read_credential, stays_local
from cancellations.shops.hosts import check_base_url
from cancellations.shops.models import Credential, Shop, ShopAccess
from providers import registry
from providers.contract import Card
from providers.errors import AuthFailed

Faults = dict[str, str]
RESERVED_NAMES = ("new",)  # an address of the pages
CHANGEABLE = ("title", "environment", "base_url", "options", "calls_per_second", "needs_approval")


def judge_settings(card: Card, base_url: str, options: Mapping[str, Any]) -> tuple[str, dict[str, Any], Faults]:
    """Return address and options as they are kept, the card's defaults filled in, and what is wrong with them.

    Faults are keyed ``base_url`` and ``options.<name>``.
    """
    faults: Faults = {}
    try:
        base_url = check_base_url(card, base_url or card.base_url)
    except ValidationError as error:
        faults["base_url"] = " ".join(error.messages)
    values, wrong = clean_values(card.options, options, check_url=partial(check_base_url, card))
    return base_url, values, faults | {f"options.{name}": text for name, text in wrong.items()}


def judge_credential(
    card: Card, options: Mapping[str, Any], credential: Mapping[str, Any]
) -> tuple[dict[str, str], Faults]:
    """Return the credential as it is kept and what is wrong with it, keyed ``credential.<name>``.

    Fields that these options do not ask for are left out.
    """
    check = partial(check_base_url, card)
    values, wrong = clean_values(card.credential, credential, check_url=check, options=options)
    kept = {name: value for name, value in values.items() if value}
    return kept, {f"credential.{name}": text for name, text in wrong.items()}


@transaction.atomic
def create_shop(
    *,
    by: Any,
    name: str,
    title: str,
    platform: str,
    environment: str,
    base_url: str = "",
    options: Mapping[str, Any] | None = None,
    credential: Mapping[str, Any],
    calls_per_second: float | None = None,
    needs_approval: bool = False,
) -> Shop:
    """Make a shop with its keys. A person who may not act on every shop may act on this one.

    Raises:
        ValidationError: A dict with a sentence for every field that cannot be used.
    """
    provider = registry.PROVIDERS.get(platform)
    if provider is None:
        known = ", ".join(registry.PROVIDERS)
        raise ValidationError({"platform": _("Choose one of: %(known)s.") % {"known": known}})
    base_url, kept, faults = judge_settings(provider.card, base_url, options or {})
    keys, wrong = judge_credential(provider.card, kept, credential)
    shop = Shop(
        name=name.strip(), title=title.strip() or name.strip(), platform=platform, environment=environment,
        base_url=base_url, options=kept, calls_per_second=calls_per_second, needs_approval=needs_approval,
    )  # fmt: skip
    _raise(faults | wrong | _row_faults(shop, but=faults))
    shop.save()
    after = {one: getattr(shop, one) for one in ("name", "platform", "active", *CHANGEABLE)}
    _record("shop.created", shop, by, after={**after, "credential": vault.fingerprint(keys)})
    _store(shop, keys, by)
    if isinstance(by, Person) and not by.every_shop:
        ShopAccess.objects.create(shop=shop, person=by)
    return shop


@transaction.atomic
def change_shop(shop: Shop, *, by: Any, **changes: Any) -> bool:
    """Change some of ``CHANGEABLE``; the name and the platform stay for ever.

    A change of address or options lifts a hold, so that the new ones get their chance.

    Returns:
        Whether anything differed.

    Raises:
        ValidationError: As :func:`create_shop`.
    """
    if unknown := set(changes) - set(CHANGEABLE):
        raise TypeError(f"these cannot be changed: {sorted(unknown)}")
    current = Shop.objects.select_for_update().get(pk=shop.pk)
    address, options = changes.get("base_url", current.base_url), changes.get("options", current.options)
    address, options, faults = judge_settings(card_of(current), address, options)
    changes = {name: value.strip() if isinstance(value, str) else value for name, value in changes.items()}
    wanted = {**{name: getattr(current, name) for name in CHANGEABLE}, **changes}
    wanted |= {"base_url": address, "options": options}
    before = {name: getattr(current, name) for name in CHANGEABLE if getattr(current, name) != wanted[name]}
    for name, value in wanted.items():
        setattr(current, name, value)
    _raise(faults | _row_faults(current, but=faults))
    if not before:
        return False
    current.save(update_fields=list(before))
    _record("shop.changed", current, by, before=before, after={name: wanted[name] for name in before})
    if {"base_url", "options"} & set(before):
        health.release(current, by=by, because="settings")
    shop.refresh_from_db()
    return True


@transaction.atomic
def replace_credential(shop: Shop, credential: Mapping[str, Any], *, by: Any) -> bool:
    """Replace the keys whole, and lift a hold so that the new ones get their chance.

    Returns:
        Whether they differ from those before, or are meant for another kind of address.

    Raises:
        ValidationError: As :func:`create_shop`.
    """
    keys, faults = judge_credential(card_of(shop), shop.options, credential)
    _raise(faults)
    stored = Credential.objects.select_for_update().filter(shop=shop).first()
    if stored and _is_same(stored, keys) and stored.local == stays_local(shop, card_of(shop)):
        return False
    before = stored.fingerprint if stored else ""
    after = _store(shop, keys, by)
    _record("credential.replaced", shop, by, before={"credential": before}, after={"credential": after})
    health.release(shop, by=by, because="credential")
    return True


@transaction.atomic
def set_active(shop: Shop, active: bool, *, by: Any) -> bool:
    """Switch a shop on or off; of one that is off nothing is sent, and its requests wait."""
    if not Shop.objects.filter(pk=shop.pk, active=not active).update(active=active):
        return False
    shop.active = active
    _record("shop.switched_on" if active else "shop.switched_off", shop, by)
    return True


@transaction.atomic
def set_access(shop: Shop, people: Iterable[Person], *, by: Any) -> bool:
    """Let exactly these people act on a shop, beside those who act on every shop."""
    wanted = {person.pk: person for person in people}
    have = {one.person_id: one.person for one in shop.access.select_related("person")}
    if set(wanted) == set(have):
        return False
    shop.access.exclude(person__in=wanted).delete()
    ShopAccess.objects.bulk_create(ShopAccess(shop=shop, person=wanted[pk]) for pk in wanted if pk not in have)
    before, after = (sorted(one.get_username() for one in group.values()) for group in (have, wanted))
    _record("shop.access_changed", shop, by, before={"people": before}, after={"people": after})
    return True


def credential_fits(shop: Shop) -> bool:
    """Tell whether the stored keys are readable, meant for such an address, and all that the options ask for."""
    stored = Credential.objects.filter(shop=shop).first()
    if stored is None:
        return False
    try:
        card, keys = card_of(shop), read_credential(stored)
    except AuthFailed:
        return False
    return (stored.local or not stays_local(shop, card)) and not judge_credential(card, shop.options, keys)[1]


def app_of(card: Card, keys: Mapping[str, str]) -> str:
    """Return what tells two apps apart where the card says that an app's shops share a budget of calls, else ""."""
    return vault.fingerprint({card.shared_by: keys.get(card.shared_by, "")}) if card.shared_by else ""


def _store(shop: Shop, keys: Mapping[str, str], by: Any) -> str:
    fingerprint = vault.fingerprint(keys)
    Credential.objects.update_or_create(
        shop=shop,
        defaults={
            "sealed": vault.seal(json.dumps(keys), purpose=CREDENTIAL, shop_pk=shop.pk),
            "fingerprint": fingerprint,
            "app": app_of(card_of(shop), keys),
            "local": stays_local(shop, card_of(shop)),
            "replaced_at": timezone.now(),
            "replaced_by": by.name if isinstance(by, trail.Machine) else by.get_username(),
        },
    )
    return fingerprint


def _is_same(stored: Credential, keys: Mapping[str, str]) -> bool:
    try:
        return read_credential(stored) == keys
    except AuthFailed:
        return False


def _row_faults(shop: Shop, but: Faults) -> Faults:
    """Return what the model itself says against a row: lengths, choices, a name that is taken."""
    if shop.name in RESERVED_NAMES:
        return {"name": _("This name is taken. Choose another.")}
    try:
        shop.full_clean(exclude=["options", *(name for name in but if "." not in name)])
    except ValidationError as error:
        return {name: " ".join(messages) for name, messages in error.message_dict.items()}
    return {}


def _raise(faults: Faults) -> None:
    if faults:
        raise ValidationError({name: [text] for name, text in faults.items()})


def _record(verb: str, shop: Shop, by: Any, **data: Any) -> None:
    trail.record(verb, by=by, subject_kind="shop", subject_id=shop.pk, subject=shop.title, shop=shop, data=data)
