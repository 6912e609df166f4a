"""Addresses of the people."""

from django.urls import path

from cancellations.staff import views

app_name = "people"
urlpatterns = [
    path("", views.index, name="list"),
    path("new/", views.draft, name="new"),
    path("new/create/", views.create, name="create"),
    path("<int:pk>/", views.detail, name="person"),
    path("<int:pk>/change/", views.change, name="change"),
    path("<int:pk>/deactivate/", views.deactivate, name="deactivate"),
    path("<int:pk>/reactivate/", views.reactivate, name="reactivate"),
    path("<int:pk>/link/", views.make_link, name="make_link"),
]
