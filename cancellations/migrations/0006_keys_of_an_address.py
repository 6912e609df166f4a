"""Keys are kept with the kind of address they were entered for; those that are there belong to where their shop is."""

from django.db import migrations, models

from cancellations.shops.hosts import is_local


def mark(apps, schema_editor):
    credential = apps.get_model("cancellations", "Credential")
    for one in credential.objects.select_related("shop"):
        addresses = (one.shop.base_url, *(value for value in one.shop.options.values() if isinstance(value, str)))
        if any(is_local(address) for address in addresses):
            credential.objects.filter(pk=one.pk).update(local=True)


class Migration(migrations.Migration):
    dependencies = [("cancellations", "0005_guards")]

    operations = [
        migrations.AddField("credential", "local", models.BooleanField(default=False, db_default=False)),
        migrations.RunPython(mark, migrations.RunPython.noop),
    ]
