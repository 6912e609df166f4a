"""Which installation may send from this database, and the pace a platform really bears."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cancellations", "0004_keys_collation"),
    ]

    operations = [
        migrations.CreateModel(
            name="Arming",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("installation", models.CharField(max_length=64)),
                ("table", models.BigIntegerField(null=True)),
                ("times", models.PositiveIntegerField(default=1)),
                ("disarmed_since", models.DateTimeField(null=True)),
                ("doubtful_to", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.AddField(
            model_name="shophealth",
            name="eased",
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name="shophealth",
            name="eased_at",
            field=models.DateTimeField(null=True),
        ),
    ]
