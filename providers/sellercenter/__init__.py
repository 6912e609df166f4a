"""Seller Center: the signed seller API shared by Falabella and the other operators of that family."""

from providers.contract import Provider
from providers.sellercenter.card import CARD
from providers.sellercenter.client import capabilities, open_client
from providers.sellercenter.sandbox import SANDBOX

PROVIDER = Provider(card=CARD, open=open_client, capabilities=capabilities, sandbox=SANDBOX)
