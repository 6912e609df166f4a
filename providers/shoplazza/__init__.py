"""The door to Shoplazza: orders of one store, cancelled whole."""

from collections.abc import Mapping
from typing import Any

from providers.contract import Capabilities, Provider
from providers.shoplazza.card import CARD
from providers.shoplazza.client import MOST_IDS, ShoplazzaClient
from providers.shoplazza.sandbox import SANDBOX


def _capabilities(options: Mapping[str, Any]) -> Capabilities:
    return Capabilities(get_order=True, list_orders=True, get_orders=MOST_IDS, list_reasons=False)


PROVIDER = Provider(card=CARD, open=ShoplazzaClient, capabilities=_capabilities, sandbox=SANDBOX)
