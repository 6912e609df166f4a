"""Many cancellations at once: what was given, and its rows."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cancellations", "0006_priority"),
    ]

    operations = [
        migrations.CreateModel(
            name="Batch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "source",
                    models.CharField(
                        choices=[("selection", "Selection"), ("text", "Pasted text"), ("file", "File")], max_length=12
                    ),
                ),
                ("title", models.CharField(blank=True, default="", max_length=200)),
                ("requested_at", models.DateTimeField()),
                ("note", models.TextField(blank=True, default="")),
                ("submission", models.UUIDField(default=uuid.uuid4, unique=True)),
                ("path", models.CharField(blank=True, default="", max_length=200)),
                ("error", models.TextField(blank=True, default="")),
                ("error_data", models.JSONField(default=dict)),
                ("left_out", models.PositiveIntegerField(default=0)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("planning", "Planning"),
                            ("planned", "Planned"),
                            ("running", "Running"),
                            ("paused", "Paused"),
                            ("stopped", "Stopped"),
                            ("done", "Done"),
                            ("discarded", "Discarded"),
                        ],
                        default="planning",
                        max_length=12,
                    ),
                ),
                ("state_since", models.DateTimeField()),
                ("plan_total", models.PositiveIntegerField(null=True)),
                ("canary", models.PositiveSmallIntegerField(default=0)),
                ("paused_why", models.CharField(blank=True, default="", max_length=24)),
                ("paused_at", models.DateTimeField(null=True)),
                ("brake", models.JSONField(default=dict)),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                (
                    "reason",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="batches", to="cancellations.reason"
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="batches", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="BatchRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("given", models.CharField(max_length=200)),
                ("order_key", models.CharField(blank=True, default="", max_length=600)),
                ("item_ref", models.CharField(blank=True, default="", max_length=120)),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("ready", "Will be cancelled"),
                            ("ready_approval", "Needs approval"),
                            ("cancelled", "Already cancelled"),
                            ("cannot", "Can't be cancelled"),
                            ("open", "Open already"),
                            ("doubled", "Doubled"),
                            ("ambiguous", "Ambiguous"),
                            ("unknown", "Unknown"),
                        ],
                        max_length=16,
                    ),
                ),
                ("why", models.TextField(blank=True, default="")),
                ("why_data", models.JSONField(default=dict)),
                ("amount", models.DecimalField(decimal_places=4, max_digits=20, null=True)),
                ("currency", models.CharField(blank=True, default="", max_length=8)),
                ("wave", models.PositiveIntegerField(null=True)),
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="cancellations.batch",
                    ),
                ),
                (
                    "cancellation",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="batch_rows",
                        to="cancellations.cancellationrequest",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="batch_rows",
                        to="cancellations.order",
                    ),
                ),
                (
                    "shop",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cancellations.shop",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(fields=["-requested_at", "-id"], name="batch_newest"),
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(fields=["requested_by", "-requested_at", "-id"], name="batch_person_newest"),
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(fields=["state"], name="batch_state"),
        ),
        migrations.AddIndex(
            model_name="batchrow",
            index=models.Index(fields=["batch", "verdict", "id"], name="batchrow_verdict"),
        ),
        migrations.AddIndex(
            model_name="batchrow",
            index=models.Index(fields=["batch", "id"], name="batchrow_batch"),
        ),
        migrations.AddIndex(
            model_name="batchrow",
            index=models.Index(fields=["order"], name="batchrow_order"),
        ),
    ]
