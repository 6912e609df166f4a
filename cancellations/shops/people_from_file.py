"""The people of a configuration file: made, or changed where the file and the database differ."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from cancellations.audit import trail
from cancellations.people.models import Person
from cancellations.shops.file_reading import Place
from cancellations.shops.models import Shop, ShopAccess


@dataclass(frozen=True)
class PersonPlan:
    """One ``[[person]]``, the password filled in.

    Attributes:
        password: ``None`` when it was left out: it stays; a new person has none until a one-time link is used.
        shops: Names; ``None`` means every shop.
    """

    at: Place
    username: str
    password: str | None
    role: str
    shops: tuple[str, ...] | None


def apply_person(plan: PersonPlan, by: Any) -> list[str]:
    """Make a person as planned, or change who is called so; capitals don't count, as at sign-in.

    Returns:
        One sentence per change, and a warning about a weak new password.
    """
    person = Person.objects.select_for_update().filter(username__iexact=plan.username).first()
    is_new = person is None
    person = person or Person(username=plan.username)
    before = None if is_new else _facts(person)
    changes = []
    person.role, person.every_shop = plan.role, plan.shops is None
    password_differs = plan.password is not None and (is_new or not person.check_password(plan.password))
    if plan.password is not None and password_differs:
        person.set_password(plan.password)
        changes += _warnings(person, plan.password)
    elif is_new:
        person.set_unusable_password()
    if is_new or password_differs or before != {**_facts(person), "shops": before["shops"] if before else []}:
        person.save()
    _give_shops(person, plan.shops or ())
    after = _facts(person)
    if is_new:
        _record("person.created", person, by, {"after": after})
        return [_("person %(name)s: created") % {"name": person.username}, *changes]
    if before is not None and before != after:
        differing = [name for name in after if before[name] != after[name]]
        data = {"before": {one: before[one] for one in differing}, "after": {one: after[one] for one in differing}}
        _record("person.changed", person, by, data)
        changes.insert(0, _("person %(name)s: role or shops changed") % {"name": person.username})
    if password_differs:
        _record("person.password_set", person, by, {})
        changes.insert(0, _("person %(name)s: password changed") % {"name": person.username})
    return changes


def _facts(person: Person) -> dict[str, Any]:
    shops = person.access.values_list("shop__name", flat=True) if person.pk else ()
    return {"role": person.role, "every_shop": person.every_shop, "shops": sorted(shops)}


def _give_shops(person: Person, names: tuple[str, ...]) -> None:
    wanted = dict(Shop.objects.filter(name__in=names).values_list("pk", "name"))
    have = set(person.access.values_list("shop", flat=True))
    person.access.exclude(shop__in=wanted).delete()
    ShopAccess.objects.bulk_create(ShopAccess(shop_id=pk, person=person) for pk in wanted if pk not in have)


def _warnings(person: Person, password: str) -> list[str]:
    try:
        validate_password(password, person)
    except ValidationError as error:
        why = " ".join(error.messages)
        return [_("person %(name)s: the password is weak. %(why)s") % {"name": person.username, "why": why}]
    return []


def _record(verb: str, person: Person, by: Any, data: dict[str, Any]) -> None:
    trail.record(verb, by=by, subject_kind="person", subject_id=person.pk, subject=person.get_username(), data=data)
