"""A seal has room for its body. Written by hand: Django would make SQLite's table anew, and that loses its triggers."""

from django.db import migrations, models

BODY = models.CharField(max_length=64, default="", db_default="")


class Migration(migrations.Migration):
    dependencies = [("cancellations", "0006_keys_of_an_address")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE cancellations_seal ADD COLUMN body varchar(64) DEFAULT '' NOT NULL",
            "ALTER TABLE cancellations_seal DROP COLUMN body",
            state_operations=[migrations.AddField("seal", "body", BODY)],
        ),
    ]
