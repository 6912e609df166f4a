"""A pasted text → the ids in it: a chat, a mail, a column of a sheet, ids of all platforms mixed. Knows no database.

A wrong guess costs little, for the plan looks everything up; an id that is overlooked is a request that is lost. So in
doubt something counts as an id, marked as not sure.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache

from django.conf import settings
from django.utils.translation import gettext, override

from cancellations.batches import noise
from cancellations.batches.given import SHORTENED, TOO_LONG, Given
from cancellations.orders import keys
from providers.registry import PROVIDERS

FEWEST_DIGITS = 4
_SURE_DIGITS = 8
_TOKEN = re.compile(r"#?[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?")
# An id written in groups, as on a card: too long for a phone.
_GROUPED = re.compile(r"(?<![\w-])\d{4}(?: \d{4}){3,}(?: \d{1,4})?(?![\w-])")
_DIGIT = re.compile("[0-9]")
_QUOTED = re.compile(r"^[\s>|]+")
_CELLS = re.compile(r"[\t,;|、]")
_BETWEEN = re.compile(r"[\s,;/&+.、\"'()\[\]]*(?:and|y|und|et|和|及|与)?[\s,;/&+.、\"'()\[\]]*", re.I)
_CUT = 4096

_IDS = (
    "order", "orders", "waybill", "waybills", "tracking", "parcel", "parcels", "shipment", "shipments", "awb", "pedido",
    "pedidos", "orden", "ordenes", "órdenes", "commande", "bestellung", "auftrag", "id", "ids",
    "订单", "单号", "运单", "快递单", "包裹", "编号",
)  # fmt: skip
_OTHERS = (
    "tel", "tel.", "telephone", "phone", "mobile", "cell", "fax", "whatsapp", "qq", "amount", "total", "sum", "price",
    "paid", "fee", "tax", "vat", "qty", "quantity", "date", "zip", "postcode", "postal", "sku", "ean", "isbn", "iban",
    "account", "teléfono", "telefono", "importe", "monto", "precio", "cantidad", "fecha", "telefon", "betrag", "datum",
    "buyer id", "customer id", "user id", "买家id", "买家 id",
    "电话", "手机", "联系方式", "金额", "合计", "总价", "价格", "单价", "数量", "日期", "时间", "邮编", "身份证",
)  # fmt: skip


def ids_in(lines: Iterable[str]) -> Iterator[Given]:
    """Yield every id of a text, line by line. One that stood before says on which line."""
    met: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        for piece in _pieces(line):
            for one in _ids_of(number, piece):
                first = met.setdefault(one.key, 0)
                if not one.fault and first:
                    yield Given(number, one.text, sure=one.sure, first=first)
                else:
                    met[one.key] = number
                    yield one


def _pieces(line: str) -> Iterator[str]:
    """Yield a line in pieces of bounded length, cut between ids where that can be."""
    while len(line) > _CUT:
        at = max(line.rfind(one, 1, _CUT) for one in " \t,;") + 1 or _CUT
        yield line[:at]
        line = line[at:]
    yield line


def _ids_of(number: int, raw: str) -> Iterator[Given]:
    line = _QUOTED.sub("", plain(raw))
    for found in noise.SHORTENED.finditer(line):
        yield Given(number, found[0], fault=SHORTENED, data={"value": found[0]})
    line = _GROUPED.sub(lambda one: one[0].replace(" ", "").ljust(len(one[0])), noise.SHORTENED.sub(" ", line))
    kept = noise.blotted(line)
    end, labelled, other = 0, False, False
    for found in _TOKEN.finditer(kept):
        if not _DIGIT.search(found[0]):
            continue  # a word
        before, token, start = kept[end : found.start()], found[0].lstrip("#"), found.end() - len(found[0].lstrip("#"))
        if not (end and _BETWEEN.fullmatch(before)):
            label = _label(before)
            labelled, other = label == "id", label == "other"
        end = found.end()
        named = labelled or found[0].startswith("#")
        if other or not _may_be(token, named):
            continue
        if len(token) > keys.MOST_CHARACTERS:
            yield Given(number, token[: keys.MOST_CHARACTERS], fault=TOO_LONG, data={"most": keys.MOST_CHARACTERS})
            continue
        yield Given(number, token, sure=named or _is_sure(token, line, start))


def plain(raw: str) -> str:
    """Return a line as people mean it: full-width forms, odd dashes and spaces as ASCII, invisible characters gone."""
    folded = unicodedata.normalize("NFKC", raw)
    return "".join(_PLAIN.get(unicodedata.category(one), one) for one in folded.replace("−", "-"))


_PLAIN = {"Pd": "-", "Zs": " ", "Zl": " ", "Zp": " ", "Cf": "", "Cs": "", "Co": ""}


def _may_be(token: str, named: bool) -> bool:
    """Tell whether this can be an id at all: it has digits enough, unless it is called one."""
    count = sum(one.isdigit() for one in token)
    if named:
        return count > 0
    return count >= FEWEST_DIGITS if token.isdigit() else count >= 3 and len(token) >= 5


def _is_sure(token: str, line: str, start: int) -> bool:
    if noise.is_like_something_else(token, line, start):
        return False
    if sum(one.isdigit() for one in token) >= _SURE_DIGITS:
        return True
    return any(cell.strip(" \"'=-") == token for cell in _CELLS.split(line))


def _label(before: str) -> str:
    """Return what the words before a number call it: ``id``, ``other``, or "" when they say nothing."""
    text = before.casefold()[-60:]
    ends = {"": 0}
    for kind, words in _labels().items():
        ends[kind] = max((found.end() for found in words.finditer(text)), default=0)
    # What is called last counts; of two that end together, as "buyer id" and "id", the longer one.
    kind = max(("", "other", "id"), key=lambda one: ends[one])
    return kind if len(text) - ends[kind] <= _NEAR else ""


_NEAR = 24


@cache
def _labels() -> dict[str, re.Pattern[str]]:
    """Return the words that call a number an id, and those that call it something else; the cards' own among them."""
    ids, others = set(_IDS), set(_OTHERS)
    for code, _name in settings.LANGUAGES:
        with override(code):
            for card in (one.card for one in PROVIDERS.values()):
                labels = [gettext(one.label).casefold() for one in card.lookup]
                ids.add(labels[0])
                others |= {label for label in labels[1:] if not any(word in label for word in _IDS if word != "id")}
    return {"id": _either(ids - others), "other": _either(others)}


def _either(words: Iterable[str]) -> re.Pattern[str]:
    longest = sorted(words, key=len, reverse=True)
    shapes = (rf"(?<!\w){re.escape(one)}(?!\w)" if one[-1].isascii() else re.escape(one) for one in longest)
    return re.compile("|".join(shapes))
