"""``rotate_keys``: re-seal every shop's keys under the newest entry of ``CREDENTIAL_KEYS``."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.translation import gettext as _

from cancellations.audit import trail
from cancellations.shops import vault
from cancellations.shops.configuring import app_of
from cancellations.shops.connection import CREDENTIAL, card_of
from cancellations.shops.models import Credential
from providers.errors import AuthFailed

BY = trail.Machine("system", "rotate_keys")


class Command(BaseCommand):
    """Re-seal row by row; may be killed and run again at any time."""

    help = "Re-seal every stored credential under the newest of CREDENTIAL_KEYS. Safe to stop and to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        newest = vault.newest_key_id()
        resealed = already = 0
        lost: list[str] = []
        with trail.coming_from("command"):
            for stored in Credential.objects.select_related("shop").order_by("pk").iterator(chunk_size=200):
                if vault.key_id_of(stored.sealed) == newest and _knows_its_app(stored):
                    already += 1
                    continue
                try:
                    resealed += reseal(stored)
                except vault.SealError as error:
                    lost.append(stored.shop.name)
                    self.stderr.write(f"{stored.shop.name}: {error}")
        counts = {"resealed": resealed, "already": already, "lost": len(lost), "key": newest}
        self.stdout.write(
            _("%(resealed)s sealed anew under %(key)s, %(already)s were so already, %(lost)s cannot be opened.")
            % counts
        )
        if lost:
            raise CommandError(_("Put the missing key back into CREDENTIAL_KEYS, or replace the keys of these shops."))


def _knows_its_app(stored: Credential) -> bool:
    """Tell whether it was stored by a version that knew what the shops of an app share."""
    try:
        return bool(stored.app) or not card_of(stored.shop).shared_by
    except AuthFailed:  # a platform this version does not know
        return True


def reseal(stored: Credential) -> bool:
    """Seal one credential anew, unless somebody replaced it in the meantime.

    Raises:
        SealError: It cannot be opened.
    """
    text = vault.unseal(stored.sealed, purpose=CREDENTIAL, shop_pk=stored.shop_id)
    sealed = vault.seal(text, purpose=CREDENTIAL, shop_pk=stored.shop_id)
    with transaction.atomic():
        app = app_of(card_of(stored.shop), json.loads(text))
        changed = Credential.objects.filter(pk=stored.pk, sealed=stored.sealed).update(sealed=sealed, app=app)
        if changed:
            keys = {"before": {"key": vault.key_id_of(stored.sealed)}, "after": {"key": vault.key_id_of(sealed)}}
            trail.record(
                "credential.resealed", by=BY, subject_kind="shop", subject_id=stored.shop_id,
                subject=stored.shop.title, shop=stored.shop, data=keys,
            )  # fmt: skip
    return bool(changed)
