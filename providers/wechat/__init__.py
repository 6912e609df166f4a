"""The door to WeChat's logistics assistant: waybills of one mini program."""

from providers.contract import Provider
from providers.wechat.card import CARD, capabilities
from providers.wechat.client import WechatClient
from providers.wechat.sandbox import SANDBOX

PROVIDER = Provider(card=CARD, open=WechatClient, capabilities=capabilities, sandbox=SANDBOX)
