"""S8: shops' keys lie in the database sealed, open for their own shop only, and survive a rotation that is killed."""

import io
import itertools
import json
import os
import random
import signal
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections

from cancellations.shops import configuring, vault
from cancellations.shops.connection import CREDENTIAL, connect, read_credential
from cancellations.shops.models import Credential
from cancellations.shops.tokens import CachedTokens
from providers import registry
from providers.errors import AuthFailed
from tests.desk import person
from tests.integration.pretend import PretendPlatform
from tests.integration.shops import make_shop
from tests.security.canaries import in_every_form
from tests.throwaway import POSTGRES, database

SHOPS, KILLS, SEED = 40, 20, 8


def canary(number: int) -> str:
    return f"canary-of-shop-{number:03d}-{number * 7919:06d}"


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def vendor(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any
) -> Iterator[tuple[str, Path]]:
    """A database with many shops, each with a key of its own."""
    folder = tmp_path_factory.mktemp("keys")
    registry.PROVIDERS["pretend"] = PretendPlatform().provider()
    try:
        with django_db_blocker.unblock(), database(request.param, folder):
            by = person("admin", username="admin")
            for number in range(SHOPS):
                keys = {"user": "someone", "secret": canary(number)}
                shop = make_shop(by, f"shop-{number:03d}", credential=keys)
                CachedTokens(shop.pk, "scope", 1).put("access", "token-" + canary(number), 600)
            yield request.param, folder
    finally:
        del registry.PROVIDERS["pretend"]


def dumped(kind: str, folder: Path) -> str:
    """Return everything the database's files or its dump hold."""
    connection.close()
    if kind == "sqlite":
        return "\n".join(file.read_bytes().decode("latin-1") for file in folder.glob("own.sqlite3*"))
    url = f"{POSTGRES}/{connection.settings_dict['NAME']}"
    return subprocess.run(["pg_dump", "--inserts", url], capture_output=True, text=True, check=True).stdout


def test_S08_a_dump_holds_no_key_and_no_token(vendor: tuple[str, Path]) -> None:
    text = dumped(*vendor)
    assert text.count("v1:") >= SHOPS
    assert text.count("platform-token") >= SHOPS
    for number in range(SHOPS):
        for form in {*in_every_form(canary(number)), *in_every_form("token-" + canary(number))}:
            assert form not in text
    for key in (*settings.CREDENTIAL_KEYS, *settings.AUDIT_KEYS, settings.SEARCH_KEY, settings.SECRET_KEY):
        assert key.partition(":")[2] not in text or not key.partition(":")[2]
        assert key not in text


@pytest.mark.usefixtures("vendor")
def test_S08_sealed_keys_put_into_another_row_open_nothing() -> None:
    some = list(Credential.objects.select_related("shop").order_by("pk")[:8])
    for mine, other in itertools.permutations([(one, one.sealed) for one in some], 2):
        mine[0].sealed = other[1]
        with pytest.raises(AuthFailed) as refused:
            read_credential(mine[0])
        assert refused.value.code == "broken-seal"
    sealed = vault.seal("x", purpose="token:scope:access", shop_pk=some[0].shop_id)
    Credential.objects.filter(pk=some[0].pk).update(sealed=sealed)
    with pytest.raises(AuthFailed):
        connect(some[0].shop)
    configuring.replace_credential(some[0].shop, {"user": "someone", "secret": canary(0)}, by=person("admin"))


def unreadable() -> list[str]:
    """Return the shops whose key is not what was entered."""
    wrong = []
    for stored in Credential.objects.select_related("shop"):
        number = int(stored.shop.name[-3:])
        text = vault.unseal(stored.sealed, purpose=CREDENTIAL, shop_pk=stored.shop_id)
        if json.loads(text)["secret"] != canary(number):
            wrong.append(stored.shop.name)
    return wrong


def killed_after(seconds: float) -> bool:
    """Rotate in a process of its own and kill it; tell whether that came before its end."""
    connections.close_all()
    child = os.fork()
    if not child:
        try:
            call_command("rotate_keys", stdout=io.StringIO(), stderr=io.StringIO())
        finally:
            os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _pid, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def test_S08_a_rotation_killed_twenty_times_leaves_every_key_readable(
    vendor: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    luck, ring = random.Random(SEED), list(settings.CREDENTIAL_KEYS)
    kills = halves = tries = 0
    most = 0.1  # seconds; as long as a rotation takes on this machine, found out on the way
    while kills < KILLS or not halves:
        ring.insert(0, f"r{tries}:{b64encode(bytes([tries]) * 32).decode()}")
        monkeypatch.setattr(settings, "CREDENTIAL_KEYS", list(ring))
        was_killed = killed_after(luck.uniform(0.002, most))
        under = [vault.key_id_of(one) for one in Credential.objects.values_list("sealed", flat=True)]
        if not was_killed:
            most *= 0.7
        elif f"r{tries}" not in under:
            most *= 1.3
        kills += was_killed
        halves += was_killed and 0 < under.count(f"r{tries}") < SHOPS
        assert unreadable() == []
        tries += 1
        assert tries < 8 * KILLS, "it can't be killed in the middle"
    call_command("rotate_keys", stdout=io.StringIO())
    monkeypatch.setattr(settings, "CREDENTIAL_KEYS", ring[:1])  # now the newest key alone opens all
    assert unreadable() == []
    assert Credential.objects.count() == SHOPS
