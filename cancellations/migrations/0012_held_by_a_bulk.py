"""What a bulk holds back is known by its own row, so that what comes back from a worker stays held, too."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cancellations", "0011_rows_not_asked_for")]

    operations = [
        migrations.AddField(model_name="cancellationrequest", name="held_since", field=models.DateTimeField(null=True)),
    ]
