"""Sentences of Django's own that its Chinese catalogue has lost; named here, they are collected into ours."""

from django.utils.translation import ngettext_lazy

TOO_SHORT = ngettext_lazy(
    "This password is too short. It must contain at least %d character.",
    "This password is too short. It must contain at least %d characters.",
)
