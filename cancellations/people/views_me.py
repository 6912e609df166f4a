"""Oneself: one's language and time zone. Everybody may, also whoever may nothing else."""

from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from cancellations.pages import render_page, see_other
from cancellations.people.models import Person
from cancellations.selects import PlainSelect

AREAS = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


def zones() -> list[tuple[str, str | list[tuple[str, str]]]]:
    """Return the time zones one may live in, grouped by area, for a select."""
    names = sorted(available_timezones())
    groups = [
        (
            area,
            [
                (name, name.partition("/")[2].replace("_", " ").replace("/", ", "))
                for name in names
                if name.startswith(f"{area}/")
            ],
        )
        for area in AREAS
    ]
    default = gettext("As the desk: %(zone)s") % {"zone": settings.TIME_ZONE}
    return [("", default), ("UTC", "UTC"), *groups]


class MeForm(forms.ModelForm):  # type: ignore[type-arg]  # not to be subscripted at run time
    """What people set for themselves."""

    language = forms.ChoiceField(
        label=_("Language"), required=False, help_text=_("Of the pages. What platforms say stays in their own words.")
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        required=False,
        widget=PlainSelect,
        help_text=_("Every time is shown in this zone; the record is kept in UTC."),
    )

    class Meta:
        model = Person
        fields = ["language", "time_zone"]

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        own = [(code, language_in_itself(code)) for code, _name in settings.LANGUAGES]
        self.fields["language"].choices = [("", gettext("As the browser says")), *own]  # type: ignore[attr-defined]
        self.fields["time_zone"].choices = zones()  # type: ignore[attr-defined]


def language_in_itself(code: str) -> str:
    """Return a language's name in that language: whoever cannot read the page must find it."""
    return str(translation.get_language_info(code)["name_local"])


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def me(request: HttpRequest) -> HttpResponse:
    """Show and keep one's own settings."""
    person = request.user
    assert isinstance(person, Person)
    form = MeForm(request.POST if request.method == "POST" else None, instance=person)
    if form.is_valid():
        form.save()
        with translation.override(person.language or translation.get_language()):
            messages.success(request, gettext("Your settings are kept."))
        return see_other(reverse("me"), request)
    status = 422 if request.method == "POST" else 200
    return render_page(request, "account/me.html", "account/_me.html", {"form": form}, status=status)


@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Switch the language: kept with the person, or in a cookie for whoever is signed out."""
    language, back = request.POST.get("language", ""), request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        back = "/"
    response = see_other(back, request)
    if language in dict(settings.LANGUAGES):
        if isinstance(request.user, Person):
            Person.objects.filter(pk=request.user.pk).update(language=language)
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=365 * 86400,
            httponly=True,
            samesite="Lax",
            secure=request.is_secure(),
        )
    return response
