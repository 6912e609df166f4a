"""Of many orders found the newest come first: keys learn when theirs was placed, indexes of lists carry amounts.

Nothing is blocked meanwhile on PostgreSQL: a new index is built beside the old one and takes its name.
"""

from django.db import migrations, models

ORDERS_AT_ONCE = 10_000
MONEY = ("amount", "currency")


class ReplaceIndex(migrations.AddIndex):
    """Has the index of that name be another."""

    def state_forwards(self, app_label, state):
        state.remove_index(app_label, self.model_name_lower, self.index.name)
        super().state_forwards(app_label, state)

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        _replace(schema_editor, app_label, self.model_name_lower, self.index.name, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        _replace(schema_editor, app_label, self.model_name_lower, self.index.name, from_state, to_state)


def _replace(editor, app_label, model_name, name, from_state, to_state):
    old = from_state.models[app_label, model_name].get_index_by_name(name)
    new = to_state.models[app_label, model_name].get_index_by_name(name)
    model = to_state.apps.get_model(app_label, model_name)
    if editor.connection.vendor != "postgresql":
        editor.remove_index(model, old)
        editor.add_index(model, new)
        return
    built = new.clone()
    built.name = f"{name}_new"
    editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {built.name}")  # half of one, when this was broken off before
    editor.add_index(model, built, concurrently=True)
    editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    editor.rename_index(model, built, new)


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
