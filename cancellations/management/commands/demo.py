"""``manage.py demo``: fill a database with the demo's people, shops and orders; ``make demo`` runs it."""

import csv
import io
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet

from cancellations.audit import trail
from cancellations.orders import importing, sync
from cancellations.reasons import managing, refreshing
from cancellations.reasons.models import Reason
from cancellations.shops.connection import capabilities_of
from cancellations.shops.models import Shop
from providers.contract import Provider
from providers.registry import PROVIDERS
from providers.world import World

REASONS = {
    "wrong_address": "Wrong address",
    "duplicate_order": "Duplicate order",
    "payment_problem": "Unpaid",
    "price_error": "Wrong sale price",
}
PEOPLE = {"agent": "rescind-agent", "manager": "rescind-manager", "admin": "rescind-admin"}


class Command(BaseCommand):
    help = "Migrate, build, and make three people and one sandbox shop per platform with its orders. Repeatable."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--sandbox", required=True, metavar="URL", help="where the sandbox answers, on loopback")
        parser.add_argument(
            "--step",
            choices=["prepare", "learn"],
            help="only people and shops, or only orders; without it, static files and messages are built, too",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        address = options["sandbox"].rstrip("/")
        if not address.startswith("http://127.0.0.1:"):
            raise CommandError("The demo talks to a sandbox on this machine only: http://127.0.0.1:PORT.")
        if options["step"] != "learn":
            self._prepare(address)
        if not options["step"]:
            call_command("build", verbosity=0)
        if options["step"] != "prepare":
            with trail.coming_from("command"):
                learn(settings.DATA_DIR / "sandbox.sqlite3")
                name_reasons()

    def _prepare(self, address: str) -> None:
        call_command("migrate", verbosity=0)
        with tempfile.NamedTemporaryFile("w", suffix=".toml", encoding="utf-8") as file:
            file.write(configuration(address))
            file.flush()
            call_command("configure", file.name, stdout=io.StringIO())
        for name, password in PEOPLE.items():
            self.stdout.write(f"  sign in as {name:<8} password {password}")


def configuration(address: str) -> str:
    """Return the people and shops of the demo in the form of a configuration file."""
    parts = [
        f'[[person]]\nusername = "{role}"\npassword = "{password}"\nrole = "{role}"\n'
        for role, password in PEOPLE.items()
    ]
    for slug, provider in PROVIDERS.items():
        further = {one.name: f"{address}/{slug}" for one in provider.card.options if one.kind == "url"}
        path = provider.card.base_url.split("://", 1)[1].partition("/")[2]
        base = f"{address}/{slug}" + (f"/{path}" if path else "")
        parts.append(
            f'[[shop]]\nname = "{slug}-sandbox"\ntitle = "{provider.card.name} sandbox"\nplatform = "{slug}"\n'
            f'environment = "sandbox"\nbase_url = "{base}"\n'
            f"options = {_toml({**provider.sandbox.options, **further})}\n"
            f"credential = {_toml(provider.sandbox.credential)}\n"
        )
    return "\n".join(parts)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {_toml(one)}" for name, one in value.items()) + " }"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def sandbox_shops() -> QuerySet[Shop]:
    return Shop.objects.filter(environment="sandbox", platform__in=PROVIDERS)


def learn(state: Path) -> None:
    """Fill the index: by synchronising where a platform lists its orders, else from a file of the sandbox's."""
    for shop in sandbox_shops():
        if shop.orders.exists():
            continue
        if capabilities_of(shop).list_orders:
            while sync.pull(shop, pause=lambda seconds: None):
                pass
        else:
            importing.import_file(shop, sheet_of(PROVIDERS[shop.platform], state))


def name_reasons() -> None:
    """Say which of the operator's reasons ours are, where only those it lists are taken."""
    by = trail.Machine("system", "demo")
    for shop in sandbox_shops():
        if not capabilities_of(shop).list_reasons or not refreshing.refresh(shop, by=by):
            continue
        for code, value in REASONS.items():
            if value in managing.offered(shop.platform, shop):
                reason = Reason.objects.get(code=code)
                managing.map_reason(reason, platform=shop.platform, value=value, by=by, shop=shop)


def sheet_of(provider: Provider, state: Path) -> io.BytesIO:
    rows = list(provider.sandbox.rows(World(provider.card.slug, str(state))))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return io.BytesIO(text.getvalue().encode())
