"""How people sign in: accounts are made by admins only, and every coming and going is in the record.

What was typed as a password goes nowhere; what was typed as a name only when somebody is called so, for people slip and
type their password there.
"""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context, ratelimit
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from cancellations.audit import trail
from cancellations.people.models import Person


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth carries no types
    """allauth's ways, with the door for newcomers closed."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def post_login(self, request: HttpRequest, user: Person, **more: Any) -> HttpResponse:
        _record("person.signed_in", user, by=user)
        response: HttpResponse = super().post_login(request, user, **more)
        return response

    def logout(self, request: HttpRequest) -> None:
        if isinstance(request.user, Person):
            _record("person.signed_out", request.user, by=request.user)
        super().logout(request)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Record a wrong password; with the one that uses up the tries, also that the name is locked."""
        person = _called(credentials.get("username", ""))
        _record("person.sign_in_failed", person, why="password" if person else "unknown name")
        key = self._get_login_attempts_cache_key(request, **credentials)
        if not ratelimit.consume(request, action="login_failed", key=key, dry_run=True):
            _record("person.locked_out", person)

    def respond_user_inactive(self, request: HttpRequest, user: Person) -> HttpResponse:
        _record("person.sign_in_failed", user, why="deactivated")
        response: HttpResponse = super().respond_user_inactive(request, user)
        return response

    def set_password(self, user: Person, password: str) -> None:
        """Keep a password somebody chose; it ends a lock on the name, and every session but the one under way."""
        user.set_password(password)
        with transaction.atomic():
            user.save(update_fields=["password"])  # nothing else: a role may have changed since this row was read
            _record("person.password_set", user, by=user)
        key = self._get_login_attempts_cache_key(context.request, username=user.username)
        ratelimit.clear(context.request, action="login_failed", key=key)


def _called(name: str) -> Person | None:
    """Return who would sign in by this name: case does not count."""
    found = [one for one in Person.objects.filter(username__iexact=name) if one.username.lower() == name.lower()]
    return found[0] if len(found) == 1 else None


def _record(verb: str, person: Person | None, *, by: Any = trail.SYSTEM, **data: Any) -> None:
    pk, name = (person.pk, person.get_username()) if person else ("", "")
    trail.record(verb, by=by, subject_kind="person", subject_id=pk, subject=name, data=data)
