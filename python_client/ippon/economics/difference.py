"""Where the report differs from itself: what it prints, what is exact, and why. Every figure here is computed."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from ippon.economics.exact import MILLION, half_up, text_of
from ippon.economics.labour import MINUTES_PER_HOUR, formula, labour_yen
from ippon.economics.model import Cost, Kind, Line, Process, cost, industry, lines
from ippon.economics.parameters import REPORT
from ippon.economics.printed import LEFT_OUT
from ippon.economics.simulate import break_even, drawn_break_even, simulation

OKU = 100_000_000
OVERVIEW_REGISTER_YEN = 1_984
"""Registering investors on #04-1, a business day; #04-5② has 3,306."""
OVERVIEW_PAY_YEN = 19_625
"""Confirming and paying on #04-1, a business day; #04-6② has 19,626."""


class Words(NamedTuple):
    """The same in both languages."""

    en: str
    ja: str


@dataclass(frozen=True)
class Difference:
    """One place: its page, the figure printed, the exact one, and why they differ."""

    page: str
    what: Words
    printed: str
    exact: str
    why: Words


def differences() -> tuple[Difference, ...]:
    """All of them, in the report's order."""
    found = lines(REPORT)
    return (
        *_overview(),
        _look_up(found),
        *_rounded_rows(found),
        _chart(found),
        _investors(found),
        *_break_evens(),
        *_labour(),
    )


def _overview() -> list[Difference]:
    register, pay = REPORT.register_yen, REPORT.pay_yen
    days = REPORT.business_days
    return [
        Difference(
            "#04-1, #04-5②",
            Words("registering investors, yen a day", "投資家登録・更新の事務コスト(円/日)"),
            f"{OVERVIEW_REGISTER_YEN:,}",
            _yen(register),
            Words(
                "#04-1 prints three times the 661 of 15 minutes, so 45; #04-5② counts 75 minutes. The totals use "
                f"#04-5②; with #04-1's figure AsIs would be {_yen(days * (register - OVERVIEW_REGISTER_YEN))} less.",
                "#04-1は661円(15分)の3倍で45分相当、#04-5②は75分で計算。総計は#04-5②による。#04-1の値ならAsIsは年"
                f"{_yen(days * (register - OVERVIEW_REGISTER_YEN))}円少ない。",
            ),
        ),
        Difference(
            "#04-1, #04-6②",
            Words("confirming and paying, yen a day", "決済確認・振込の事務コスト(円/日)"),
            f"{OVERVIEW_PAY_YEN:,}",
            _yen(pay),
            Words(
                "One yen apart on two pages; the report does not say why. The totals use #04-6②. The yen makes "
                f"{_yen(days * (pay - OVERVIEW_PAY_YEN))} yen a year and changes no printed figure.",
                "2つのページで1円違い、理由の記載はない。総計は#04-6②による。年"
                f"{_yen(days * (pay - OVERVIEW_PAY_YEN))}円の差で、表示桁には影響しない。",
            ),
        ),
    ]


def _look_up(found: tuple[Line, ...]) -> Difference:
    exact, printed = cost(found), _without(found)
    fee = _yen(exact.tobe - printed.tobe)
    return Difference(
        "#04-2①",
        Words("total of one broker: ToBe, effect", "1社あたり総計: ToBe、効果"),
        "19.6, ▲100.2",
        f"{_million(exact.tobe)}, ▲{_million(exact.saving)}",
        Words(
            f"The ¥100 id look-up ({fee} yen a year) prints as 0.0 (#04-5② *4) and is left out of the total: the "
            f"report adds {_million(printed.tobe)} and ▲{_million(printed.saving)}. With it the effect would print "
            "▲100.1.",
            f"投資家ID参照の100円(年{fee}円)は0.0と表記され(#04-5② *4)、総計に含まれない。レポートの合計は"
            f"{_million(printed.tobe)}と▲{_million(printed.saving)}。含めると効果は▲100.1と表記される。",
        ),
    )


