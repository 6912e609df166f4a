"""Addresses of the shops."""

from django.urls import path

from cancellations.shops import views

app_name = "shops"
urlpatterns = [
    path("", views.index, name="list"),
    path("new/", views.choose, name="choose"),
    path("new/<slug:platform>/", views.draft, name="new"),
    path("new/<slug:platform>/create/", views.create, name="create"),
    path("<slug:name>/", views.detail, name="shop"),
    path("<slug:name>/check/", views.check, name="check"),
    path("<slug:name>/edit/", views.edit, name="edit"),
    path("<slug:name>/edit/change/", views.change, name="change"),
    path("<slug:name>/keys/", views.keys, name="keys"),
    path("<slug:name>/keys/replace/", views.replace_keys, name="replace_keys"),
    path("<slug:name>/access/", views.access, name="access"),
    path("<slug:name>/access/set/", views.set_access, name="set_access"),
    path("<slug:name>/on/", views.switch_on, name="switch_on"),
    path("<slug:name>/off/", views.switch_off, name="switch_off"),
]
