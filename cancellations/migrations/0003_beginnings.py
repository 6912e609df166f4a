"""The shared cache's table, and the reason catalogue as it begins."""

from django.core.management import call_command
from django.db import migrations
from django.utils.translation import gettext_noop

CATALOGUE = (
    ("customer_request", gettext_noop("The customer asked for it"), False),
    ("out_of_stock", gettext_noop("Out of stock"), False),
    ("wrong_address", gettext_noop("Wrong address"), False),
    ("duplicate_order", gettext_noop("Ordered twice"), False),
    ("payment_problem", gettext_noop("Problem with the payment"), False),
    ("price_error", gettext_noop("Wrong price"), False),
    ("fraud_suspected", gettext_noop("Suspected fraud"), True),
    ("undeliverable", gettext_noop("Can't be delivered"), False),
    ("other", gettext_noop("Another reason"), True),
)


def make_cache_table(apps, schema_editor):
    call_command("createcachetable", "cache", database=schema_editor.connection.alias, verbosity=0)


def fill_catalogue(apps, schema_editor):
    reason = apps.get_model("cancellations", "Reason")
    reason.objects.bulk_create(
        reason(code=code, label=label, note_required=note, position=10 * number)
        for number, (code, label, note) in enumerate(CATALOGUE, 1)
    )


class Migration(migrations.Migration):
    dependencies = [("cancellations", "0002_append_only")]

    operations = [
        migrations.RunPython(make_cache_table, migrations.RunPython.noop),
        migrations.RunPython(fill_catalogue, migrations.RunPython.noop),
    ]