def _rounded_rows(found: tuple[Line, ...]) -> list[Difference]:
    total = industry(cost(found), REPORT)
    transfer = industry(cost(found, process=Process.TRANSFER), REPORT)
    return [
        Difference(
            "#04-2②",
            Words("15 brokers, ST transfer: AsIs", "15社 ST移転: AsIs"),
            "173.7",
            _million(transfer.asis),
            Words(
                "168.8 + 4.9, rounded rows added; the exact sum would print 173.6.",
                "四捨五入済みの168.8+4.9の合計。正確な合計なら173.6。",
            ),
        ),
        Difference(
            "#04-2②",
            Words("15 brokers, total: AsIs, effect", "15社 総計: AsIs、効果"),
            "1,796.8, ▲1,502.4",
            f"{_million(total.asis)}, ▲{_million(total.saving)}",
            Words(
                "The table for 15 brokers adds rounded rows; one broker's table does not. 15 times one broker would "
                "print 1,796.7. Without the look-up 15 × ▲100.157665 is "
                f"▲{_million(15 * _without(found).saving)}, which also prints ▲1,502.4.",
                "15社の表は四捨五入済みの行の合計(1社の表は正確な値から)。1社×15なら1,796.7。ID参照を除く15×▲100.157665は"
                f"▲{_million(15 * _without(found).saving)}で、これも▲1,502.4と表記される。",
            ),
        ),
    ]


def _chart(found: tuple[Line, ...]) -> Difference:
    exact, printed = industry(cost(found), REPORT), industry(_without(found), REPORT)
    return Difference(
        "#04-2②",
        Words("15 brokers, total: ToBe", "15社 総計: ToBe"),
        "294.4 / 294.3",
        _million(exact.tobe),
        Words(
            "The table adds rounded rows (225.0 + 33.8 + 1.8 + 33.8 = 294.4); the chart beside it has 15 × 19.6225 = "
            f"{_million(printed.tobe)}, which prints 294.3. Both leave out the look-up.",
            f"表は四捨五入済みの行の合計(225.0+33.8+1.8+33.8=294.4)、横のグラフは15×19.6225={_million(printed.tobe)}"
            "で294.3。いずれもID参照を含まない。",
        ),
    )


def _investors(found: tuple[Line, ...]) -> Difference:
    one = cost(found, process=Process.INVESTORS)
    all_ = industry(one, REPORT)
    printed = cost([line for line in found if line.name != LEFT_OUT], process=Process.INVESTORS)
    return Difference(
        "#04-2①, #04-2②, #04-5③",
        Words("investors: effect of one broker, of 15", "投資家管理: 1社の効果、15社の効果"),
        "▲0.9, ▲12.8",
        f"▲{_million(one.saving)}, ▲{_million(all_.saving)}",
        Words(
            "Effects are differences of the printed figures: 1.0 − 0.1 and 14.6 − 1.8. Exact figures, even without the "
            f"look-up ({_million(printed.saving)}), would print ▲0.8 and ▲12.7.",
            f"効果は表示値の差(1.0−0.1、14.6−1.8)。正確な値では、ID参照を除いても({_million(printed.saving)})"
            "▲0.8、▲12.7と表記される。",
        ),
    )


def _break_evens() -> list[Difference]:
    balance, settled = break_even(REPORT, Process.BALANCES), break_even(REPORT, Process.FUNDS)
    drawn = drawn_break_even(simulation(REPORT, Process.BALANCES))
    if balance.volume is None or settled.volume is None or settled.share is None or drawn is None:
        raise AssertionError("the report's own parameters have both break-evens")
    return [
        _balance_break_even(balance.volume, drawn),
        Difference(
            "#04-6③",
            Words("break-even, settlements; ST balance in 億円", "損益分岐点 決済件数、ST残高(億円)"),
            "71,000; 1,600",
            f"{_rounded(settled.volume, 1)}; {_rounded(REPORT.st_balance_yen * settled.share / OKU, 1)}",
            Words(
                f"Printed to the thousand and to the hundred. {settled.first_whole:,} is the first whole count at "
                "which ToBe costs more.",
                f"千件・百億円単位の表記。ToBeが上回る最初の整数は{settled.first_whole:,}件。",
            ),
        ),
    ]


