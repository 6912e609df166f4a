"""What the tests share: a client over a given transport, and orders of the pretend world to try it on."""

from datetime import UTC, datetime

import httpx

from providers.taobao import PROVIDER
from providers.taobao.card import CARD
from providers.taobao.sandbox import SANDBOX
from providers.wire import wire_for

BASE = "https://eco.taobao.com/router/rest"
SESSION = SANDBOX.credential["session"]
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
FORMS = [{"format": "json"}, {"simplify": True}, {"format": "xml"}]


class Dictated(httpx.BaseTransport):
    """Gives these answers, (status, body, headers) each, one after the other; the last again and again."""

    def __init__(self, *answers):
        self._left = list(answers)

    def handle_request(self, request):
        answer = self._left.pop(0) if len(self._left) > 1 else self._left[0]
        if isinstance(answer, Exception):
            raise answer
        status, body, headers = answer
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body), request=request)


def open_client(transport, *, credential=None, now=NOW, **options):
    """Open a client with the card's defaults save for these options; return it and its wire."""
    keys = {**SANDBOX.credential, **(credential or {})}
    wire = wire_for(BASE, [keys["app_secret"], keys["session"]], CARD.private, transport=transport)
    defaults = {field.name: field.default for field in CARD.options}
    client = PROVIDER.open(wire=wire, options={**defaults, **options}, credential=keys, tokens=None, now=lambda: now)
    return client, wire


def refs(world, *states):
    """Return the refs of ordinary orders in these states."""
    return [
        {"biz_order_id": key, "buyer_id": str(order["buyer_id"])}
        for key, order in world.all()
        if order["state"] in states and key.isdigit()
    ]


def one(world, *states):
    return refs(world, *states)[0]


def demonstration(world, word):
    key, order = next((key, order) for key, order in world.all() if key.endswith(word))
    return {"biz_order_id": key, "buyer_id": str(order["buyer_id"])}


def truth(world, ref):
    return SANDBOX.truth(world.get(ref["biz_order_id"]))


def performed(world):
    return [key for key, event, _at in world.ledger() if event == "performed"]
