"""An operation of migrations: an index becomes another one. On PostgreSQL nobody is blocked meanwhile."""

from django.db import migrations


class ReplaceIndex(migrations.AddIndex):
    """Has the index of that name be another."""

    def state_forwards(self, app_label, state):
        state.remove_index(app_label, self.model_name_lower, self.index.name)
        super().state_forwards(app_label, state)

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        _replace(schema_editor, app_label, self.model_name_lower, self.index.name, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        _replace(schema_editor, app_label, self.model_name_lower, self.index.name, from_state, to_state)


def _replace(editor, app_label, model_name, name, from_state, to_state):
    old = from_state.models[app_label, model_name].get_index_by_name(name)
    new = to_state.models[app_label, model_name].get_index_by_name(name)
    model = to_state.apps.get_model(app_label, model_name)
    if editor.connection.vendor != "postgresql":
        editor.remove_index(model, old)
        editor.add_index(model, new)
        return
    built = new.clone()
    built.name = f"{name}_new"
    editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {built.name}")  # half of one, when this was broken off before
    editor.add_index(model, built, concurrently=True)
    editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    editor.rename_index(model, built, new)
