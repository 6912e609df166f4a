"""Addresses: sign-in, oneself, health, and everything of the desk."""

from typing import NoReturn

from allauth.account import views as account
from django.http import Http404, HttpRequest
from django.urls import include, path, re_path
from django.views.decorators.http import require_http_methods, require_safe

from cancellations.people import views_me
from config.health import health

handler400 = "config.faults.bad_request"
handler500 = "config.faults.server_error"
_form = require_http_methods(["GET", "HEAD", "POST"])  # allauth's views would take any method for one of these


def closed(request: HttpRequest, **_: str) -> NoReturn:
    """Stand for a page of allauth that this house does not have; its name is still asked for."""
    raise Http404


urlpatterns = [
    path("healthz/", health, name="health"),
    path("accounts/login/", _form(account.login), name="account_login"),
    path("accounts/logout/", _form(account.logout), name="account_logout"),
    path("accounts/inactive/", require_safe(account.account_inactive), name="account_inactive"),
    path("accounts/password/change/", _form(account.password_change), name="account_change_password"),
    re_path(
        r"^accounts/password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        _form(account.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path(
        "accounts/password/reset/key/done/",
        require_safe(account.password_reset_from_key_done),
        name="account_reset_password_from_key_done",
    ),
    *(
        path(f"accounts/closed/{name}/", closed, name=f"account_{name}")
        for name in ("signup", "set_password", "reauthenticate")
    ),
    path("me/", views_me.me, name="me"),
    path("me/language/", views_me.choose_language, name="language"),
    path("", include("cancellations.urls")),
]
