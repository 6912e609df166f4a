"""A platform described as data: its card. Sentences are English marked with ``gettext_noop``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

# The platform's own handle of an order: the card's look-up fields by name, all text, given back as received.
Ref = Mapping[str, str]


@dataclass(frozen=True)
class Field:
    """One thing an admin or agent fills in.

    Attributes:
        name: Key in a file, a form and a mapping.
        label: What it is called on the page.
        help: One sentence: what it is for and where to find it.
        kind: ``text``; ``secret`` (write-only); ``choice``; ``switch`` (bool); ``list`` (of text); ``integer``
            (digits, kept as text); ``url``.
        required: Whether it may be left out. A switch never is required.
        default: Used when left out; for ``list`` a tuple, for ``switch`` a bool, else text.
        choices: (value, label) pairs for ``choice``.
        identity: For look-up fields: whether it is part of what makes an order *this* order.
        when: ``(option, value)``: the field is asked for only when that option has that value.
    """

    name: str
    label: str
    help: str = ""
    kind: Literal["text", "secret", "choice", "switch", "list", "integer", "url"] = "text"
    required: bool = True
    default: Any = ""
    choices: tuple[tuple[str, str], ...] = ()
    identity: bool = True
    when: tuple[str, str] | None = None
    max_length: int = 255


@dataclass(frozen=True)
class PlatformReason:
    """A value the platform lists for its own reason field."""

    value: str
    label: str


@dataclass(frozen=True)
class Capabilities:
    """What can be asked of a shop with these options.

    Attributes:
        get_order: One order can be read, so an unknown outcome can be settled by looking.
        list_orders: Changed orders can be listed page by page.
        get_orders: Known orders can be re-read in batches of up to this many; 0 where there is no such call.
        list_reasons: The shop itself can be asked for its reasons.
    """

    get_order: bool = True
    list_orders: bool = True
    get_orders: int = 0
    list_reasons: bool = False


_EXAMPLE = "://your-"


@dataclass(frozen=True)
class Card:
    """A platform described as data.

    Attributes:
        slug: Its name in files, URLs and the database.
        name: Its name for people.
        unit: What one cancellation cancels: the whole ``order`` or one ``item``.
        base_url: Default address, without a trailing slash.
        hosts: Allowed host names; a leading dot allows every sub-domain.
        options: Non-secret settings of a shop. Fields of kind ``url`` are further base URLs, checked like the first.
        credential: The keys of a shop, replaced whole.
        lookup: What identifies an order here; the first is what people call the order's id.
        reason: What becomes of our reason: sent as one of the ``listed`` values, as free ``text``, or ``none``.
        reasons: The default listed values.
        note_sent: So many characters of the agent's note go to the platform beside the reason; 0: none do.
        reason_defaults: Our reason code → the platform's value, where the card knows one.
        private: JSON keys (lower case) whose values are personal data, to be masked in every exchange.
        consequences: What a cancel does and does not do there, each one sentence; the two that weigh most come first.
        settle_seconds: How long after an unclear cancel a reading may still be stale.
        calls_per_second: The rate the platform documents, or a cautious guess.
        shared_by: The credential field whose equal values are one app to the platform: its shops share one budget of
            calls and, with the same keys at the same address, access tokens, whatever their options. "" where every
            shop has its own.
        home: Where an admin finds the keys: a sentence.
    """

    slug: str
    name: str
    unit: Literal["order", "item"]
    base_url: str
    hosts: tuple[str, ...]
    options: tuple[Field, ...]
    credential: tuple[Field, ...]
    lookup: tuple[Field, ...]
    reason: Literal["none", "text", "listed"]
    reasons: tuple[PlatformReason, ...] = ()
    note_sent: int = 0
    reason_defaults: Mapping[str, str] = field(default_factory=dict)
    private: frozenset[str] = frozenset()
    consequences: tuple[str, ...] = ()
    settle_seconds: int = 900
    calls_per_second: float = 5.0
    shared_by: str = ""
    home: str = ""

    def identity(self, ref: Ref) -> str:
        """Return the text that makes an order unique within a shop: the identity fields, escaped, joined by ``|``."""
        parts = (ref.get(one.name, "") for one in self.lookup if one.identity)
        return "|".join(part.replace("\\", "\\\\").replace("|", "\\|") for part in parts)

    def is_example(self, url: str) -> bool:
        """Tell whether an address only shows how one looks, as that of a card does whose shops each have their own."""
        return _EXAMPLE in self.base_url and _EXAMPLE in url.lower()
