"""Amounts and counts are read in groups of three in China, too: 1,234,567.89."""

THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
