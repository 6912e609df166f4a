"""How far a bulk is can be counted without its rows that were asked for."""

from django.db import migrations, models

from cancellations.migrations._replace_index import ReplaceIndex


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("cancellations", "0010_events_of_a_person")]

    operations = [
        ReplaceIndex(
            "batchrow",
            models.Index(
                fields=["batch", "shop", "waits", "id"],
                condition=models.Q(waits=True) | ~models.Q(not_asked=""),
                name="row_waits",
            ),
        )
    ]
