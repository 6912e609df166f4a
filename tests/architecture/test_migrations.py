"""Two versions of the desk run on one schema while one replaces the other: a migration only widens it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.models import NOT_PROVIDED

RELEASED = 5  # what came before was never run beside another version
WIDENING = (
    migrations.CreateModel, migrations.AddIndex, migrations.RemoveIndex, migrations.RunPython,
    migrations.AlterModelOptions,
)  # fmt: skip


def narrowing(operations: Any) -> Iterator[str]:
    """Yield what the version before could not live with."""
    for one in operations:
        if isinstance(one, migrations.AddField):
            if not one.field.null and one.field.db_default is NOT_PROVIDED and not one.field.many_to_many:
                yield f"{one.name} must be given, and the version before does not know it"
        elif not isinstance(one, WIDENING):
            yield type(one).__name__


def test_R20_every_migration_leaves_the_version_before_at_work() -> None:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    found = {
        name: list(narrowing(one.operations))
        for (app, name), one in loader.disk_migrations.items()
        if app == "cancellations" and int(name[:4]) > RELEASED
    }
    assert found
    assert {name: why for name, why in found.items() if why} == {}


@pytest.mark.parametrize(
    "operation",
    [
        migrations.RemoveField("shop", "title"),
        migrations.RenameField("shop", "title", "label"),
        migrations.DeleteModel("Shop"),
        migrations.AddField("shop", "label", models.CharField(max_length=9, default="")),
    ],
)
def test_R20_what_would_break_the_version_before_is_seen(operation: Any) -> None:
    assert list(narrowing([operation]))
