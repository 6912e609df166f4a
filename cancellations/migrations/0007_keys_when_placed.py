"""A key knows when its order was placed; what is there learns it in the next migration, which can be run again."""

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("cancellations", "0006_keys_of_an_address")]

    operations = [migrations.AddField("orderkey", "placed_at", models.DateTimeField(db_default=Now()))]
