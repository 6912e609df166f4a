"""A buyer's data on its way into the index: a mask for the eye, hashes for the search, nothing in clear."""

import unicodedata

from cancellations.orders import keys
from providers.contract import Buyer

_DOTS = "•••"
KINDS = frozenset({"email", "phone", "tail", "name"})


def mask(buyer: Buyer) -> str:
    """Return what may be shown: ``M••• G•••, •••• 4321``; of an e-mail address the first letter, if nothing else."""
    words = unicodedata.normalize("NFKC", buyer.name).split()[:4]
    parts = [" ".join(word[0] + _DOTS for word in words)] if words else []
    number = keys.digits(buyer.phone)
    if len(number) >= 7:  # of a shorter one, four digits would be most of it
        parts.append(f"•••• {number[-4:]}")
    if not parts and "@" in buyer.email:
        parts.append(f"{buyer.email.strip()[:1]}{_DOTS}@{_DOTS}")
    return ", ".join(parts)


def keys_of(buyer: Buyer) -> set[keys.Key]:
    """Return every keyed hash the buyer is found by."""
    return keys.keys_of_email(buyer.email) | keys.keys_of_phone(buyer.phone) | keys.keys_of_name(buyer.name)
