"""Upright charts: AsIs beside ToBe, a process along its volume, the draws of a Monte Carlo."""

from __future__ import annotations

from fractions import Fraction

from ippon.economics.canvas import (
    ASIS,
    BALANCES,
    FUNDS,
    INVESTORS,
    LINE,
    SOFT,
    TOBE,
    TRANSFER,
    Canvas,
    Fill,
    Scale,
    text_width,
)
from ippon.economics.case import Case
from ippon.economics.exact import MILLION, million
from ippon.economics.model import Cost, Process
from ippon.economics.printed import Headline, Row
from ippon.economics.simulate import process_cost
from ippon.economics.wording import AXES, PROCESSES, Lang, pick, short_effect, short_text, volume_text
from ippon.economics.words import all_title, marker_text, one_title, say

FILLS: dict[Process, Fill] = {
    Process.BALANCES: BALANCES,
    Process.TRANSFER: TRANSFER,
    Process.INVESTORS: INVESTORS,
    Process.FUNDS: FUNDS,
}
WIDTH, LEFT, RIGHT, TOP = 680, 70, 20, 46
COLUMNS = (178, 232, 298)
"""Where the figures beside the bars end."""


def broker_chart(case: Case, lang: Lang) -> Canvas:
    """#04-2①: one broker, AsIs and ToBe, by process."""
    return _bars("broker", one_title(case, lang), case.one, case.headline, case.exact_one, lang)


def industry_chart(case: Case, lang: Lang) -> Canvas:
    """#04-2②: all brokers."""
    return _bars("industry", all_title(case, lang), case.all, case.industry_headline, case.exact_all, lang)


def simulation_chart(case: Case, process: Process, lang: Lang) -> Canvas:
    """#04-3③ to #04-6③: AsIs and ToBe along the volume, the break-even marked."""
    title = f"{pick(PROCESSES[process], lang)}: {say('simulation', lang)}"
    canvas = Canvas(f"simulation-{process}", width=WIDTH, height=330, title=title)
    points = case.simulations[process]
    costs = [one.point.cost for one in points]
    top = max(max(cost.asis, cost.tobe) for cost in costs) or Fraction(MILLION)
    values = Scale(Fraction(0), top / MILLION, start=270, end=TOP + 16)
    _frame(canvas, values, title, lang)
    width = WIDTH - LEFT - RIGHT - 60
    places = [LEFT + 30 + width * float(one.point.share) for one in points]
    for place, one in zip(places, points, strict=True):
        canvas.line([(place, 270), (place, 274)])
        canvas.text(place, 288, volume_text(process, one.point.volume), size=11, anchor="middle")
    canvas.text(WIDTH - RIGHT, 308, pick(AXES[process], lang), size=11, anchor="end", colour=SOFT)
    _lines(canvas, values, places, costs)
    _mark(canvas, case, process, lang, values=values, start=places[0], width=width)
    _legend(canvas, [(ASIS, say("asis", lang)), (TOBE, say("tobe", lang))], x=LEFT, y=312)
    return canvas


def monte_carlo_chart(case: Case, lang: Lang) -> Canvas | None:
    """How often which yearly saving came out; None without ranges."""
    found = case.monte_carlo
    if found is None:
        return None
    canvas = Canvas("monte-carlo", width=WIDTH, height=300, title=say("monte_carlo", lang))
    counts = Scale(Fraction(0), Fraction(max(found.counts)), start=240, end=TOP + 26)
    places = Scale(found.lowest / MILLION, found.highest / MILLION, start=LEFT, end=WIDTH - RIGHT - 10)
    canvas.text(12, 22, f"{say('monte_carlo', lang)} ({say('draws', lang)})", size=14, bold=True)
    for tick in counts.ticks:
        canvas.line([(LEFT, counts.at(tick)), (WIDTH - RIGHT, counts.at(tick))], colour=LINE)
        canvas.text(LEFT - 6, counts.at(tick) + 4, f"{int(tick):,}" if tick.denominator == 1 else "", anchor="end")
    step = (found.highest - found.lowest) / len(found.counts) / MILLION
    for number, count in enumerate(found.counts):
        left = places.at(found.lowest / MILLION + number * step)
        right = places.at(found.lowest / MILLION + (number + 1) * step)
        canvas.rect(left, counts.at(Fraction(count)), right - left, 240 - counts.at(Fraction(count)), ASIS)
    for tick in places.ticks:
        canvas.text(places.at(tick), 258, short_text(million(tick * MILLION, 0)), size=11, anchor="middle")
    for value, dash in ((found.tail, "4 3"), (found.median, ""), (found.upper_tail, "4 3")):
        canvas.line([(places.at(value / MILLION), TOP + 10), (places.at(value / MILLION), 240)], width=1.6, dash=dash)
    _percentiles(canvas, places, [("5 %", found.tail), ("50 %", found.median), ("95 %", found.upper_tail)])
    canvas.text(WIDTH - RIGHT, 284, say("saving_axis", lang), size=11, anchor="end", colour=SOFT)
    return canvas


def _percentiles(canvas: Canvas, places: Scale, marks: list[tuple[str, Fraction]]) -> None:
    """The marks' labels beside each other, pushed apart where they would touch."""
    edge = 0.0
    for name, value in marks:
        text = f"{name}: {short_text(million(value))}"
        wide = text_width(text, 11)
        left = max(min(places.at(value / MILLION) - wide / 2, WIDTH - RIGHT - wide), edge)
        canvas.text(left, TOP + 4, text, size=11)
        edge = left + wide + 10


