"""The pretend platform is as strict as the real one, and its orders are the same every time."""

from datetime import timedelta
from urllib.parse import quote

import pytest

from providers.contract import Status
from providers.sellercenter import PROVIDER
from providers.sellercenter.auth import canonical, sign, stamp
from providers.world import SandboxRequest, World

ITEM = "31300030"


def params_for(world, action="SetStatusToCanceled", **more):
    account = PROVIDER.sandbox.credential
    fields = {
        "Action": action,
        "Format": "JSON",
        "Timestamp": stamp(world.now()),
        "UserID": account["user_id"],
        "Version": "1.0",
        **({"OrderItemId": ITEM, "Reason": "SHORTAGE"} if action == "SetStatusToCanceled" else {}),
        **more,
    }
    return {name: value for name, value in fields.items() if value is not ...}


def ask(world, query, method="POST", body=b"", path="/"):
    return PROVIDER.sandbox.respond(SandboxRequest(method, "", path, query, {}, body), world).body.decode()


def signed(params):
    return f"{canonical(params)}&Signature={sign(params, PROVIDER.sandbox.credential['api_key'])}"


def test_the_item_of_these_tests_is_there_and_can_be_cancelled(world):
    assert '"SuccessResponse"' in ask(world, signed(params_for(world)))
    assert world.get("1130003")["Items"][0]["Status"] == "canceled"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Action": ...}, "E001: Parameter Action"),
        ({"Timestamp": ...}, "E001: Parameter Timestamp"),
        ({"UserID": ...}, "E001: Parameter UserID"),
        ({"Version": ...}, "E001: Parameter Version"),
        ({"OrderItemId": ...}, "E001: Parameter OrderItemId"),
        ({"Reason": ...}, "E001: Parameter Reason"),
        ({"Reason": ""}, "E022"),
        ({"Version": "3.0"}, "E002"),
        ({"Version": "2.0"}, "E002"),
        ({"Timestamp": "yesterday"}, "E004"),
        ({"Timestamp": "2030-04-01T08:00:00"}, "E004"),
        ({"Timestamp": "2030-04-01T08:05:01+00:00"}, "E003"),
        ({"Timestamp": "2030-04-01T07:54:59+00:00"}, "E003"),
        ({"UserID": "nobody@example.test"}, "E007"),
        ({"Action": "GetBrands"}, "E008"),
        ({"Format": "YAML"}, "E005"),
        ({"OrderItemId": "many"}, "E020"),
    ],
)
def test_a_flawed_call_is_refused_with_the_documented_code(world, changes, code):
    assert code in ask(world, signed(params_for(world, **changes)))
    assert world.ledger() == []


def test_a_call_within_the_tolerance_is_let_in(world):
    late = stamp(world.now() - timedelta(seconds=299))
    assert '"SuccessResponse"' in ask(world, signed(params_for(world, Timestamp=late)))


@pytest.mark.parametrize("spoil", [lambda q: q[:-1] + ("0" if q[-1] != "0" else "1"), lambda q: q + "%C3%A9"])
def test_a_wrong_signature_is_refused(world, spoil):
    assert "E007" in ask(world, spoil(signed(params_for(world))))
    assert "E001: Parameter Signature" in ask(world, canonical(params_for(world)))
    assert world.ledger() == []


def test_a_parameter_added_after_signing_is_refused(world):
    assert "E007" in ask(world, signed(params_for(world)) + "&ReasonDetail=hello")
    assert world.ledger() == []


def test_a_doubled_parameter_is_refused(world):
    assert "E005" in ask(world, signed(params_for(world)) + f"&OrderItemId={ITEM}")
    assert world.ledger() == []


def test_parameters_hidden_in_the_body_count_for_nothing(world):
    query = signed(params_for(world, OrderItemId=...))
    assert "E001: Parameter OrderItemId" in ask(world, query, body=f"OrderItemId={ITEM}".encode())


def test_a_cancel_by_get_and_a_strange_path_are_refused(world):
    query = signed(params_for(world))
    assert "E005" in ask(world, query, method="GET")
    assert "<html>" in ask(world, query, path="/v2")
    assert world.ledger() == []


