"""Whatever is not documented is never taken for an answer; what is documented always is."""

import pytest

from providers.contract import OrderQuery
from providers.errors import (
    OutcomeUnknown,
    ProtocolError,
    ProviderError,
    Unreachable,
)
from providers.world import Reply
from tests.providers.sellercenter.answers import (
    ACTION,
    CANCEL,
    GOOD_XML,
    ITEMS,
    ODD,
    accepted,
    xml,
)


@pytest.mark.parametrize("answer", ODD.values(), ids=ODD.keys())
def test_R06_an_odd_answer_to_a_cancel_is_never_definite(told, answer):
    client, wire, _line = told(answer)
    with pytest.raises(ProtocolError) as raised:
        client.cancel(CANCEL)
    assert raised.value.advice.agent
    assert len(wire.exchanges) == 1


READS = {
    "GetOrder": lambda client: client.get_order({"order_id": "5"}),
    "GetOrders": lambda client: client.list_orders(OrderQuery()),
}


@pytest.mark.parametrize("action", READS)
@pytest.mark.parametrize("answer", ODD.values(), ids=ODD.keys())
def test_R06_an_odd_answer_to_a_read_is_never_an_order_and_never_a_doubt(told, answer, action):
    body = answer.body.replace(ACTION.encode(), action.encode())
    client, _wire, _line = told(Reply(answer.status, body, answer.headers))
    with pytest.raises(ProviderError) as raised:
        READS[action](client)
    assert not isinstance(raised.value, OutcomeUnknown)


def test_an_empty_page_before_the_end_of_a_list_is_not_its_end(told):
    answer = accepted(head='"RequestAction": "GetOrders", "TotalCount": "3"')
    with pytest.raises(Unreachable):
        told(answer)[0].list_orders(OrderQuery())


@pytest.mark.parametrize("whole", [accepted().body, GOOD_XML.encode()], ids=["JSON", "XML"])
def test_R06_no_beginning_of_a_success_is_a_success(told, whole):
    for length in range(len(whole)):
        client, _wire, _line = told(Reply(200, whole[:length], {"content-type": "application/json"}))
        with pytest.raises(ProtocolError):
            client.cancel(CANCEL)


@pytest.mark.parametrize(
    "answer",
    [
        accepted(),
        accepted("null"),
        accepted("{}"),
        accepted("[]"),
        accepted(ITEMS % '{"PurchaseOrderId": "1", "PackageId": "P"}'),
        accepted(ITEMS % '{"OrderItemId": 7, "OrderId": 5}'),
        accepted(ITEMS % '[{"OrderItemId": "7"}, {"OrderItemId": "8"}]'),
        accepted(**{"content-type": "text/plain"}),
        Reply(200, b'{"SuccessResponse": {"Head": {"RequestAction": "SetStatusToCanceled"}}}', {}),
        Reply(200, b"\xef\xbb\xbf \n" + accepted().body, {"content-type": "application/json"}),
        xml(GOOD_XML),
        xml('<?xml version="1.0" encoding="UTF-8"?>\n' + GOOD_XML.replace("<Body/>", "<Body>\n </Body>")),
    ],
)
def test_every_documented_form_of_a_success_is_one(told, answer):
    client, _wire, _line = told(answer)
    receipt = client.cancel(CANCEL)
    assert (receipt.final, receipt.already) == (True, False)
