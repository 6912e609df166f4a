"""Which platforms there are: one line each."""

from providers import huaweicloud, sellercenter, shoplazza, taobao, wechat
from providers.contract import Provider

PROVIDERS: dict[str, Provider] = {
    one.PROVIDER.card.slug: one.PROVIDER for one in (huaweicloud, wechat, sellercenter, shoplazza, taobao)
}
