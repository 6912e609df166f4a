"""The orders these tests speak of, and how to speak of their items."""

from providers.contract import Cancel

REF = {"order_id": "1130003"}  # one item, pending
MIXED = {"order_id": "1130000"}  # pending, shipped, cancelled
PACKAGE = {"order_id": "1130001"}  # two pending items in one package
BY_MARKETPLACE = {"order_id": "1130002"}
STYLES = ("json", "xml")


def item_of(world, ref=REF, place=0):
    return world.get(ref["order_id"])["Items"][place]["OrderItemId"]


def command(world, ref=REF, place=0, reason="SHORTAGE", detail=""):
    return Cancel(ref, item_of(world, ref, place), reason, detail)


def state(world, ref=REF, place=0):
    return world.get(ref["order_id"])["Items"][place]["Status"]


def events(world, item):
    return [event for key, event, _at in world.ledger() if key == item]


def sends(line):
    return [one for one in line.seen if one.method == "POST"]
