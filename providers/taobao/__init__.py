"""Taobao Open Platform (TOP): the door."""

from providers.contract import Provider
from providers.taobao.card import CARD
from providers.taobao.client import TaobaoClient, capabilities
from providers.taobao.sandbox import SANDBOX

PROVIDER = Provider(card=CARD, open=TaobaoClient, capabilities=capabilities, sandbox=SANDBOX)
