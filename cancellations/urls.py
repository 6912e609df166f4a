"""A face: includes the folders' addresses."""

from django.urls import include, path

from cancellations import home, operations
from cancellations.orders import urls as orders
from cancellations.requests import order_views

_order_page = [
    path("<int:pk>/", order_views.order, name="order"),
    path("<int:pk>/fresh/", order_views.fresh, name="fresh"),
    path("<int:pk>/cancel/", order_views.create, name="cancel"),
]

urlpatterns = [
    path("", home.home, name="home"),
    path("operations/", operations.operations, name="operations"),
    path("orders/", include(([*orders.urlpatterns, *_order_page], "orders"))),
    path("cancellations/", include("cancellations.requests.urls")),
    path("bulk/", include("cancellations.batches.urls")),
    path("audit/", include("cancellations.review.urls")),
    path("shops/", include("cancellations.shops.urls")),
    path("reasons/", include("cancellations.reasons.urls")),
    path("people/", include("cancellations.staff.urls")),
]
