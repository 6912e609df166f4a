"""Addresses of cancellations."""

from django.urls import path

from cancellations.requests import acts, views

app_name = "requests"
urlpatterns = [
    path("", views.index, name="list"),
    path("export/", views.export_file, name="export"),
    path("<int:pk>/", views.detail, name="cancellation"),
    path("<int:pk>/status/", views.status, name="status"),
    path("<int:pk>/approve/", acts.approve, name="approve"),
    path("<int:pk>/decline/", acts.decline, name="decline"),
    path("<int:pk>/withdraw/", acts.withdraw, name="withdraw"),
    path("<int:pk>/check/", acts.check, name="check"),
    path("<int:pk>/resend/", acts.resend, name="resend"),
    path("<int:pk>/settle/", acts.settle, name="settle"),
    path("<int:pk>/close-alarm/", acts.close_alarm, name="close_alarm"),
    path("<int:pk>/pictures/<int:number>/", views.picture, name="picture"),
]
