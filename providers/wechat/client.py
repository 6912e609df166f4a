"""The calls of the contract against WeChat's logistics assistant. One order is one waybill."""

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from providers.contract import Cancel, OrderQuery, Page, PlatformOrder, PlatformReason, Receipt, Ref, Status, TokenStore
from providers.errors import AuthFailed, OutcomeUnknown, ProtocolError, ProviderError, Rejected, Unreachable
from providers.wechat import advice, errors
from providers.wechat.auth import Tokens
from providers.wechat.card import BATCH
from providers.wechat.conversation import (
    ACCOUNTS,
    BATCH_GET,
    CANCEL,
    COURIERS,
    GET_ORDER,
    GET_PATH,
    Door,
    Straight,
    ThroughFunction,
    Way,
)
from providers.wechat.notation import plain, whole
from providers.wechat.reading import IDS, couriers_in, differs, is_waybill, order_of, status_of, traces_in
from providers.wire import Wire, undocumented

UNKNOWN_ACTION = "-2"
LONGEST_ORDER_ID = 512


class WechatClient:
    """One mini program's waybills. See :class:`providers.contract.Client`."""

    def __init__(
        self,
        *,
        wire: Wire,
        options: Mapping[str, Any],
        credential: Mapping[str, str],
        tokens: TokenStore,
        now: Callable[[], datetime],
    ) -> None:
        door = Door(wire, Tokens(wire, str(options.get("token", "")), credential, tokens, now), now)
        self._by_function = options.get("route") == "cloud"
        env, function = str(options.get("env") or ""), str(options.get("function") or "")
        through = ThroughFunction(door, env, function, options.get("invoke") == "body")
        self._way: Way = through if self._by_function else Straight(door)
        self._clean = wire.redactor.text

    def ping(self) -> None:
        """Ask which couriers the account has contracts with; a cloud function is merely asked whether it runs.

        WeChat signs nothing and its tokens are told in seconds to go, so no clock can be wrong here.

        Source: "getAllAccount"; "invokeCloudFunction".
        Assumed: a function that answers "unknown action" runs; whether it may cancel shows only when it does.
        """
        try:
            said, answer = self._way.ask(ACCOUNTS, {})
        except AuthFailed as refused:
            if self._by_function and refused.code == UNKNOWN_ACTION:
                return
            raise
        if not self._by_function and "list" not in said.body and "count" not in said.body:
            raise undocumented(answer, "unreadable", "neither a list nor a count of accounts")

    def list_orders(self, query: OrderQuery) -> Page:
        """Refuse: WeChat has no list of waybills.

        Raises:
            Rejected: Always.
        """
        raise Rejected("no-list", "WeChat lists no waybills", advice=advice.NO_LIST)

    def get_order(self, ref: Ref) -> PlatformOrder:
        """Read a waybill and its traces; that the traces cannot be read hinders nothing.

        Source: "getOrder"; "getPath", which also tells the buyer's OpenID where we did not know it.

        Raises:
            Rejected: There is no such waybill.
        """
        asked = _ids(ref)
        body = self._waybill(asked)
        traces = None
        try:
            said, _ = self._way.ask(GET_PATH, asked)
        except ProviderError:
            pass
        else:
            if not differs(said.body, asked):
                traces = traces_in(said.body)
                learnt = plain(said.body.get("openid"))
                asked = asked if "openid" in asked or not learnt else {**asked, "openid": learnt}
        return order_of(asked, body, traces)

    def get_orders(self, refs: Sequence[Ref]) -> tuple[PlatformOrder, ...]:
        """Read known waybills without their traces, at most 100 a call; what WeChat does not know is left out.

        Answers are matched by their IDs, not by their places. Each may hold a printed slip, so a batch too large for
        one answer is halved. A cloud function is asked for one after the other.

        Source: "batchGetOrder" (each entry has its own ``errcode``).
        """
        asked = list({tuple(ref[name] for name in IDS): _ids(ref) for ref in refs if _can_be_asked(ref)}.values())
        if not self._by_function:
            return tuple(self._batches(asked))
        found = []
        for one in asked:
            try:
                found.append(order_of(one, self._waybill(one)))
            except Rejected:
                continue
        return tuple(found)

    def list_reasons(self) -> tuple[PlatformReason, ...]:
        """Return nothing: WeChat takes no reason."""
        return ()

    def choices(self, field_name: str) -> tuple[tuple[str, str], ...]:
        """Return the couriers for ``delivery_id``; () for every other field.

        Source: "getAllDelivery".
        """
        if field_name != "delivery_id":
            return ()
        said, answer = self._way.ask(COURIERS, {})
        found = couriers_in(said.body)
        if found is None:
            raise undocumented(answer, "unreadable", "no list of couriers")
        return found

    def cancel(self, command: Cancel) -> Receipt:
        """Cancel a waybill.

        Source: seed 001 (four IDs, all required; ``errcode`` 0 is done); "cancelOrder" (the courier's own result
        beside it, in newer editions).
        Assumed: 0 from WeChat with anything but 0 from the courier is a contradiction, so nothing is believed.

        Raises:
            Rejected: Unknown, already moving, refused by the courier, or not complete (then nothing was sent).
            OutcomeUnknown: -1, a fault of the courier's system, "cancelled before" that cannot be confirmed.
            ProtocolError: Anything that is not documented.
        """
        asked = _ids(command.ref)
        if not asked.get("openid"):
            raise Rejected("no-openid", "no OpenID is known", advice=advice.NO_OPENID)
        try:
            said, answer = self._way.ask(CANCEL, asked, write=True)
        except (Rejected, OutcomeUnknown) as refused:
            if refused.code not in errors.LOOK_AFTER or isinstance(refused, ProtocolError):
                raise
            return self._look_after(refused, asked)
        courier = said.body.get("delivery_resultcode")
        if differs(said.body, asked):
            raise undocumented(answer, "other-order", "the answer is about another waybill", said.request_id)
        if courier is not None and (type(courier) is not int or courier != 0):
            words = f"{said.message} · {plain(courier)}: {plain(said.body.get('delivery_resultmsg'))}"
            raise undocumented(answer, "courier", self._clean(words), said.request_id)
        words = " · ".join(filter(None, (said.message, plain(said.body.get("delivery_resultmsg")))))
        return Receipt(final=True, code="0", message=self._clean(words), request_id=said.request_id)

    def _look_after(self, refused: ProviderError, asked: Ref) -> Receipt:
        """Read the waybill whose cancel was refused: it may have been cancelled before.

        Source: "cancelOrder" (9300524 usually means so). Assumed: a cancelled waybill may have traces (400001) or be
        refused by the courier, so 9300506 and 9300501 are looked after, too; unread, those two stay what they are.
        """
        try:
            status = status_of(self._waybill(asked), None)
        except ProviderError as blind:
            raise refused from blind
        if status is Status.CANCELLED:
            return Receipt(already=True, code=refused.code, message=refused.message, request_id=refused.request_id)
        if isinstance(refused, OutcomeUnknown) and status is Status.OPEN:
            words, handle = refused.message, refused.request_id
            raise Rejected(refused.code, words, advice=advice.NOT_CANCELLED, request_id=handle) from refused
        raise refused

    def _waybill(self, asked: Ref) -> Mapping[str, Any]:
        said, answer = self._way.ask(GET_ORDER, asked)
        if not is_waybill(said.body):
            raise undocumented(answer, "unreadable", "the answer holds no waybill", said.request_id)
        if differs(said.body, asked):
            raise undocumented(answer, "other-order", "the answer is about another waybill", said.request_id)
        return said.body

    def _batches(self, asked: list[dict[str, str]]) -> Iterator[PlatformOrder]:
        begin, size = 0, BATCH
        while begin < len(asked):
            some = asked[begin : begin + size]
            try:
                rows = self._batch(some)
            except Unreachable as problem:
                if problem.code != "too-large" or len(some) == 1:
                    raise
                size = len(some) // 2
                continue
            begin += len(some)
            for one in some:
                row = rows.get(tuple(one[name] for name in IDS))
                if row is not None:
                    yield order_of(one, row)

    def _batch(self, some: list[dict[str, str]]) -> dict[tuple[str, ...], Mapping[str, Any]]:
        bare = [{name: one[name] for name in IDS} for one in some]
        said, answer = self._way.ask(BATCH_GET, {"order_list": bare})
        rows = said.body.get("order_list")
        if not isinstance(rows, list):
            raise undocumented(answer, "unreadable", "no list of waybills", said.request_id)
        good = (row for row in rows if isinstance(row, dict) and whole(row.get("errcode") or 0) == 0)
        return {tuple(plain(row.get(name)) for name in IDS): row for row in good}


def _can_be_asked(ref: Ref) -> bool:
    try:
        return bool(_ids(ref))
    except Rejected:
        return False


def _ids(ref: Ref) -> dict[str, str]:
    """Return the fields WeChat is asked with, exactly as given.

    Raises:
        Rejected: One of the three IDs is missing, or one cannot be sent as it is; nothing was sent.
    """
    asked = {name: ref[name] for name in (*IDS, "openid") if ref.get(name)}
    # Control characters would have to be escaped, which WeChat refuses (40033); half a character cannot be sent at all.
    odd = any(unicodedata.category(one) in ("Cc", "Cs") for value in asked.values() for one in value)
    if odd or not all(name in asked for name in IDS):
        raise Rejected("no-ids", "order ID, courier and waybill number are needed", advice=advice.NO_IDS)
    if len(asked["order_id"].encode()) > LONGEST_ORDER_ID:
        raise Rejected("too-long", "the order ID is longer than 512 bytes", advice=advice.TOO_LONG)
    return asked
