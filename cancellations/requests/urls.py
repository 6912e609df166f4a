"""Addresses of cancellations."""

from django.urls import path

from cancellations.requests import views

app_name = "requests"
urlpatterns = [
    path("", views.index, name="list"),
    path("export/", views.export_file, name="export"),
    path("<int:pk>/", views.detail, name="cancellation"),
    path("<int:pk>/status/", views.status, name="status"),
    path("<int:pk>/approve/", views.approve, name="approve"),
    path("<int:pk>/decline/", views.decline, name="decline"),
    path("<int:pk>/withdraw/", views.withdraw, name="withdraw"),
    path("<int:pk>/check/", views.check, name="check"),
    path("<int:pk>/resend/", views.resend, name="resend"),
    path("<int:pk>/settle/", views.settle, name="settle"),
    path("<int:pk>/close-alarm/", views.close_alarm, name="close_alarm"),
    path("<int:pk>/pictures/<int:number>/", views.picture, name="picture"),
]
