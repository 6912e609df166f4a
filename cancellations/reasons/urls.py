"""Addresses of the reasons."""

from django.urls import path

from cancellations.reasons import views

app_name = "reasons"
urlpatterns = [
    path("", views.index, name="list"),
    path("new/", views.draft, name="new"),
    path("new/create/", views.create, name="create"),
    path("lists/", views.lists, name="lists"),
    path("lists/<slug:name>/read/", views.read_list, name="read_list"),
    path("<slug:code>/", views.detail, name="reason"),
    path("<slug:code>/edit/", views.edit, name="edit"),
    path("<slug:code>/edit/change/", views.change, name="change"),
    path("<slug:code>/retire/", views.retire, name="retire"),
    path("<slug:code>/restore/", views.restore, name="restore"),
    path("<slug:code>/map/", views.map_value, name="map"),
]
