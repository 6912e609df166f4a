"""Requests made many at once are sent after those made one by one; what waits to be sent is found by an index."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cancellations", "0005_doubt")]

    operations = [
        migrations.AddField(
            model_name="cancellationrequest",
            name="priority",
            # The database's own default, so that a program of the version before can still write beside this one.
            field=models.PositiveSmallIntegerField(default=0, db_default=0),
        ),
        migrations.AddIndex(
            model_name="cancellationrequest",
            index=models.Index(
                fields=["shop", "priority", "due_at", "id"],
                condition=models.Q(state="queued"),
                name="request_queue",
            ),
        ),
    ]
