"""The door to Huawei Cloud: yearly and monthly orders of the billing service (BSS) that still await payment."""

from providers.contract import Provider
from providers.huaweicloud.card import CARD, capabilities
from providers.huaweicloud.client import open_client
from providers.huaweicloud.sandbox import SANDBOX

PROVIDER = Provider(card=CARD, open=open_client, capabilities=capabilities, sandbox=SANDBOX)
