"""Addresses of bulks."""

from django.urls import path

from cancellations.batches import acts, views

app_name = "batches"
urlpatterns = [
    path("", views.index, name="list"),
    path("new/", views.new, name="new"),
    path("selection/", views.selection, name="selection"),
    path("template.csv", views.template, name="template"),
    path("<int:pk>/", views.batch, name="batch"),
    path("<int:pk>/progress/", views.progress, name="progress"),
    path("<int:pk>/result.csv", views.result, name="result"),
    path("<int:pk>/start/", acts.start, name="start"),
    path("<int:pk>/discard/", acts.discard, name="discard"),
    path("<int:pk>/pause/", acts.pause, name="pause"),
    path("<int:pk>/resume/", acts.resume, name="resume"),
    path("<int:pk>/stop/", acts.stop, name="stop"),
    path("<int:pk>/retry/", acts.retry, name="retry"),
    path("<int:pk>/choose/", acts.choose, name="choose"),
]
