"""The calls of the contract over TOP's one address: sign, send once, read the verdict."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from providers.contract import (
    Cancel,
    Capabilities,
    OrderQuery,
    Page,
    PlatformOrder,
    PlatformReason,
    Receipt,
    Ref,
    Status,
    TokenStore,
)
from providers.errors import Advice, Cause, ProviderError, Rejected, Unreachable
from providers.errors import gettext_noop as _
from providers.taobao.auth import signed_form, stamp
from providers.taobao.envelope import Tree, open_envelope
from providers.taobao.errors import raise_unless_successful
from providers.taobao.identity import identity_of, require_same_order
from providers.taobao.leaves import rows_of, text_of, time_of
from providers.taobao.listing import Window
from providers.taobao.reading import names_other_order, read_list, read_order
from providers.wire import Answer, Wire, undocumented

CANCEL = "taobao.pc.order.cancel"
DETAIL = "taobao.pc.order.detail"
LIST = "taobao.pc.order.list"
TIME = "taobao.time.get"

# Refusals of the call's form, which may come before the keys are looked at.
_BEFORE_KEYS = frozenset({"3", "43"})
_NO_ORDER = {"biz_order_id": "0", "buyer_id": 0}

_SWITCHED_OFF = Advice(
    _("Orders of this shop cannot be read from Taobao. Nothing was sent. Look at the order there."),
    _("If the app was granted taobao.pc.order.detail or taobao.pc.order.list, switch it on in the shop's options."),
)
_OTHER_ADDRESS = Advice(
    _("This shop's address at Taobao does not answer like Taobao's gateway. Nothing was changed."),
    _("Check the base URL: it is the whole gateway address and ends in /router/rest."),
)
_NO_MONEY_WORD = _("Cancelled. Taobao does not say when a payment comes back; check the refund there.")
_WAS_CANCELLED = _("Taobao refused, and the order itself shows as already closed.")


def capabilities(options: Mapping[str, Any]) -> Capabilities:
    """Return what a shop with these options can be asked: reading and listing are granted app by app."""
    return Capabilities(get_order=bool(options.get("detail")), list_orders=bool(options.get("list")))


class TaobaoClient:
    """One shop on the Taobao Open Platform. Tokens are not fetched here: a session key lasts until a person renews it.

    Source: API调用方法详解 (document 101617); taobao.pc.order.cancel (企业购订单取消).
    """

    def __init__(
        self,
        *,
        wire: Wire,
        options: Mapping[str, Any],
        credential: Mapping[str, str],
        tokens: TokenStore,
        now: Callable[[], datetime],
    ) -> None:
        self._wire, self._options, self._credential, self._now = wire, options, credential, now
        self._form = str(options.get("format") or "json")

    def ping(self) -> None:
        """Prove the keys by a call that can change nothing.

        With reading granted: the detail of an order that cannot be; being refused for its number proves the rest.
        Assumed: keys are checked before arguments. Otherwise the gateway's time; assumed: it is signed, checked and
        limited like every other call.

        Source: taobao.pc.order.detail (apiId 71997); taobao.time.get (获取淘宝系统当前时间).
        """
        try:
            if self._options.get("detail"):
                self._purchase(DETAIL, "tp_request", _NO_ORDER)
                return
            answer, inner = self._ask(TIME, {})
            if time_of(inner.get("time")) is None:
                raise undocumented(answer, "shape", "no time")
        except Rejected as refusal:
            if refusal.code.partition(" ")[0] in _BEFORE_KEYS:
                raise
        except Unreachable as error:
            if error.code in ("content-type", "http-301", "http-302", "http-307", "http-308", "http-404", "http-405"):
                raise Unreachable(error.code, error.message, advice=_OTHER_ADDRESS, cause=Cause.SETTINGS) from error
            raise

    def list_orders(self, query: OrderQuery) -> Page:
        """Return the orders of one window of time; empty pages in between are to be expected.

        Orders made, paid or ended since the moment are found; other changes are seen when an order is opened.

        Source: taobao.pc.order.list (apiId 71998). Assumed: its answer, which is not documented.
        """
        self._require("list")
        try:
            window = Window.read(query.cursor)
        except ValueError:
            window = Window.first(query.since, self._now())
        _answer, inner = self._purchase(LIST, "contract_order_list_req", window.filters())
        orders = tuple(read_list(inner["result"]))
        following = window.following(len(orders), self._now())
        return Page(orders, following.cursor() if following else "")

    def get_order(self, ref: Ref) -> PlatformOrder:
        """Read one order.

        Raises:
            Rejected: Taobao does not show it for this buyer.

        Source: taobao.pc.order.detail (apiId 71997).
        """
        self._require("detail")
        answer, inner = self._purchase(DETAIL, "tp_request", identity_of(ref))
        item = inner["result"].get("order_detail_item")
        if not isinstance(item, dict):
            raise undocumented(answer, "shape", "no order")
        if names_other_order([item, *rows_of(item.get("sub_order_details"))], ref["biz_order_id"]):
            raise undocumented(answer, "other-order", "the answer names another order")
        return read_order(item, ref)

    def get_orders(self, refs: Sequence[Ref]) -> tuple[PlatformOrder, ...]:
        """Read several orders, one by one; those Taobao does not show are left out."""
        found = []
        for ref in refs:
            try:
                found.append(self.get_order(ref))
            except Rejected:
                continue
        return tuple(found)

    def list_reasons(self) -> tuple[PlatformReason, ...]:
        return ()

    def choices(self, field_name: str) -> tuple[tuple[str, str], ...]:
        return ()

    def cancel(self, command: Cancel) -> Receipt:
        """Cancel a whole purchase order. Where it is refused and orders can be read, the order has the last word.

        Source: taobao.pc.order.cancel (企业购订单取消).
        """
        asked = identity_of(command.ref)
        try:
            answer, inner = self._purchase(CANCEL, "param", asked, write=True)
        except Rejected as refusal:
            if not self._shows_cancelled(command.ref):
                raise
            return Receipt(
                already=True,
                code=refusal.code,
                message=refusal.message,
                advice=_WAS_CANCELLED,
                request_id=refusal.request_id,
            )
        result, request_id = inner["result"], text_of(inner.get("request_id"))
        placed = result.get("contract_place_order")
        require_same_order(answer, placed, asked["biz_order_id"], request_id)
        # Its message is left out: the documented success has "parameter error" there. The exchange keeps it.
        return Receipt(
            code=text_of(result.get("error_code")),
            advice=_NO_MONEY_WORD,
            request_id=request_id[:128],
        )

    def _shows_cancelled(self, ref: Ref) -> bool:
        """Tell whether the order is known to be cancelled; a reading that fails proves nothing."""
        if not self._options.get("detail"):
            return False
        try:
            return self.get_order(ref).status is Status.CANCELLED
        except ProviderError:
            return False

    def _require(self, switch: str) -> None:
        if not self._options.get(switch):
            raise Unreachable(f"{switch}-off", advice=_SWITCHED_OFF, cause=Cause.SETTINGS)

    def _purchase(
        self, method: str, name: str, asked: Mapping[str, Any], *, write: bool = False
    ) -> tuple[Answer, Tree]:
        """Make a purchase-order call and return its answer once its result says success.

        Args:
            name: The one field these calls take; each has its own. Its value is JSON, made once, signed and sent.
        """
        text = json.dumps(asked, ensure_ascii=False, separators=(",", ":"))
        answer, inner = self._ask(method, {name: text}, write=write)
        raise_unless_successful(answer, inner.get("result"), text_of(inner.get("request_id")))
        return answer, inner

    def _ask(self, method: str, fields: Mapping[str, str], *, write: bool = False) -> tuple[Answer, Tree]:
        slim = self._form == "json" and bool(self._options.get("simplify"))
        params = {
            "method": method,
            "app_key": self._credential["app_key"],
            "session": self._credential.get("session") or "",
            "timestamp": stamp(self._now()),
            "format": self._form,
            "v": "2.0",
            "sign_method": str(self._options.get("sign_method") or "md5"),
            "simplify": "true" if slim else "",
            **fields,
        }
        send = self._wire.write if write else self._wire.read
        answer = send(
            "POST",
            "",
            headers={
                "content-type": "application/x-www-form-urlencoded;charset=UTF-8",
                "accept": "application/json" if self._form == "json" else "text/xml",
            },
            content=signed_form(params, self._credential["app_secret"]),
        )
        return answer, open_envelope(answer, method, self._form)