def _bars(key: str, title: str, rows: tuple[Row, ...], told: Headline, exact: Cost, lang: Lang) -> Canvas:
    canvas = Canvas(key, width=WIDTH, height=330, title=title)
    parts = [row for row in rows if row.process and row.kind is None]
    top = max(exact.asis, exact.tobe, Fraction(1)) / MILLION
    values = Scale(Fraction(0), top, start=280, end=TOP + 16)
    _frame(canvas, values, title, lang, right=314)
    for left, name, figures, total in (
        (LEFT + 30, say("asis", lang), [row.exact.asis for row in parts], told.asis),
        (LEFT + 170, say("tobe", lang), [row.exact.tobe for row in parts], told.tobe),
    ):
        height = Fraction(0)
        for row, yen in zip(parts, figures, strict=True):
            if row.process and yen:
                bottom, height = height, height + yen / MILLION
                canvas.rect(left, values.at(height), 90, values.at(bottom) - values.at(height), FILLS[row.process])
        canvas.text(left + 45, values.at(height) - 6, short_text(total), size=14, anchor="middle", bold=True)
        canvas.text(left + 45, 298, name, anchor="middle")
    sign = (exact.effect > 0) - (exact.effect < 0)
    _key(canvas, parts, told, sign, lang)
    return canvas


def _key(canvas: Canvas, parts: list[Row], told: Headline, sign: int, lang: Lang) -> None:
    """The processes with their figures, and the headline under them."""
    left = WIDTH - 306
    for column, name in zip(COLUMNS, ("asis", "tobe_short", "effect_short"), strict=True):
        canvas.text(left + column, 66, say(name, lang), size=11, anchor="end", colour=SOFT)
    for number, row in enumerate(parts):
        if row.process is None:
            continue
        y = 90 + 26 * number
        canvas.rect(left, y - 11, 14, 14, FILLS[row.process])
        canvas.text(left + 20, y, pick(PROCESSES[row.process], lang))
        texts: tuple[str, ...] = (short_text(row.shown.asis), short_text(row.shown.tobe))
        texts = (*texts, short_effect(row.shown.effect, row.shown.sign))
        for column, text in zip(COLUMNS, texts, strict=True):
            canvas.text(left + column, y, text, size=11, anchor="end")
    canvas.text(left, 222, say("net", lang), colour=SOFT)
    percent = "" if told.percent is None else f" ({short_effect(told.percent, sign)} %)"
    canvas.text(left, 252, short_effect(told.effect, sign) + percent, size=22, bold=True)
    canvas.text(left, 274, say("million_a_year", lang), size=11, colour=SOFT)


def _frame(canvas: Canvas, values: Scale, title: str, lang: Lang, *, right: int = RIGHT) -> None:
    canvas.text(12, 22, title, size=14, bold=True)
    canvas.text(12, 42, say("axis_cost", lang), size=11, colour=SOFT)
    for tick in values.ticks:
        canvas.line([(LEFT, values.at(tick)), (WIDTH - right, values.at(tick))], colour=LINE)
        places = 0 if values.step.denominator == 1 else 1 if (values.step * 10).denominator == 1 else 3
        canvas.text(LEFT - 6, values.at(tick) + 4, short_text(million(tick * MILLION, places)), size=11, anchor="end")
    canvas.line([(LEFT, values.start), (WIDTH - right, values.start)])


def _lines(canvas: Canvas, values: Scale, places: list[float], costs: list[Cost]) -> None:
    asis = [(place, values.at(cost.asis / MILLION)) for place, cost in zip(places, costs, strict=True)]
    tobe = [(place, values.at(cost.tobe / MILLION)) for place, cost in zip(places, costs, strict=True)]
    canvas.line(asis, colour="#5d6b7a", width=2.5, dash="7 3")
    canvas.line(tobe, colour=TOBE.colour, width=2.5)
    for x, y in asis:
        canvas.dot(x, y, ASIS)
    for x, y in tobe:
        canvas.dot(x, y, TOBE, square=True)


def _mark(
    canvas: Canvas, case: Case, process: Process, lang: Lang, *, values: Scale, start: float, width: float
) -> None:
    """The break-even: a line where it lies, or an arrow out of the picture where it lies beyond."""
    found = case.break_evens[process]
    text = marker_text(case, process, lang)
    wide = text_width(text, 11, bold=True)
    if found.share is None or found.share > 1:
        beyond = " →" if found.share else ""
        canvas.text(WIDTH - RIGHT, 42, text + beyond, size=11, anchor="end", bold=True)
        return
    x = start + width * float(found.share)
    canvas.line([(x, 50), (x, 270)], width=1.4, dash="3 3")
    meets = process_cost(case.parameters, process, case.parameters.volumes.scaled(found.share)).tobe
    canvas.ring(x, values.at(meets / MILLION))
    canvas.text(min(max(x + 5, 150), WIDTH - RIGHT - wide), 48, text, size=11, bold=True)


def _legend(canvas: Canvas, entries: list[tuple[Fill, str]], *, x: float, y: float) -> None:
    for number, (fill, name) in enumerate(entries):
        if number:
            canvas.line([(x, y - 4), (x + 26, y - 4)], colour=TOBE.colour, width=2.5)
        else:
            canvas.line([(x, y - 4), (x + 26, y - 4)], colour="#5d6b7a", width=2.5, dash="7 3")
        canvas.dot(x + 13, y - 4, fill, square=bool(number))
        canvas.text(x + 32, y, name, size=11)
        x += 32 + text_width(name, 11) + 20
