"""A day of this year is written as every other date of the house: 21 Nov."""

MONTH_DAY_FORMAT = "j M"