def _balance_break_even(exact: Fraction, drawn: Fraction) -> Difference:
    line = _rounded(drawn / OKU, 2)
    return Difference(
        "#04-3③",
        Words("break-even, ST balance in 億円 (100 M yen)", "損益分岐点 ST残高(億円)"),
        "74.4",
        _rounded(exact / OKU, 2),
        Words(
            f"74.4 is where the line drawn from 0 to the 100 億 point crosses (15 ÷ 20.161945 × 100 = {line}). "
            f"Comparing costs its full days at any balance above zero, so the exact root is {_yen(exact)} yen.",
            f"74.4は0と100億円の点を結ぶ線の交点(15÷20.161945×100={line})。残高照合は残高があれば全営業日分かかるため、"
            f"正確な解は{_yen(exact)}円。",
        ),
    )


def _labour() -> list[Difference]:
    return [_labour_formula(), _labour_footnote()]


def _labour_formula() -> Difference:
    made = formula(REPORT)
    names = ("compare_yen", "instruct_yen", "register_yen", "pay_yen")
    by_formula = REPORT.model_copy(update={"labour": "formula"})
    more = cost(lines(by_formula), kind=Kind.LABOUR).asis - cost(lines(REPORT), kind=Kind.LABOUR).asis
    worker = _rounded(REPORT.worker_salary_yen / REPORT.worker_yen, 1)
    checker = _rounded(REPORT.checker_salary_yen / REPORT.checker_yen, 1)
    return Difference(
        "#04-3② to #04-6②",
        Words("labour's unit costs, yen a day", "事務コスト単価(円/日)"),
        ", ".join(_yen(getattr(REPORT, name)) for name in names),
        ", ".join(_yen(made[name]) for name in names),
        Words(
            "The footnotes' minutes and rates give other unit costs than printed. 2.24 and 4.08 thousand yen an hour "
            f"are rounded themselves: 4.3 M and 7.8 M yen a year over them are {worker} and {checker} hours. The "
            f"printed ones are inputs here; labour=formula takes the others ({_yen(more)} yen a year more).",
            "脚注の処理時間と単価から計算すると表示と異なる。時間単価2.24千円・4.08千円自体が丸められている(年給与4.3M・7.8M"
            f"はそれぞれ{worker}時間、{checker}時間に当たる)。ここでは表示値を入力とし、labour=formulaで計算値を使う"
            f"(年{_yen(more)}円増)。",
        ),
    )


def _labour_footnote() -> Difference:
    minutes = REPORT.confirm_minutes + REPORT.calculate_minutes + REPORT.order_minutes
    worker = minutes * REPORT.worker_yen / MINUTES_PER_HOUR
    literal = REPORT.payees * worker + (labour_yen(REPORT, minutes) - worker)
    both = _yen(formula(REPORT)["pay_yen"])
    return Difference(
        "#04-6② *3",
        Words("paying: the footnote as written, yen a day", "決済確認・振込: 脚注どおりの計算(円/日)"),
        "19,626",
        _yen(literal),
        Words(
            "The footnote multiplies the worker's minutes by 14 payees and not the checker's. With 14 on both it is "
            f"{both}, which is the nearer one and what labour=formula takes.",
            f"脚注では作業者の時間だけが14社分。検印者も14社分とすると{both}で表示値に近く、labour=formulaはこれを使う。",
        ),
    )


def _without(found: tuple[Line, ...]) -> Cost:
    return cost([line for line in found if line.name != LEFT_OUT])


def _million(yen: Fraction) -> str:
    """In million yen, in full."""
    whole, _, rest = text_of(yen / MILLION).partition(".")
    return f"{int(whole):,}" + (f".{rest}" if rest else "")


def _yen(value: Fraction) -> str:
    return f"{half_up(value):,}"


def _rounded(value: Fraction, places: int) -> str:
    return f"{half_up(value, places):,}"
