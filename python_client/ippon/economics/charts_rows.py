"""Charts of lying bars, whose names have room: waterfalls from AsIs to ToBe, and the tornado."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from ippon.economics.canvas import ADDED, ASIS, INK, LINE, SAVED, SOFT, TOBE, Canvas, Fill, Scale, text_width, wrapped
from ippon.economics.case import Case
from ippon.economics.exact import MILLION, million
from ippon.economics.model import Process
from ippon.economics.printed import Row
from ippon.economics.sensitivity import Bar
from ippon.economics.wording import PROCESSES, Lang, end_text, name_of, pick, short_effect, short_text
from ippon.economics.words import say

WIDTH, NAMES, VALUES, TOP, ROW = 680, 196, 74, 56, 34
BARS_SHOWN = 12
Step = tuple[str, Fraction, str]
"""What changes, by how many yen, and the change as printed."""


def whole_waterfall(case: Case, lang: Lang) -> Canvas:
    """One broker: AsIs, what each process saves, ToBe."""
    rows = [row for row in case.one if row.process and row.kind is None]
    steps = [
        (pick(PROCESSES[row.process], lang), row.exact.effect, short_effect(row.shown.effect, row.shown.sign))
        for row in rows
        if row.process
    ]
    return _waterfall("waterfall", say("waterfall", lang), case.one[-1], steps, lang)


def process_waterfall(case: Case, process: Process, lang: Lang) -> Canvas:
    """#04-3② to #04-6②: AsIs of a process, what falls away, what comes instead, ToBe."""
    steps = []
    for item in case.items:
        line = item.line
        if line.process is process and line.yen:
            change = line.yen if line.era == "tobe" else -line.yen
            steps.append((name_of(line.name, lang), change, short_effect(item.shown.effect, item.shown.sign)))
    [row] = [row for row in case.one if row.process is process and row.kind is None]
    title = f"{pick(PROCESSES[process], lang)}: {say('waterfall_of', lang)}"
    return _waterfall(f"waterfall-{process}", title, row, steps, lang)


def tornado_chart(case: Case, lang: Lang) -> Canvas:
    """The assumptions whose ranges move one broker's saving most."""
    bars = case.tornado[:BARS_SHOWN]
    base = case.exact_one.saving
    ends = [end for bar in bars for end in (bar.saving_at_low, bar.saving_at_high)] + [base]
    canvas = Canvas("tornado", width=WIDTH, height=TOP + ROW * max(len(bars), 1) + 64, title=say("tornado_title", lang))
    places = _places(min(ends), max(ends), left=NAMES + 74, right=WIDTH - 74)
    bottom = _axis(canvas, places, len(bars), say("tornado_title", lang), say("saving_axis", lang))
    for number, bar in enumerate(bars):
        _tornado_row(canvas, places, bar, base, y=TOP + ROW * number, lang=lang)
    x = places.at(base / MILLION)
    canvas.line([(x, TOP - 4), (x, bottom)], width=1.6)
    for left, fill, name in ((NAMES, ASIS, "at_low"), (NAMES + 170, TOBE, "at_high")):
        canvas.rect(left, bottom + 30, 14, 12, fill)
        canvas.text(left + 20, bottom + 40, say(name, lang), size=11)
    return canvas


def _tornado_row(canvas: Canvas, places: Scale, bar: Bar, base: Fraction, *, y: float, lang: Lang) -> None:
    _name(canvas, name_of(bar.name, lang), y)
    ends = sorted(((bar.saving_at_low, bar.low, ASIS), (bar.saving_at_high, bar.high, TOBE)), key=lambda end: end[0])
    for saving, _, fill in ends:
        left, right = sorted((places.at(saving / MILLION), places.at(base / MILLION)))
        canvas.rect(left, y + 6, right - left, 18, fill)
    lowest, highest = (places.at(saving / MILLION) for saving, _, _ in ends)
    middle = places.at(base / MILLION)
    canvas.text(min(lowest, middle) - 5, y + 19, end_text(bar.name, ends[0][1], lang), size=10, anchor="end", halo=True)
    canvas.text(max(highest, middle) + 5, y + 19, end_text(bar.name, ends[1][1], lang), size=10, halo=True)


def _waterfall(key: str, title: str, total: Row, steps: Sequence[Step], lang: Lang) -> Canvas:
    canvas = Canvas(key, width=WIDTH, height=TOP + ROW * (len(steps) + 2) + 44, title=title)
    level, levels = total.exact.asis, [Fraction(0), total.exact.asis]
    for _, change, _ in steps:
        level += change
        levels.append(level)
    places = _places(min(levels), max(levels), left=NAMES + 12, right=WIDTH - VALUES - 12)
    _axis(canvas, places, len(steps) + 2, title, say("axis_cost", lang))
    _step(canvas, places, say("asis", lang), (Fraction(0), total.exact.asis), short_text(total.shown.asis), ASIS, 0)
    level = total.exact.asis
    for number, (name, change, text) in enumerate(steps, start=1):
        fill = SAVED if change <= 0 else ADDED
        _step(canvas, places, name, (level, level + change), text, fill, number)
        x, y = places.at(level / MILLION), TOP + ROW * number
        canvas.line([(x, y - ROW + 27), (x, y + 6)], colour=SOFT, dash="2 2")
        level += change
    last = len(steps) + 1
    x = places.at(level / MILLION)
    canvas.line([(x, TOP + ROW * last - ROW + 27), (x, TOP + ROW * last + 6)], colour=SOFT, dash="2 2")
    _step(canvas, places, say("tobe", lang), (Fraction(0), level), short_text(total.shown.tobe), TOBE, last)
    return canvas


def _step(
    canvas: Canvas, places: Scale, name: str, span: tuple[Fraction, Fraction], text: str, fill: Fill, number: int
) -> None:
    y = TOP + ROW * number
    _name(canvas, name, y, bold=fill in (ASIS, TOBE))
    left, right = sorted(places.at(one / MILLION) for one in span)
    canvas.rect(left, y + 6, right - left, 21, fill)
    canvas.text(WIDTH - 12, y + 21, text, anchor="end", bold=True)


def _places(low: Fraction, high: Fraction, *, left: float, right: float) -> Scale:
    if low == high:
        low, high = low - MILLION, high + MILLION
    return Scale(low / MILLION, high / MILLION, start=left, end=right)


def _axis(canvas: Canvas, places: Scale, rows: int, title: str, unit: str) -> float:
    """Title, upright lines with their figures; returns where the rows end."""
    bottom = TOP + ROW * rows + 4
    canvas.text(12, 22, title, size=14, bold=True)
    canvas.text(12, 42, unit, size=11, colour=SOFT)
    digits = 0 if places.step.denominator == 1 else 1 if (places.step * 10).denominator == 1 else 3
    for tick in places.ticks:
        x = places.at(tick)
        canvas.line([(x, TOP), (x, bottom)], colour=INK if tick == 0 else LINE)
        canvas.text(x, bottom + 16, _tick(tick, digits), size=11, anchor="middle")
    return bottom


def _tick(tick: Fraction, digits: int) -> str:
    value: Decimal = million(tick * MILLION, digits)
    return short_text(value)


def _name(canvas: Canvas, name: str, y: float, *, bold: bool = False) -> None:
    size = 12 if text_width(name, 12, bold=bold) <= NAMES - 14 else 11
    lines = wrapped(name, NAMES - 14, size)
    first = y + 21 - 7 * (len(lines) - 1)
    for number, line in enumerate(lines):
        canvas.text(NAMES - 6, first + 14 * number, line, size=size, anchor="end", bold=bold)
