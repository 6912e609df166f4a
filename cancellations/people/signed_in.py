"""Who is asking, for views that only signed-in people reach."""

from django.http import HttpRequest

from cancellations.people.models import Person


def person_of(request: HttpRequest) -> Person:
    """Return the person behind a request. Raises ``TypeError`` where ``allowed()`` was forgotten."""
    if not isinstance(request.user, Person):
        raise TypeError("nobody is signed in")
    return request.user
