"""A small SVG canvas for the report's charts: text that is known to fit, fills that differ in grey too.

Fonts are the reader's, so widths are estimated on the wide side; every text's box is kept, and the tests see to it that
none leaves the picture or lies on another.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from html import escape
from typing import Literal

FONT = "'Helvetica Neue', Arial, 'Noto Sans', 'Noto Sans CJK JP', 'Hiragino Sans', 'Yu Gothic', Meiryo, sans-serif"
INK, SOFT, LINE = "#1d2733", "#4d5967", "#c5ced8"
SIZE = 12
_WIDE_EM, _NARROW_EM = 1.0, 0.6
Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True)
class Fill:
    """A colour, and a pattern of lines over it, so that two fills differ without colour too."""

    name: str
    colour: str
    lines: str = ""
    stroke: str = INK


ASIS = Fill("asis", "#aab7c4")
TOBE = Fill("tobe", "#1f4e8c")
SAVED = Fill("saved", "#eef6f0", "M0,8 L8,0", "#1d6b40")
ADDED = Fill("added", "#d98e2b", "M0,0 L8,8", "#5c3400")
BALANCES = Fill("balances", "#1f4e8c")
TRANSFER = Fill("transfer", "#9dbfe3", "M0,8 L8,0", "#1f4e8c")
INVESTORS = Fill("investors", "#f0b48c", "M0,4 L8,4", "#8a3d0c")
FUNDS = Fill("funds", "#f6e3b4", "M4,0 L4,8", "#7a5200")


@dataclass(frozen=True)
class Box:
    """Where a text lies."""

    left: float
    top: float
    right: float
    bottom: float
    text: str


class Canvas:
    """A picture being drawn; `key` makes its ids its own on a page of many."""

    def __init__(self, key: str, *, width: int, height: int, title: str) -> None:
        self.key = key
        self.width = width
        self.height = height
        self.title = title
        self.boxes: list[Box] = []
        self._parts: list[str] = []
        self._used: dict[str, Fill] = {}

    def rect(self, x: float, y: float, width: float, height: float, fill: Fill) -> None:
        """A filled box; one of no width is drawn as a hair, so that nothing disappears."""
        self._used[fill.name] = fill
        paint = f"url(#{self.key}-{fill.name})" if fill.lines else fill.colour
        size = f'width="{max(width, 0.8):.1f}" height="{max(height, 0.8):.1f}"'
        self._parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" {size} fill="{paint}" stroke="{fill.stroke}" stroke-width="0.8"/>'
        )

    def line(
        self, points: Sequence[tuple[float, float]], *, colour: str = INK, width: float = 1, dash: str = ""
    ) -> None:
        """A line through points."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self._parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"{dashes}/>')

    def dot(self, x: float, y: float, fill: Fill, *, square: bool = False) -> None:
        """A marker: round, or square, so that two lines differ without colour."""
        if square:
            self.rect(x - 4, y - 4, 8, 8, fill)
        else:
            place = f'cx="{x:.1f}" cy="{y:.1f}" r="4.5"'
            self._parts.append(f'<circle {place} fill="{fill.colour}" stroke="{fill.stroke}" stroke-width="0.8"/>')

    def ring(self, x: float, y: float) -> None:
        """Marks a point without hiding it."""
        self._parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7" fill="none" stroke="{INK}" stroke-width="1.6"/>')

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: int = SIZE,
        anchor: Anchor = "start",
        bold: bool = False,
        colour: str = INK,
        halo: bool = False,
    ) -> None:
        """One line of text; `y` is its baseline. A halo keeps it readable over a line."""
        wide = text_width(text, size, bold=bold)
        left = {"start": x, "middle": x - wide / 2, "end": x - wide}[anchor]
        self.boxes.append(Box(left, y - 0.8 * size, left + wide, y + 0.22 * size, text))
        weight = ' font-weight="bold"' if bold else ""
        place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"'
        around = ' stroke="#fff" stroke-width="3" paint-order="stroke"' if halo else ""
        self._parts.append(f'<text {place} fill="{colour}"{weight}{around}>{escape(text)}</text>')

    def svg(self) -> str:
        """The picture, to stand in a page or in a file of its own."""
        patterns = "".join(self._pattern(fill) for fill in self._used.values() if fill.lines)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" width="{self.width}" '
            f'height="{self.height}" font-family="{FONT}" role="img" aria-labelledby="{self.key}-title">'
            f'<title id="{self.key}-title">{escape(self.title)}</title><defs>{patterns}</defs>'
            f'<rect width="{self.width}" height="{self.height}" fill="#fff"/>{"".join(self._parts)}</svg>'
        )

    def _pattern(self, fill: Fill) -> str:
        return (
            f'<pattern id="{self.key}-{fill.name}" width="8" height="8" patternUnits="userSpaceOnUse">'
            f'<rect width="8" height="8" fill="{fill.colour}"/>'
            f'<path d="{fill.lines}" stroke="{fill.stroke}" stroke-width="1"/></pattern>'
        )


class Scale:
    """Values to places along an axis, from zero or below to the top, with round ticks."""

    def __init__(self, low: Fraction, high: Fraction, *, start: float, end: float, count: int = 5) -> None:
        self.step = nice_step((high - low) / count)
        self.low = self.step * (low // self.step)
        self.high = self.step * -(-high // self.step)
        self.start = start
        self.end = end

    def at(self, value: Fraction) -> float:
        """Where a value lies."""
        return self.start + (self.end - self.start) * float((value - self.low) / (self.high - self.low))

    @property
    def ticks(self) -> list[Fraction]:
        """Round values over the whole axis."""
        return [self.low + self.step * n for n in range(int((self.high - self.low) / self.step) + 1)]


def nice_step(rough: Fraction) -> Fraction:
    """The smallest of 1, 2, 5 × a power of ten that is not below; 1 for nothing."""
    if rough <= 0:
        return Fraction(1)
    power = Fraction(1)
    while power > rough:
        power /= 10
    while power * 10 <= rough:
        power *= 10
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)


def text_width(text: str, size: int = SIZE, *, bold: bool = False) -> float:
    """How wide a text is at most, by its characters' East Asian widths."""
    wide = sum(unicodedata.east_asian_width(one) in "WFA" for one in text)
    return size * (_WIDE_EM * wide + (_NARROW_EM + 0.03 * bold) * (len(text) - wide))


def wrapped(text: str, width: float, size: int = SIZE) -> list[str]:
    """The text in lines no wider: broken at spaces, and inside words that are wider themselves, as Japanese is."""
    made = _filled(text, width, size)
    # Lines of about one length rather than a full one and a rest.
    even = _filled(text, text_width(text, size) / len(made) + 2 * size, size)
    return even if len(even) == len(made) else made


def _filled(text: str, width: float, size: int) -> list[str]:
    made = [""]
    for word in _words(text):
        if made[-1] and text_width((made[-1] + word).rstrip(), size) > width:
            made.append("")
        made[-1] += word if made[-1] else word.lstrip()
    return [line.strip() for line in made]


def _words(text: str) -> list[str]:
    """Where a line may be broken: after a space, and around wide characters."""
    words = [""]
    for one in text:
        if (
            words[-1]
            and (words[-1][-1] == " " or unicodedata.east_asian_width(words[-1][-1]) in "WF")
            and one not in "）)、。・ー"
        ):
            words.append("")
        words[-1] += one
    return words
