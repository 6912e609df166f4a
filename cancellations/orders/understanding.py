"""What somebody typed into the search box → what it may be, and the keys that would find it."""

import re
import unicodedata
from dataclasses import dataclass

from django.utils.translation import gettext_noop

from cancellations.orders import keys

SHORTEST_PREFIX = 2
SHORTEST_LIVE = 3
_PHONE = re.compile(r"\+?[\d\s().\-–/]+")
_WAYBILL = re.compile(r"[A-Z]{2,4}\d{9,}[A-Z]{0,2}")
_TYPED_TAILS = 9  # a number typed whole is found under another country prefix by at least so many digits

_SAID = {
    (): gettext_noop("There was nothing to look for in it: type a number, or a buyer's name, e-mail or phone."),
    ("email",): gettext_noop("It looked like a buyer's e-mail address; those are found only by the whole address."),
    ("waybill",): gettext_noop("It looked like a waybill number."),
    ("number",): gettext_noop("It looked like the number of an order, item or parcel, or a SKU."),
    ("number", "tail"): gettext_noop("It looked like the last four digits of a buyer's phone, or like a number."),
    ("number", "phone"): gettext_noop("It looked like the number of an order, item or parcel, or like a phone."),
    ("name",): gettext_noop("It looked like a buyer's name; those are found by whole words."),
}


@dataclass(frozen=True)
class Understanding:
    """What a text may be.

    Attributes:
        kinds: Words for the audit log: ``number``, ``waybill``, ``email``, ``phone``, ``tail``, ``name``.
        values: Keys that must be met exactly: the normalised text and the hashes.
        prefix: What a number may begin with; "" when the text is too short or none.
        said: One sentence, untranslated, of what it looked like.
        number: The text as a platform would be asked for it; "" when no platform can be asked.
    """

    kinds: tuple[str, ...]
    values: tuple[str, ...]
    prefix: str
    said: str
    number: str = ""


def understand(text: str) -> Understanding:
    """Make out what a typed text may be."""
    plain = unicodedata.normalize("NFKC", text.replace("\x00", "")).strip()[: keys.MOST_CHARACTERS]
    value = keys.normalise(plain)
    kinds, hashes = _buyer(plain, value)
    exact = tuple(sorted({*hashes, *([value] if value and "email" not in kinds else [])}))
    prefix = value if len(value) >= SHORTEST_PREFIX and "email" not in kinds else ""
    asks = len(value) >= SHORTEST_LIVE and bool({"number", "waybill"} & {*kinds})
    number = "".join(plain.split()).strip("#") if asks else ""
    return Understanding(kinds, exact, prefix, _SAID[kinds], number)


def _buyer(plain: str, value: str) -> tuple[tuple[str, ...], set[str]]:
    if not value:
        return (), set()
    if "@" in plain:
        return ("email",), {one for _, one in keys.keys_of_email(plain)}
    number = keys.digits(plain)
    if not number and any(one.isalpha() for one in plain):
        return ("name",), _name(plain)
    if len(number) == 4 and number == value:
        return ("number", "tail"), {keys.hashed("tail", number)}
    if _PHONE.fullmatch(plain) and 7 <= len(number) <= 17:
        shortest = min(len(number), _TYPED_TAILS)
        return ("number", "phone"), {keys.hashed("phone", one) for one in keys.phone_forms(number, shortest=shortest)}
    return (("waybill",) if _WAYBILL.fullmatch(value) else ("number",)), set()


def _name(plain: str) -> set[str]:
    """Return the hash of the words together: one word, two, or the whole name in any order."""
    words = keys.fold_name(plain)
    return {keys.hashed("name", " ".join(words))} if words else set()
