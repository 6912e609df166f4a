"""Of many orders found the newest come first: keys learn when theirs was placed, indexes of lists carry amounts."""

from django.db import migrations, models

from cancellations.migrations._replace_index import ReplaceIndex

ORDERS_AT_ONCE = 10_000
MONEY = ("amount", "currency")


def copy_times(apps, schema_editor):
    order, key = apps.get_model("cancellations", "Order"), apps.get_model("cancellations", "OrderKey")
    ends = order.objects.aggregate(first=models.Min("pk"), last=models.Max("pk"))
    placed = models.Subquery(order.objects.filter(pk=models.OuterRef("order")).values("placed_at"))
    for first in range(ends["first"] or 0, (ends["last"] or -1) + 1, ORDERS_AT_ONCE):
        key.objects.filter(order__gte=first, order__lt=first + ORDERS_AT_ONCE).update(placed_at=placed)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("cancellations", "0007_keys_when_placed")]

    operations = [
        migrations.RunPython(copy_times, migrations.RunPython.noop),
        ReplaceIndex("orderkey", models.Index(fields=["value", "-placed_at", "-order"], name="key_value")),
        ReplaceIndex("orderkey", models.Index(fields=["shop", "value", "-placed_at", "-order"], name="key_shop_value")),
        ReplaceIndex("order", models.Index(fields=["amount", "-placed_at", "-id"], name="order_amount")),
        *(
            ReplaceIndex("order", models.Index(fields=[*first, "-placed_at", "-id"], include=MONEY, name=name))
            for name, first in (
                ("order_newest", []),
                ("order_shop_newest", ["shop"]),
                ("order_shelf_newest", ["shelf"]),
                ("order_shop_shelf_newest", ["shop", "shelf"]),
            )
        ),
    ]