def test_a_bad_format_is_answered_in_xml_and_so_is_a_missing_one(world):
    for given in ("YAML", ...):
        assert ask(world, signed(params_for(world, Format=given))).startswith("<?xml")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "E018"),
        ({"CreatedAfter": "soon"}, "E017"),
        ({"CreatedAfter": "2030-01-01", "Limit": "many"}, "E019"),
        ({"CreatedAfter": "2030-01-01", "Offset": "-1"}, "E014"),
        ({"CreatedAfter": "2030-01-01", "Status": "lost"}, "E036"),
        ({"CreatedAfter": "2030-01-01", "SortDirection": "UP"}, "E074"),
        ({"CreatedAfter": "2030-01-01", "SortBy": "price"}, "E075"),
    ],
)
def test_a_flawed_listing_is_refused_with_the_documented_code(world, changes, code):
    assert code in ask(world, signed(params_for(world, "GetOrders", **changes)), "GET")


@pytest.mark.parametrize(
    ("ids", "code"), [("1130003", "E056"), ("[]", "E039"), ("[1130003,99]", "E037"), (f"[{'1,' * 51}]", "E038")]
)
def test_a_flawed_batch_is_refused_with_the_documented_code(world, ids, code):
    assert code in ask(world, signed(params_for(world, "GetMultipleOrderItems", OrderIdList=ids)), "GET")


def test_one_child_is_an_object_and_several_are_a_list(world):
    one = ask(world, signed(params_for(world, "GetOrderItems", OrderId="1130003")), "GET")
    many = ask(world, signed(params_for(world, "GetOrderItems", OrderId="1130000")), "GET")
    assert '"OrderItem": {' in one
    assert '"OrderItem": [' in many


def test_markup_in_a_name_stays_text_in_xml(world):
    order = world.get("1130003")
    order["CustomerFirstName"] = "</Order><b> & \x01"
    world.put("1130003", order)
    text = ask(world, signed(params_for(world, "GetOrder", OrderId="1130003", Format="XML")), "GET")
    assert "<CustomerFirstName>&lt;/Order&gt;&lt;b&gt; &amp; </CustomerFirstName>" in text


def test_the_seed_is_the_same_every_time_and_mixed(world):
    other = World("sellercenter", now=world._now)
    PROVIDER.sandbox.seed(other, 12)
    assert list(other.all()) == list(world.all())
    big = World("sellercenter", now=world._now)
    PROVIDER.sandbox.seed(big, 400)
    assert big.count() == 404
    statuses = [item["Status"] for _key, order in big.all() for item in order["Items"]]
    assert set(statuses) >= {"pending", "ready_to_ship", "shipped", "delivered", "canceled", "returned"}
    assert statuses.count("pending") > len(statuses) / 2
    items = [item["OrderItemId"] for _key, order in big.all() for item in order["Items"]]
    assert len(items) == len(set(items))


def test_an_empty_world_still_gets_the_demonstration_orders():
    bare = World("sellercenter")
    PROVIDER.sandbox.seed(bare, 0)
    assert [order["OrderNumber"].rpartition("-")[2] for _key, order in bare.all()] == [
        "REJECT", "TIMEOUT", "DROP", "GARBAGE",
    ]  # fmt: skip


def test_rows_speak_of_every_order_with_what_an_import_needs(world):
    rows = list(PROVIDER.sandbox.rows(world))
    assert [row["order_id"] for row in rows] == [key for key, _ in world.all()]
    assert all(all(row.values()) for row in rows)


def test_truth_is_the_items_own_state_and_the_orders_together(world):
    order = world.get("1130000")
    assert [PROVIDER.sandbox.truth(one) for one in order["Items"]] == [Status.OPEN, Status.SHIPPED, Status.CANCELLED]
    assert PROVIDER.sandbox.truth(order) is Status.OPEN
    cancelled = {"Items": [{"Status": "canceled"}, {"Status": "canceled"}]}
    assert PROVIDER.sandbox.truth(cancelled) is Status.CANCELLED


def test_the_wire_form_of_an_address_is_that_of_the_documents(world):
    assert quote("[4711,4712]", safe="-_.~") in canonical({"OrderIdList": "[4711,4712]"})
