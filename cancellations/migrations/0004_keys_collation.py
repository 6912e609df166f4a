"""Keys are compared byte by byte, so that a prefix is a range of the index also on PostgreSQL."""

from django.db import migrations


def alter(collation):
    def run(apps, schema_editor):
        if schema_editor.connection.vendor != "postgresql":
            return  # SQLite compares bytes anyway
        schema_editor.execute(
            f'ALTER TABLE cancellations_orderkey ALTER COLUMN value TYPE varchar(200) COLLATE "{collation}"'
        )

    return run


class Migration(migrations.Migration):
    dependencies = [("cancellations", "0003_beginnings")]

    operations = [migrations.RunPython(alter("C"), alter("default"))]
