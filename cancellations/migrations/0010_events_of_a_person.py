"""The events of a person are counted without reading their rows."""

from django.db import migrations, models

from cancellations.migrations._replace_index import ReplaceIndex


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("cancellations", "0009_bodies_of_seals")]

    operations = [
        ReplaceIndex(
            "auditevent",
            models.Index(fields=["actor", "-at", "-id"], include=["actor_kind"], name="event_actor"),
        )
    ]
