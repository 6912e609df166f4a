"""One id out of what a person gave, wherever it came from: a pasted text, a file, a selection. Knows no database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_noop

from cancellations.orders import keys

# Bounds of what may be handed in; what goes beyond is refused as a whole, before anything is stored.
MOST_BYTES = 5 * 1024 * 1024
MOST_LINES = 20_000

TOO_LARGE = gettext_noop("This is larger than %(most)s. Split it into several.")
TOO_MANY = gettext_noop("These are more than %(most)s lines. Split them into several.")
TOO_LONG = gettext_noop("This is longer than %(most)s characters, which no order's id is.")
SHORTENED = gettext_noop("A spreadsheet has shortened the number to %(value)s. Format the column as text first.")


@dataclass(frozen=True)
class Given:
    """One id, and where it stood.

    Attributes:
        line: Its line in what was given, from 1.
        text: As typed, cleaned, at most ``keys.MOST_CHARACTERS``.
        sure: It stands there as an id: on its own, labelled, or long enough. One that is not may be something else
            (a year, a bare phone): it counts only where it meets an order.
        first: The line where the same stood before; 0 where it did not.
        shop: A shop's name, "" when the line names none; ``item``: an item's reference, "" for the whole order.
        fault: Why the line can't be used, untranslated, with ``data`` to fill in; "" when it can.
    """

    line: int
    text: str
    sure: bool = True
    first: int = 0
    shop: str = ""
    item: str = ""
    fault: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The id as it is compared."""
        return keys.normalise(self.text)


class TooMuch(Exception):
    """What was given goes beyond the bounds: a sentence, untranslated, and ``data`` to fill in."""

    def __init__(self, sentence: str, **data: Any) -> None:
        super().__init__(sentence % data)
        self.sentence, self.data = sentence, data
