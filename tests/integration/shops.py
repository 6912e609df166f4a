"""What the tests of shops share: the pretend platform in the registry, people, and one shop."""

from cancellations.audit.models import AuditEvent
from cancellations.people.models import Person
from cancellations.shops import configuring
from cancellations.shops.models import Shop
from tests.integration.pretend import CREDENTIAL


def make_person(username: str = "admin1", role: str = "admin", *, every_shop: bool = True) -> Person:
    """Make somebody who may sign in."""
    return Person.objects.create_user(username, password="pw-of-tests", role=role, every_shop=every_shop)


def make_shop(by: Person, name: str = "corner", **more: object) -> Shop:
    """Make a shop on the pretend platform."""
    given = {
        "title": "Corner shop", "platform": "pretend", "environment": "live", "credential": CREDENTIAL, **more,
    }  # fmt: skip
    return configuring.create_shop(by=by, name=name, **given)


def verbs() -> list[str]:
    """Return what the audit log holds, oldest first."""
    return list(AuditEvent.objects.order_by("id").values_list("verb", flat=True))


def everything_stored() -> str:
    """Return all events and rows of shops as text, to look for secrets in."""
    rows = [*AuditEvent.objects.values(), *Shop.objects.values(), *Shop.objects.values("credential__sealed")]
    return repr(rows)
