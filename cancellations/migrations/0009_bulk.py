"""Many cancellations at once: what was given, and its rows; a request knows the batch it was asked in."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import cancellations.batches.states


class Migration(migrations.Migration):
    dependencies = [
        ("cancellations", "0008_watch"),
    ]

    operations = [
        migrations.CreateModel(
            name="Batch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("submission", models.UUIDField(unique=True)),
                (
                    "source",
                    models.CharField(
                        choices=[("selection", "Selection"), ("text", "Pasted text"), ("file", "File")], max_length=12
                    ),
                ),
                ("title", models.CharField(blank=True, default="", max_length=200)),
                ("path", models.CharField(blank=True, default="", max_length=200)),
                ("requested_at", models.DateTimeField()),
                ("note", models.TextField(blank=True, default="")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("planning", "planning"),
                            ("planned", "planned"),
                            ("running", "running"),
                            ("paused", "paused"),
                            ("done", "done"),
                            ("stopped", "stopped"),
                            ("discarded", "discarded"),
                        ],
                        max_length=12,
                    ),
                ),
                ("state_since", models.DateTimeField()),
                ("planned_to", models.PositiveIntegerField(default=0)),
                ("left_out", models.PositiveIntegerField(default=0)),
                ("plan_total", models.PositiveIntegerField(null=True)),
                ("error", models.TextField(blank=True, default="")),
                ("error_data", models.JSONField(default=dict)),
                ("started_at", models.DateTimeField(null=True)),
                ("canary", models.PositiveSmallIntegerField(default=0)),
                ("canary_over", models.BooleanField(default=False)),
                (
                    "paused_why",
                    models.CharField(
                        blank=True,
                        choices=[
                            (
                                cancellations.batches.states.PauseCause["PERSON"],
                                cancellations.batches.states.PauseCause["PERSON"],
                            ),
                            (
                                cancellations.batches.states.PauseCause["CANARY"],
                                cancellations.batches.states.PauseCause["CANARY"],
                            ),
                            (
                                cancellations.batches.states.PauseCause["FAILURES"],
                                cancellations.batches.states.PauseCause["FAILURES"],
                            ),
                            (
                                cancellations.batches.states.PauseCause["DOUBT"],
                                cancellations.batches.states.PauseCause["DOUBT"],
                            ),
                        ],
                        default="",
                        max_length=12,
                    ),
                ),
                ("paused_at", models.DateTimeField(null=True)),
                ("brake", models.JSONField(default=dict)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="BatchRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("place", models.PositiveIntegerField()),
                ("line", models.PositiveIntegerField()),
                ("given", models.CharField(blank=True, default="", max_length=200)),
                ("order_key", models.CharField(blank=True, default="", max_length=600)),
                ("order_number", models.CharField(blank=True, default="", max_length=200)),
                ("item_ref", models.CharField(blank=True, default="", max_length=120)),
                ("item_name", models.CharField(blank=True, default="", max_length=300)),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("ready", "ready"),
                            ("ready_approval", "ready_approval"),
                            ("cancelled", "cancelled"),
                            ("cannot", "cannot"),
                            ("unknown", "unknown"),
                            ("ambiguous", "ambiguous"),
                            ("open", "open"),
                            ("doubled", "doubled"),
                            ("bad", "bad"),
                        ],
                        max_length=16,
                    ),
                ),
                ("why", models.TextField(blank=True, default="")),
                ("why_data", models.JSONField(default=dict)),
                ("choices", models.JSONField(default=list)),
                ("amount", models.DecimalField(decimal_places=4, max_digits=20, null=True)),
                ("currency", models.CharField(blank=True, default="", max_length=8)),
                ("waits", models.BooleanField(default=False)),
                ("wave", models.PositiveIntegerField(null=True)),
                ("not_asked", models.TextField(blank=True, default="")),
            ],
            options={
                "ordering": ["place", "id"],
            },
        ),
        migrations.AddField(
            model_name="cancellationrequest",
            name="batch",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddIndex(
            model_name="cancellationrequest",
            index=models.Index(
                condition=models.Q(("batch__isnull", False)), fields=["batch", "shop", "state"], name="request_batch"
            ),
        ),
        migrations.AddField(
            model_name="batch",
            name="reason",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cancellations.reason"
            ),
        ),
        migrations.AddField(
            model_name="batch",
            name="requested_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="batches", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="batchrow",
            name="batch",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="rows",
                to="cancellations.batch",
            ),
        ),
        migrations.AddField(
            model_name="batchrow",
            name="cancellation",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="batch_rows",
                to="cancellations.cancellationrequest",
            ),
        ),
        migrations.AddField(
            model_name="batchrow",
            name="order",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="batch_rows",
                to="cancellations.order",
            ),
        ),
        migrations.AddField(
            model_name="batchrow",
            name="shop",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="cancellations.shop",
            ),
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
            index=models.Index(
                condition=models.Q(
                    ("finished_at", None),
                    models.Q(("state", cancellations.batches.states.BatchState["PLANNED"]), _negated=True),
                ),
                fields=["state"],
                name="batch_live",
            ),
        ),
        migrations.AddIndex(
            model_name="batchrow",
            index=models.Index(fields=["batch", "verdict", "id"], name="row_verdict"),
        ),
        migrations.AddIndex(
            model_name="batchrow",
            index=models.Index(fields=["batch", "id"], name="row_batch"),
        ),
        migrations.AddIndex(
            model_name="batchrow",
            index=models.Index(condition=models.Q(("waits", True)), fields=["batch", "shop", "id"], name="row_waits"),
        ),
        migrations.AddConstraint(
            model_name="batchrow",
            constraint=models.UniqueConstraint(fields=("batch", "place", "item_ref"), name="one_row"),
        ),
    ]
