"""``manage.py database_roles``: what the application and a reader may do in PostgreSQL; the rest stays the owner's.

Whoever migrates owns the tables and could lift their triggers. The application need not be able to, and a reader
(reports, `audit verify` from another machine) need not see what opens anything.
"""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils.translation import gettext as _

from cancellations.audit.models import AuditEvent, Seal
from cancellations.people.models import Person
from cancellations.requests.models import Attempt, CancellationRequest
from cancellations.shops.models import Credential

ALL = ("SELECT", "INSERT", "UPDATE", "DELETE")
CACHE, SESSIONS = "cache", "django_session"
# What the application may do where it may not do all.
APPLICATION = {
    AuditEvent._meta.db_table: ("SELECT", "INSERT"),
    Seal._meta.db_table: ("SELECT", "INSERT"),
    Attempt._meta.db_table: ("SELECT", "INSERT", "UPDATE"),  # closed once, as a trigger sees to
    CancellationRequest._meta.db_table: ("SELECT", "INSERT", "UPDATE"),
    MigrationRecorder.Migration._meta.db_table: ("SELECT",),
    "django_content_type": ("SELECT",),
    "auth_permission": ("SELECT",),
}
# Tables that open something: sealed keys, sessions, sealed tokens.
NOT_FOR_READERS = {Credential._meta.db_table, SESSIONS, CACHE}
PASSWORD = {Person._meta.db_table: "password"}


class Command(BaseCommand):
    help = "Give the application's and the reader's role in PostgreSQL exactly their rights. Repeat it after migrate."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--application", required=True, metavar="ROLE", help="who web server, worker and beat are")
        parser.add_argument("--reader", metavar="ROLE", help="who only reads, as for reports")

    def handle(self, *args: Any, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError(_("Only PostgreSQL has roles; in SQLite, whoever may read the file may change it."))
        application, reader = options["application"], options["reader"]
        roles = [role for role in (application, reader) if role]
        if len(set(roles)) < len(roles):
            raise CommandError(_("Name two different roles."))
        for role in roles:
            self._refuse_powerful(role)
        tables = self._tables()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
            for role in roles:
                cursor.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {_quoted(role)}, PUBLIC")
                cursor.execute(f"GRANT USAGE ON SCHEMA public TO {_quoted(role)}")
            for statement in rights_of_application(application, tables):
                cursor.execute(statement)
            for statement in rights_of_reader(reader, tables) if reader else ():
                cursor.execute(statement)
        self.stdout.write(_("%(roles)s may do what they need in %(tables)s tables, and nothing else.") % {
            "roles": ", ".join(roles), "tables": len(tables),
        })  # fmt: skip

    def _refuse_powerful(self, role: str) -> None:
        """Stop at a role that is not there, or that no right could hold back."""
        name = {"role": role}
        with connection.cursor() as cursor:
            cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = %s", [role])
            found = cursor.fetchone()
            if found is None:
                raise CommandError(_("There is no role %(role)s. Make it with: createuser --pwprompt %(role)s") % name)
            cursor.execute(
                "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND pg_has_role(%s, tableowner, 'MEMBER')",
                [role],
            )
            if found[0] or cursor.fetchone()[0]:  # a superuser is a member of every role
                raise CommandError(
                    _("%(role)s is a superuser or owns the tables, so nothing holds it back. Name another role.") % name
                )

    def _tables(self) -> dict[str, list[str]]:
        """Return every table with its columns."""
        with connection.cursor() as cursor:
            return {
                table: [one.name for one in connection.introspection.get_table_description(cursor, table)]
                for table in connection.introspection.table_names(cursor)
            }


def rights_of_application(role: str, tables: dict[str, list[str]]) -> Iterator[str]:
    """Yield the statements that let the program work: no table of its own, no trigger lifted, no history changed."""
    for table in tables:
        yield f"GRANT {', '.join(APPLICATION.get(table, ALL))} ON {_quoted(table)} TO {_quoted(role)}"


def rights_of_reader(role: str, tables: dict[str, list[str]]) -> Iterator[str]:
    """Yield the statements that let somebody read everything that opens nothing."""
    for table, columns in tables.items():
        if table in NOT_FOR_READERS:
            continue
        shown = [_quoted(one) for one in columns if one != PASSWORD.get(table)]
        which = f" ({', '.join(shown)})" if table in PASSWORD else ""
        yield f"GRANT SELECT{which} ON {_quoted(table)} TO {_quoted(role)}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
