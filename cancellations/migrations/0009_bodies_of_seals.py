"""A seal has room for its body."""

from django.db import migrations, models


class AddColumn(migrations.AddField):
    """On SQLite Django would make the table anew, and that loses the triggers that keep it append-only."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        schema_editor.execute("ALTER TABLE cancellations_seal ADD COLUMN body varchar(64) DEFAULT '' NOT NULL")

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        schema_editor.execute("ALTER TABLE cancellations_seal DROP COLUMN body")


class Migration(migrations.Migration):
    dependencies = [("cancellations", "0008_newest_of_many")]

    operations = [AddColumn("seal", "body", models.CharField(max_length=64, default="", db_default=""))]
