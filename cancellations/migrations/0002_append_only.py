"""Events and seals can be added, never changed; attempts can be closed once. The databases see to it."""

from django.db import migrations

EVENT, SEAL, ATTEMPT = "cancellations_auditevent", "cancellations_seal", "cancellations_attempt"
# Which columns tell one row from another: SQLite's INSERT OR REPLACE removes the old row without a delete trigger.
KEYS = {
    EVENT: (("id",), ("uid",)),
    SEAL: (("id",), ("number",)),
    ATTEMPT: (("id",), ("cancellation_id", "number", "kind")),
}
WHEN_UPDATED = {EVENT: "", SEAL: "", ATTEMPT: "WHEN OLD.closed_at IS NOT NULL"}


def sqlite(table):
    same = " OR ".join(
        "(" + " AND ".join(f"{column} = NEW.{column}" for column in columns) + ")" for columns in KEYS[table]
    )
    stop = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    yield f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {WHEN_UPDATED[table]} {stop}"
    yield f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {stop}"
    yield (
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "  # noqa: S608 - our own names
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) {stop}"
    )


def postgresql(table):
    yield (
        f"CREATE OR REPLACE FUNCTION {table}_stop() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    when = WHEN_UPDATED[table].replace("WHEN OLD.closed_at IS NOT NULL", "WHEN (OLD.closed_at IS NOT NULL)")
    run = f"EXECUTE FUNCTION {table}_stop()"
    yield f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} FOR EACH ROW {when} {run}"
    yield f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW {run}"
    yield f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {run}"


def guard(apps, schema_editor):
    write = {"sqlite": sqlite, "postgresql": postgresql}[schema_editor.connection.vendor]
    for table in KEYS:
        for statement in write(table):
            schema_editor.execute(statement)


def unguard(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    on = {"sqlite": "", "postgresql": " ON {table}"}[vendor]
    for table in KEYS:
        for name in ("no_update", "no_delete", "no_replace", "no_truncate"):
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_{name}" + on.format(table=table))


class Migration(migrations.Migration):
    dependencies = [("cancellations", "0001_initial")]

    operations = [migrations.RunPython(guard, unguard)]
