"""What looks like a number in people's texts and is no order's id: addresses, dates, times, amounts, phones.

Only what can't be an id is blotted out here. What might be one after all is left for the plan to look up.
"""

import re

_MONTHS = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|ene|abr|ago|dic|okt|dez|mai)[a-zé]*"
_CURRENCIES = (
    "AED|ARS|AUD|BRL|CAD|CHF|CLP|CNY|COP|CZK|DKK|EUR|GBP|HKD|HUF|IDR|INR|JPY|KRW|MXN|MYR|NOK|NZD|PEN|PHP|PLN|RMB|RON|"
    "RUB|SAR|SEK|SGD|THB|TRY|TWD|UAH|USD|VND|ZAR"
)
_SIGNS = "[¥$€£₽₩₹฿₫]"
# Everything is bounded, so that no text makes a search slow.
_FIGURE = r"\d{1,3}(?:[.,' ]\d{3}){1,5}(?:[.,]\d{1,2})?|\d{1,18}(?:[.,]\d{1,2})?"

_NOISE = tuple(
    re.compile(shape, re.I)
    for shape in (
        # e-mail addresses
        r"(?<![\w.+%-])[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}",
        # days, with a time behind them or not
        r"(?<![\w-])(?:19|20)\d\d([-./])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])"
        r"(?:[T ]+\d{1,2}:\d\d(?::\d\d)?(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?(?![\w-])",
        r"(?<![\w.-])\d{1,2}([./-])\d{1,2}\1(?:(?:19|20)\d\d|\d\d)(?![\w-])",
        r"(?:\d{4}年)?\d{1,2}月(?:\d{1,2}[日号])?|\d{4}年",
        rf"(?<!\w)\d{{1,2}}(?:st|nd|rd|th|\.)? ?(?:de )?{_MONTHS}\.?,? ?(?:de )?(?:(?:19|20)\d\d)?(?!\w)",
        rf"(?<!\w){_MONTHS}\.? \d{{1,2}}(?:st|nd|rd|th)?,?(?: (?:19|20)\d\d)?(?!\w)",
        r"(?<!\d)\d{1,2}:\d\d(?::\d\d)?(?!\d)",
        # amounts: with a sign, with decimals, with thousands apart
        rf"{_SIGNS} ?(?:{_FIGURE})(?!\w)",
        rf"(?<![\w-])(?:{_FIGURE}) ?(?:{_SIGNS}|元|块|円|원|%)",
        r"(?<![\w.,-])\d{1,18}\.\d{1,2}(?![\w.-])",
        r"(?<![\w.,-])\d{1,3}(?:,\d{3}){1,5}(?:\.\d{1,2})?(?![\w,-])",
        # phones: with a country, with an area in brackets, written in groups as mobiles are
        r"(?<!\w)\+ ?\d[\d ().-]{5,22}\d(?!\w)",
        r"(?<!\w)\(\d{2,5}\)[\d .-]{4,16}\d(?!\w)",
        r"(?<![\w-])1[3-9]\d[ -]\d{4}[ -]\d{4}(?![\w-])",
        # how many of something
        r"(?<![\w-])\d{1,5} ?(?:pcs|kg|g|ml|cm|mm|件|个|台|套|包|瓶|人|天|小时|分钟|岁)(?![a-z])",
    )
)
_CODE = re.compile(rf"(?<![A-Za-z])(?:{_CURRENCIES})(?![A-Za-z])", re.I)
# Amounts with decimals beside a currency's code, whichever comes first.
_PRICES = (
    re.compile(rf"(?<![\w.,-])\d[\d.,]{{0,20}}[.,]\d\d? ?(?:{_CURRENCIES})(?!\w)", re.I),
    re.compile(rf"(?<!\w)(?:{_CURRENCIES}) ?\d[\d.,]{{0,20}}[.,]\d\d?(?!\w)", re.I),
)
# A number that a spreadsheet has shortened beyond use.
SHORTENED = re.compile(r"(?<![\w-])\d[.,]\d{1,20}E\+\d{1,4}(?!\w)", re.I)

_ADDRESS = re.compile(r"https?://\S{1,2000}", re.I)
_DAY = re.compile(r"(?:19|20)\d\d(?:(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[0-2]\d[0-5]\d(?:[0-5]\d)?)?)?")
_MOBILE = re.compile(r"(?:86)?1[3-9]\d{9}")
_PHONE = re.compile(r"0\d{1,3}-\d{6,8}|\d{3}-\d{3}-\d{4}")
_BESIDE = re.compile(rf"(?:{_CURRENCIES})\s?$", re.I)
_AFTER = re.compile(rf"\s?(?:{_CURRENCIES})(?!\w)", re.I)


def blotted(line: str) -> str:
    """Return a line of the same length with spaces where something stands that is no id."""
    for shape in (*_PRICES, *_NOISE) if _CODE.search(line) else _NOISE:
        line = shape.sub(lambda found: " " * len(found[0]), line)
    return line


def is_like_something_else(token: str, line: str, start: int) -> bool:
    """Tell whether an id may as well be a day, a phone, an amount, or a part of a page's address."""
    if _DAY.fullmatch(token) or _MOBILE.fullmatch(token) or _PHONE.fullmatch(token):
        return True
    end = start + len(token)
    if token.isdigit() and (_BESIDE.search(line[max(0, start - 5) : start]) or _AFTER.match(line[end : end + 5])):
        return True
    return any(one.start() <= start < one.end() for one in _ADDRESS.finditer(line))
