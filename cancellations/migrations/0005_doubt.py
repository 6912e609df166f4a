"""A request remembers that a send of it may have been done; attempts left open are found by an index."""

from django.db import migrations, models


def doubt_what_is_uncertain(apps, schema_editor):
    apps.get_model("cancellations", "CancellationRequest").objects.filter(state="uncertain").update(doubt=True)


class Migration(migrations.Migration):
    dependencies = [("cancellations", "0004_keys_collation")]

    operations = [
        migrations.AddField(
            model_name="cancellationrequest",
            name="doubt",
            # The database's own default, so that a program of the version before can still write beside this one.
            field=models.BooleanField(default=False, db_default=False),
        ),
        migrations.RunPython(doubt_what_is_uncertain, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(fields=["opened_at"], condition=models.Q(closed_at=None), name="attempt_open"),
        ),
    ]
