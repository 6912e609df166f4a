"""Roles and what each may do; ``allowed()`` is the one decorator views use."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

AGENT = frozenset({"search", "request", "withdraw", "resend"})
MANAGER = AGENT | {"approve", "settle", "audit", "export", "import"}
ADMIN = MANAGER | {"shops", "reasons", "people"}
ROLES: dict[str, frozenset[str]] = {"agent": AGENT, "manager": MANAGER, "admin": ADMIN}

View = Callable[..., HttpResponseBase]


def may(person: Any, permission: str) -> bool:
    """Tell whether a person's role carries a permission; nobody who is signed out or deactivated has any."""
    return bool(getattr(person, "is_active", False)) and permission in ROLES.get(getattr(person, "role", ""), ())


def allowed(permission: str) -> Callable[[View], View]:
    """Let only people with this permission reach a view: signed out → sign-in, otherwise 403."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not may(request.user, permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]  # the tests walk every route and read it
        return login_required(guarded)

    return decorate
