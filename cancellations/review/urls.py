"""Addresses of the audit log."""

from django.urls import path

from cancellations.review import views

app_name = "audit"
urlpatterns = [
    path("", views.index, name="list"),
    path("record/", views.record, name="record"),
    path("check/", views.check, name="check"),
    path("export/<slug:shape>/", views.export_file, name="export"),
]
