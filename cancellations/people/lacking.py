"""Sentences of Django's own that its Chinese catalogue has lost, or says too familiarly (你, not 您).

Named here, they are collected into ours, which goes before Django's.
"""

from django.utils.translation import gettext_lazy, ngettext_lazy

TOO_SHORT = ngettext_lazy(
    "This password is too short. It must contain at least %d character.",
    "This password is too short. It must contain at least %d characters.",
)
LEAST = ngettext_lazy(
    "Your password must contain at least %(min_length)d character.",
    "Your password must contain at least %(min_length)d characters.",
)
TOO_SIMILAR = gettext_lazy("Your password can’t be too similar to your other personal information.")
TOO_COMMON = gettext_lazy("Your password can’t be a commonly used password.")
