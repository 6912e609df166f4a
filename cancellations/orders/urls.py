"""Addresses of the index; the order page's own are added where requests are known."""

from django.urls import path

from cancellations.orders import views

app_name = "orders"
urlpatterns = [
    path("", views.index, name="list"),
    path("pulls/", views.pulls, name="pulls"),
    path("lookup/<slug:name>/", views.lookup, name="lookup"),
    path("import/", views.hand_in, name="import"),
    path("import/<int:pk>/", views.imported, name="imported"),
    path("import/<int:pk>/refused.csv", views.refused_lines, name="refused"),
    path("import/<slug:name>.csv", views.template, name="template"),
]
