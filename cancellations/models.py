"""A face: re-exports the folders' models, so that they share one migration chain."""

from cancellations.audit.models import AuditEvent, Seal, Verification
from cancellations.batches.models import Batch, BatchRow
from cancellations.orders.models import FileImport, Order, OrderItem, OrderKey, Pull
from cancellations.people.models import Person
from cancellations.reasons.models import ListedReasons, Reason, ReasonMapping
from cancellations.requests.models import Attempt, CancellationRequest
from cancellations.requests.pictures import Picture
from cancellations.shops.models import Arming, Credential, Pulse, Shop, ShopAccess, ShopHealth

__all__ = [
    "Arming",
    "Attempt",
    "AuditEvent",
    "Batch",
    "BatchRow",
    "CancellationRequest",
    "Credential",
    "FileImport",
    "ListedReasons",
    "Order",
    "OrderItem",
    "OrderKey",
    "Person",
    "Picture",
    "Pull",
    "Pulse",
    "Reason",
    "ReasonMapping",
    "Seal",
    "Shop",
    "ShopAccess",
    "ShopHealth",
    "Verification",
]
