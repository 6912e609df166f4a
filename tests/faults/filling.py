"""Fills a fresh desk: people, shops on each platform, and every order indexed."""

import csv
import io
import tempfile
from datetime import UTC, datetime

from django.conf import settings
from django.core.management import call_command

from cancellations.management.commands.demo import _toml
from cancellations.orders import importing, indexing
from cancellations.shops import connection
from cancellations.shops.models import Shop
from providers.contract import OrderQuery
from providers.registry import PROVIDERS
from providers.world import Reply, SandboxRequest, SandboxTransport, World
from tests.faults.cast import APPROVED, CALLS_PER_SECOND, PASSWORD, PEOPLE, SHOPS_EACH

_BATCH = 400


def fill(address: str) -> None:
    """Migrate, configure, and index what the worlds hold, each order in one shop."""
    call_command("migrate", verbosity=0)
    with tempfile.NamedTemporaryFile("w", suffix=".toml", encoding="utf-8") as file:
        file.write(_configuration(address))
        file.flush()
        call_command("configure", file.name, stdout=io.StringIO())
    Shop.objects.update(calls_per_second=CALLS_PER_SECOND)
    Shop.objects.filter(name=APPROVED).update(needs_approval=True)
    for slug in PROVIDERS:
        shops = list(Shop.objects.filter(platform=slug).order_by("name"))
        connection.TRANSPORTS[shops[0].base_url] = _Near(World(slug, str(settings.DATA_DIR / "sandbox.sqlite3")), slug)
        if connection.capabilities_of(shops[0]).list_orders:
            _index(shops)
        else:
            _import(shops)


def _configuration(address: str) -> str:
    parts = [
        f'[[person]]\nusername = "{name}"\npassword = "{PASSWORD}"\nrole = "{role}"\n' for name, role in PEOPLE.items()
    ]
    for slug, provider in PROVIDERS.items():
        further = {one.name: f"{address}/{slug}" for one in provider.card.options if one.kind == "url"}
        path = provider.card.base_url.split("://", 1)[1].partition("/")[2]
        tail = f"/{path}" if path else ""
        for number in range(1, SHOPS_EACH + 1):
            name = f"{slug}-{number}"
            parts.append(
                f'[[shop]]\nname = "{name}"\ntitle = "{name}"\nplatform = "{slug}"\nenvironment = "sandbox"\n'
                f'base_url = "{address}/{slug}{tail}"\n'
                f"options = {_toml({**provider.sandbox.options, **further})}\n"
                f"credential = {_toml(provider.sandbox.credential)}\n"
            )
    return "\n".join(parts)


def _index(shops: list[Shop]) -> None:
    """Read every order of a world as the platform lists it."""
    client, found, cursor = connection.connect(shops[0], seconds=600).client, [], ""
    while True:
        page = client.list_orders(OrderQuery(cursor=cursor))
        found += page.orders
        if not (cursor := page.cursor):
            break
    for at, shop in enumerate(shops):
        mine = found[at :: len(shops)]
        for begin in range(0, len(mine), _BATCH):
            indexing.put_many(shop, mine[begin : begin + _BATCH], seen_at=datetime.now(UTC))


def _import(shops: list[Shop]) -> None:
    """Read every order of a world from a file, as shops do whose platform lists none."""
    slug = shops[0].platform
    rows = list(PROVIDERS[slug].sandbox.rows(World(slug, str(settings.DATA_DIR / "sandbox.sqlite3"))))
    for at, shop in enumerate(shops):
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows[at :: len(shops)])
        importing.import_file(shop, io.BytesIO(text.getvalue().encode()))


class _Near(SandboxTransport):
    """The pretend platform without a network between, under the address it has on the network."""

    def __init__(self, world: World, slug: str) -> None:
        respond, prefix = PROVIDERS[slug].sandbox.respond, f"/{slug}"

        def strip(request: SandboxRequest, world: World) -> Reply:
            path = request.path.removeprefix(prefix) or "/"
            seen = SandboxRequest(request.method, prefix, path, request.query, request.headers, request.body)
            return respond(seen, world)

        super().__init__(world, strip)
