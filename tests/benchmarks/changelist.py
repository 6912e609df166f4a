"""Django admin's own changelist over the same orders, in a project as ``startproject`` makes it. Served by gunicorn."""

# ruff: noqa: E402 - Django is set up between the imports

from typing import Any

import django
from django.conf import settings

from tests import settings as ours

_plain: dict[str, Any] = {
    "ROOT_URLCONF": __name__,
    "INSTALLED_APPS": ["django.contrib.admin", *ours.INSTALLED_APPS],
    "MIDDLEWARE": [
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "allauth.account.middleware.AccountMiddleware",  # else allauth, which knows the people, does not start
    ],
    "TEMPLATES": [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
}
settings.configure(**{name: getattr(ours, name) for name in dir(ours) if name.isupper()} | _plain)
django.setup()

from django.contrib.admin import AdminSite, ModelAdmin
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest
from django.urls import path

from cancellations.orders import search
from cancellations.orders.models import Order


class _Site(AdminSite):
    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active


class _Orders(ModelAdmin):  # type: ignore[type-arg]
    list_display = ("number", "status", "shop", "buyer", "amount", "placed_at", "cancellable")
    search_fields = ("number", "key", "buyer")
    ordering = ("-placed_at", "-pk")
    list_per_page = search.SIZE
    list_select_related = ("shop",)

    def has_view_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return True


_site = _Site()
_site.register(Order, _Orders)
urlpatterns = [path("admin/", _site.urls)]
application = WSGIHandler()
