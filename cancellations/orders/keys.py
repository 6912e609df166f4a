"""What people type → normalised keys. Buyers become keyed hashes here and cannot be told from them again."""

import hashlib
import hmac
import re
import unicodedata

from django.conf import settings

MOST_CHARACTERS = 200
# Before every hash, so that no prefix of a number ever runs into one: normalise() leaves no such character.
HASH_MARK = "~"
_DROPPED = frozenset({"Zs", "Zl", "Zp", "Pd", "Cc", "Cf"})  # spaces, dashes, controls, zero-width characters
_PHONE_TAILS = (11, 10, 9, 8)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_HAN = re.compile(r"[㐀-鿿豈-﫿\U00020000-\U0003ffff]+")

Key = tuple[str, str]


def normalise(text: str) -> str:
    """Return an id as it is compared: NFKC, upper case, without spaces, dashes and ``#``; leading zeros stay."""
    folded = unicodedata.normalize("NFKC", text).casefold().upper()
    folded = unicodedata.normalize("NFKC", folded)
    kept = (one for one in folded if one not in f"#{HASH_MARK}" and unicodedata.category(one) not in _DROPPED)
    # Dropping a character may bring two together that are one; so once more.
    return unicodedata.normalize("NFKC", "".join(kept))[:MOST_CHARACTERS]


def hashed(kind: str, text: str) -> str:
    """Return the keyed hash of a buyer's datum: the mark and 32 hex digits; its kind is part of what is hashed."""
    message = f"{kind}:{text}".encode("utf-8", "replace")
    return HASH_MARK + hmac.new(settings.SEARCH_KEY.encode(), message, hashlib.sha256).hexdigest()[:32]


def digits(text: str) -> str:
    """Return the decimal digits of a text, full-width and other forms as ASCII."""
    return "".join(str(unicodedata.decimal(one)) for one in text if unicodedata.decimal(one, None) is not None)


def fold_email(text: str) -> str:
    """Return an e-mail address as it is compared."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def fold_name(text: str) -> list[str]:
    """Return the words of a name as they are compared: case and accents folded, punctuation gone, in one order."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    plain = unicodedata.normalize("NFC", "".join(one for one in plain if unicodedata.category(one) != "Mn"))
    return sorted(set(_WORD.findall(plain)))


def keys_of_email(text: str) -> set[Key]:
    """Return the keys an e-mail address is found by."""
    folded = fold_email(text)
    return {("email", hashed("email", folded))} if "@" in folded else set()


def keys_of_phone(text: str) -> set[Key]:
    """Return the keys a phone is found by: whole, without a country prefix of any length, and its last four digits."""
    number = digits(text)
    found = {("phone", hashed("phone", one)) for one in phone_forms(number, shortest=8)}
    if len(number) >= 4:
        found.add(("tail", hashed("tail", number[-4:])))
    return found


def phone_forms(number: str, *, shortest: int) -> set[str]:
    """Return a phone's digits, and their endings down to ``shortest`` digits; nothing for less than seven digits."""
    if len(number) < 7:
        return set()
    return {number, *(number[-length:] for length in _PHONE_TAILS if shortest <= length < len(number))}


def keys_of_name(text: str) -> set[Key]:
    """Return the keys a name is found by: the whole in any order, each word, each two words.

    Chinese is written without spaces: every run of two to four characters counts as a word of its own.
    """
    words = fold_name(text)[:8]
    forms = {" ".join(words), *words}
    forms |= {f"{one} {other}" for at, one in enumerate(words) for other in words[at + 1 :]}
    for run in (run for word in words for run in _HAN.findall(word)):
        run = run[:12]
        forms |= {run[at : at + size] for size in (2, 3, 4) for at in range(len(run) - size + 1)}
    return {("name", hashed("name", form)) for form in forms if len(form) > 1}
