"""Stacked bars as SVG made on the server: no script, follows the theme, prints; the numbers stand in a table too."""

from collections.abc import Sequence
from dataclasses import dataclass

HEIGHT = 176
TOP, BOTTOM = 16, 24
GUTTER = 6.0  # per cent at the left, for the scale's numbers
STEPS = (1, 2, 5)


@dataclass(frozen=True)
class Piece:
    """One coloured part of a bar. ``x``, ``width`` are percentages of the chart, ``y``, ``height`` pixels."""

    tone: str
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True)
class Bar:
    """One bar: its label, its numbers in the legend's order, its drawn parts."""

    label: str
    numbers: tuple[int, ...]
    total: int
    middle: str
    minor: int
    pieces: tuple[Piece, ...]


def ceiling(most: int) -> int:
    """Return the round number at which the scale ends: 1, 2, 5, 10, 20, 50 …, at least 4."""
    scale = 1
    while True:
        for step in STEPS:
            if step * scale >= max(most, 4):
                return step * scale
        scale *= 10


def bars(rows: Sequence[tuple[str, Sequence[int]]], tones: Sequence[str], top: int) -> list[Bar]:
    """Lay out the bars of a chart whose scale ends at ``top``."""
    room = HEIGHT - TOP - BOTTOM
    slot = (100 - GUTTER) / max(len(rows), 1)
    drawn = []
    for place, (label, numbers) in enumerate(rows):
        foot = float(HEIGHT - BOTTOM)
        pieces = []
        for tone, number in zip(tones, numbers, strict=True):
            high = room * number / top
            if number:
                foot -= high
                pieces.append(
                    Piece(
                        tone,
                        f"{GUTTER + slot * (place + 0.18):.3f}%",
                        f"{foot:.2f}",
                        f"{slot * 0.64:.3f}%",
                        f"{high:.2f}",
                    )
                )
        drawn.append(
            Bar(
                label,
                tuple(numbers),
                sum(numbers),
                f"{GUTTER + slot * (place + 0.5):.3f}%",
                _minor(place, len(rows)),
                tuple(pieces),
            )
        )
    return drawn


@dataclass(frozen=True)
class Share:
    """One part of a single bar across the page. ``x`` and ``width`` are percentages of the chart."""

    label: str
    tone: str
    number: int
    x: str
    width: str


def shares(parts: Sequence[tuple[str, str, int]], whole: int = 0) -> list[Share]:
    """Lay out one bar of (label, tone, number); every part stays wide enough to be seen.

    Args:
        whole: The number as long as the chart is wide; left out, it is what the parts make together.
    """
    whole = whole or sum(max(number, 0) for *_, number in parts) or 1
    least = 0.6
    room = 100 - least * len(parts)
    drawn, at = [], 0.0
    for label, tone, number in parts:
        wide = least + room * number / whole
        drawn.append(Share(label, tone, number, f"{at:.3f}%", f"{max(wide - 0.2, 0.2):.3f}%"))
        at += wide
    return drawn


def grid(top: int) -> list[tuple[int, str]]:
    """Return the lines of the scale: (number, y in pixels), four at most above zero."""
    room = HEIGHT - TOP - BOTTOM
    parts = 5 if top % 5 == 0 else 4 if top % 4 == 0 else 2
    return [(top * part // parts, f"{HEIGHT - BOTTOM - room * part / parts:.1f}") for part in range(parts + 1)]


def _minor(place: int, count: int) -> int:
    """Return how soon a label gives way where there is no room: 0 never, 1 on phones, 2 wherever bars are many."""
    if count <= 7:
        return 0
    back = count - 1 - place
    if back % 4 == 0:
        return 0
    return 1 if back % 2 == 0 else 2
