"""One-time links: how somebody sets a first password, or a new one. A link is never stored, logged or recorded.

What is stored is the person's generation, of which the link is made when it is shown; counting it up ends every link
before. A link also ends when it is used, when its time is over, and for good when its person is deactivated.
"""

from datetime import timedelta

from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db.models import F
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from cancellations.audit import trail
from cancellations.people.models import Person

SHOWN_ONCE = "link-to-show"  # in the session: whose link the next page shows, and of which generation


class LinkTokens(PasswordResetTokenGenerator):
    """The keys in the links; the settings name this class to allauth."""

    def _make_hash_value(self, user: AbstractBaseUser, timestamp: int) -> str:
        assert isinstance(user, Person)
        return f"{super()._make_hash_value(user, timestamp)}{user.generation}"

    def check_token(self, user: AbstractBaseUser | None, token: str | None) -> bool:
        """Tell whether a key still opens; for whoever is deactivated none does."""
        return isinstance(user, Person) and user.is_active and super().check_token(user, token)


def end_everything(person: Person) -> None:
    """End every open session and every unused link of a person, in the caller's transaction."""
    Person.objects.filter(pk=person.pk).update(generation=F("generation") + 1)
    person.refresh_from_db(fields=["generation"])


def renew(person: Person, *, by: object) -> None:
    """Begin a new link: whatever was open or handed out before ends. In the caller's transaction."""
    end_everything(person)
    until = timezone.now() + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
    trail.record(
        "person.link_made", by=by, subject_kind="person", subject_id=person.pk, subject=person.get_username(),
        data={"until": until.isoformat(timespec="seconds")},
    )  # fmt: skip


def promise(request: HttpRequest, person: Person) -> None:
    """Let the next page of this person show the link, once. The session keeps no link, only that one is due."""
    request.session[SHOWN_ONCE] = {"person": person.pk, "generation": person.generation}


def show(request: HttpRequest, person: Person) -> str:
    """Return the link that was promised, whole; "" when none was, when it was shown, or when a newer one was made."""
    due = request.session.get(SHOWN_ONCE)
    if not isinstance(due, dict) or due.get("person") != person.pk:
        return ""
    del request.session[SHOWN_ONCE]
    if due.get("generation") != person.generation or not person.is_active:
        return ""
    parts = {"uidb36": user_pk_to_url_str(person), "key": LinkTokens().make_token(person)}
    return request.build_absolute_uri(reverse("account_reset_password_from_key", kwargs=parts))
