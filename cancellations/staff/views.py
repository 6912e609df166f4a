"""People: who works here, what each may do, and the one-time links by which they get in."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cancellations.access import allowed
from cancellations.pages import Page, render_page, see_other
from cancellations.people import invitations
from cancellations.people.models import Person
from cancellations.people.signed_in import person_of
from cancellations.shops.models import ShopAccess
from cancellations.shops.scope import visible_to
from cancellations.staff import managing
from cancellations.staff.forms import FilterForm, PersonForm

SIZE = 50
NAMED = 3  # so many shops are named in the list; more are only counted


@require_GET
@allowed("people")
def index(request: HttpRequest) -> HttpResponseBase:
    """Everybody, and how to find one."""
    form = FilterForm({name: request.GET.get(name, "") for name in FilterForm.base_fields}, by=person_of(request))
    people = form.find()
    page = _page(people.annotate(shop_count=Count("access")), request.GET.get("page", ""))
    few = [one.pk for one in page if not one.every_shop and getattr(one, "shop_count", 0) <= NAMED]
    named: dict[int, list[str]] = {}
    access = visible_to(request.user, ShopAccess.objects.filter(person__in=few).order_by("shop__title"))
    for person, title in access.values_list("person", "shop__title"):
        named.setdefault(person, []).append(title)
    rows = [(one, named.get(one.pk, [])) for one in page]
    filtered = any(request.GET.get(name) for name in form.fields)
    context = {"form": form, "page": page, "rows": rows, "count": people.count(), "filtered": filtered}
    return render_page(request, "people/list.html", "people/_rows.html", context)


def _page(people: QuerySet[Person], text: str) -> Page[Person]:
    """Return a page by its number: people are few, and their list is by name."""
    number = max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 6 else 1
    rows = list(people[(number - 1) * SIZE : number * SIZE + 1])
    if number > 1 and not rows:
        return _page(people, "")
    following = str(number + 1) if len(rows) > SIZE else ""
    before = str(number - 1) if number > 1 else ""
    return Page(rows[:SIZE], (number - 1) * SIZE + 1, next=following, previous=before, name="page")


@require_GET
@allowed("people")
def draft(request: HttpRequest) -> HttpResponseBase:
    """Somebody new, to be filled in."""
    return render_page(request, "people/new.html", "people/_form.html", {"form": PersonForm(by=person_of(request))})


@require_POST
@allowed("people")
def create(request: HttpRequest) -> HttpResponseBase:
    """Make somebody new, and promise the link."""
    form = PersonForm(request.POST, by=person_of(request))
    if not form.save() or form.person is None:
        return render_page(request, "people/new.html", "people/_form.html", {"form": form}, status=422)
    invitations.promise(request, form.person)
    return _back(request, form.person)


@require_GET
@allowed("people")
def detail(request: HttpRequest, pk: int) -> HttpResponseBase:
    """One person; right after a link was made, this once with the link."""
    person = get_object_or_404(Person, pk=pk)
    context = _facts(request, person, PersonForm(by=person_of(request), person=person))
    context["link"] = invitations.show(request, person)
    context["until"] = timezone.now() + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
    return render_page(request, "people/person.html", "people/_person.html", context)


@require_POST
@allowed("people")
def change(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Change somebody's role and shops."""
    person = get_object_or_404(Person, pk=pk)
    form = PersonForm(request.POST, by=person_of(request), person=person)
    if not form.save():
        person.refresh_from_db()
        return render_page(
            request, "people/person.html", "people/_person.html", _facts(request, person, form), status=422
        )
    if form.changed:
        messages.success(request, _("%(name)s is as you set it.") % {"name": person})
    else:
        messages.info(request, _("That is how it was already. Nothing changed."))
    return _back(request, person)


@require_POST
@allowed("people")
def deactivate(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Let somebody in no more."""
    person = get_object_or_404(Person, pk=pk)
    try:
        if managing.deactivate(person, by=person_of(request)):
            text = _("%(name)s is deactivated and signed out everywhere. What was done stays in the record.")
            messages.success(request, text % {"name": person})
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return _back(request, person)


@require_POST
@allowed("people")
def reactivate(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Let somebody back in."""
    person = get_object_or_404(Person, pk=pk)
    try:
        if managing.reactivate(person, by=person_of(request)):
            text = _("%(name)s may sign in again. Make a link if the password is forgotten.")
            messages.success(request, text % {"name": person})
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return _back(request, person)


@require_POST
@allowed("people")
def make_link(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Make a new one-time link, shown by the page that follows."""
    person = get_object_or_404(Person, pk=pk)
    try:
        managing.make_link(person, by=person_of(request))
        invitations.promise(request, person)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return _back(request, person)


def _back(request: HttpRequest, person: Person) -> HttpResponseBase:
    return see_other(reverse("people:person", args=[person.pk]), request)


def _facts(request: HttpRequest, person: Person, form: PersonForm) -> dict[str, Any]:
    access = visible_to(request.user, person.access.select_related("shop").order_by("shop__title"))
    return {
        "person": person,
        "form": form,
        "shops": [one.shop for one in access],
        "oneself": person.pk == person_of(request).pk,
        "hindrance": managing.hindrance(person, person_of(request)),
        "has_password": person.has_usable_password(),
    }
