"""Days are written as every other date of the house: 21 Nov, 21 Nov 2026."""

MONTH_DAY_FORMAT = "j M"
SHORT_DATE_FORMAT = "j M Y"
