"""A shop's own budget of calls, and which shops share one."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cancellations", "0006_priority")]

    operations = [
        migrations.AddField(
            model_name="shop",
            name="calls_per_second",
            field=models.FloatField(
                blank=True,
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(0),
                    django.core.validators.MaxValueValidator(1000),
                ],
                verbose_name="calls per second",
            ),
        ),
        migrations.AddField(
            model_name="credential",
            name="app",
            field=models.CharField(blank=True, db_default="", default="", max_length=16),
        ),
    ]
