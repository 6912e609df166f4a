"""Answers of the gateway to feed to a client: the documented samples, and ways to make more."""

import json

REF = {"biz_order_id": "10000001", "buyer_id": "10000001"}
JSON = {"content-type": "application/json;charset=UTF-8"}
XML = {"content-type": "text/xml;charset=UTF-8"}

# The documented samples (page of taobao.pc.order.cancel).
SEED_XML = (
    "<pc_order_cancel_response><result><success>true</success><error_code>200</error_code>"
    "<error_msg>参数错误</error_msg><contract_place_order><contract_no>xxxxx</contract_no>"
    "<out_order_id>xxxxx</out_order_id><biz_order_ids><string>Top</string><string>Pub</string></biz_order_ids>"
    "<order_items><order_item><item_id>3</item_id><sku_id>3</sku_id><buy_amount>10</buy_amount>"
    "<item_price>3</item_price><can_buy>false</can_buy></order_item></order_items></contract_place_order></result>"
    "</pc_order_cancel_response>"
)
SEED_ERROR_XML = (
    "<error_response><code>50</code><msg>Remote service error</msg><sub_code>isv.invalid-parameter</sub_code>"
    "<sub_msg>非法参数</sub_msg></error_response>"
)
SEED_RESULT = {
    "success": True,
    "error_code": "200",
    "error_msg": "参数错误",
    "contract_place_order": {
        "contract_no": "xxxxx",
        "out_order_id": "xxxxx",
        "biz_order_ids": {"string": ["Top", "Pub"]},
        "order_items": {
            "order_item": [{"item_id": 3, "sku_id": 3, "buy_amount": 10, "item_price": 3, "can_buy": False}]
        },
    },
}


def body(result, **more):
    answer = {"pc_order_cancel_response": {"result": result, "request_id": "r1", **more}}
    return json.dumps(answer, ensure_ascii=False).encode()


def refusal(code, sub_code="", sub_msg="", msg="words"):
    inner = {"code": code, "msg": msg, "request_id": "109wcmcgllsj1"}
    inner |= {"sub_code": sub_code} if sub_code else {}
    inner |= {"sub_msg": sub_msg} if sub_msg else {}
    return 200, json.dumps({"error_response": inner}).encode(), JSON
