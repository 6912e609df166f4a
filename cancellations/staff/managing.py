"""What admins do to people: make, change, let out and back in, hand a link. Each is one transaction with its event.

Role and shops are changed by the same function the configuration file uses.
"""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from cancellations.audit import trail
from cancellations.people import invitations
from cancellations.people.models import Person, Role
from cancellations.shops.models import Shop
from cancellations.shops.people_from_file import PersonPlan, apply_person
from cancellations.shops.scope import shops_of

Shops = Iterable[Shop] | None  # None: every shop, also those still to come


def hindrance(person: Person, by: Person) -> str:
    """Return why an admin cannot manage this person at all, or "".

    A link makes its bearer that person, so whoever manages somebody must be allowed everything that one is.
    """
    if by.every_shop or person.pk == by.pk:
        return ""
    if person.every_shop or person.access.exclude(shop__in=shops_of(by)).exists():
        name = {"name": person.username}
        return _("%(name)s acts on shops that you do not. Ask an admin who acts on every shop.") % name
    return ""


@transaction.atomic
def create_person(*, username: str, role: str, shops: Shops, by: Person) -> Person:
    """Make somebody who cannot sign in until the link is used.

    Raises:
        ValidationError: The name is taken, or the shops are not the admin's to give; keyed by field.
    """
    name = username.strip()
    taken = {"username": [_("Somebody is called %(name)s already; capitals do not count.") % {"name": name}]}
    if Person.objects.filter(username__iexact=name).exists():
        raise ValidationError(taken)
    plan = PersonPlan((), name, None, role, _names(shops, by))
    try:
        with transaction.atomic():
            apply_person(plan, by)
    except IntegrityError as error:  # somebody else was faster
        raise ValidationError(taken) from error
    person = Person.objects.get(username=name)
    invitations.renew(person, by=by)
    return person


@transaction.atomic
def change_person(person: Person, *, role: str, shops: Shops, by: Person) -> bool:
    """Change role and shops; another role ends the person's sessions.

    Returns:
        Whether anything differed.

    Raises:
        ValidationError: It is oneself's role, the last admin's, or not this admin's to change.
    """
    current = _locked(person, by)
    if role != current.role:
        _not_oneself(current, by, _("Your own role is changed by another admin."))
        if current.role == Role.ADMIN:
            _not_the_last_admin(current)
    changed = bool(apply_person(PersonPlan((), current.username, None, role, _names(shops, by)), by))
    person.refresh_from_db()
    return changed


@transaction.atomic
def deactivate(person: Person, *, by: Person) -> bool:
    """Let somebody sign in no more, and end what is open; nothing is deleted.

    Returns:
        Whether the person was active.

    Raises:
        ValidationError: It is oneself, the last admin, or not this admin's to do.
    """
    current = _locked(person, by)
    _not_oneself(current, by, _("You cannot deactivate yourself. Ask another admin."))
    if not current.is_active:
        return False
    if current.role == Role.ADMIN:
        _not_the_last_admin(current)
    _set_active(person, False)
    _record("person.deactivated", current, by)
    return True


@transaction.atomic
def reactivate(person: Person, *, by: Person) -> bool:
    """Let somebody back in, with the password of before.

    Returns:
        Whether the person was deactivated.

    Raises:
        ValidationError: It is not this admin's to do.
    """
    current = _locked(person, by)
    if current.is_active:
        return False
    _set_active(person, True)
    _record("person.reactivated", current, by)
    return True


@transaction.atomic
def make_link(person: Person, *, by: Person) -> None:
    """Make a new one-time link; sessions and links of before end, the password works until a new one is set.

    Raises:
        ValidationError: It is oneself, somebody deactivated, or not this admin's to do.
    """
    current = _locked(person, by)
    _not_oneself(current, by, _("For yourself there is “Change password” under your name."))
    if not current.is_active:
        raise ValidationError(_("Reactivate %(name)s first.") % {"name": current.username})
    invitations.renew(person, by=by)


def _locked(person: Person, by: Person) -> Person:
    """Return the row as it is now, locked; every admin's row with it, so that no two remove each other."""
    list(Person.objects.select_for_update().filter(role=Role.ADMIN).order_by("pk"))
    current = Person.objects.select_for_update().get(pk=person.pk)
    if why := hindrance(current, by):
        raise ValidationError(why)
    return current


def _not_oneself(person: Person, by: Person, why: str) -> None:
    if person.pk == by.pk:
        raise ValidationError(why)


def _not_the_last_admin(person: Person) -> None:
    if not Person.objects.filter(role=Role.ADMIN, is_active=True).exclude(pk=person.pk).exists():
        why = _("%(name)s is the last active admin. Make another one first.")
        raise ValidationError(why % {"name": person.username})


def _names(shops: Shops, by: Person) -> tuple[str, ...] | None:
    """Return the shops' names; nobody gives what they do not have."""
    wanted = None if shops is None else {shop.pk: shop.name for shop in shops}
    if not by.every_shop and (wanted is None or set(wanted) - set(shops_of(by).values_list("pk", flat=True))):
        raise ValidationError({"shops": [_("You can only give shops that you act on yourself.")]})
    return None if wanted is None else tuple(sorted(wanted.values()))


def _set_active(person: Person, active: bool) -> None:
    Person.objects.filter(pk=person.pk).update(is_active=active)
    person.is_active = active
    invitations.end_everything(person)


def _record(verb: str, person: Person, by: Any) -> None:
    trail.record(verb, by=by, subject_kind="person", subject_id=person.pk, subject=person.get_username())
