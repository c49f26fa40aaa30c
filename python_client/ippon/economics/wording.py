"""English and Japanese words of the business case, and how its figures are written."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from ippon.economics.exact import PERCENT_PER_ONE, half_up, text_of
from ippon.economics.model import Cost, Era, Kind, Process
from ippon.economics.parameters import Parameters, source_of
from ippon.economics.printed import Headline

Lang = Literal["en", "ja"]
OKU = 100_000_000
SAVING = "▲"
LONGEST = 100_000
"""The figure from which on charts have no room for all digits."""

PROCESSES: Mapping[Process, tuple[str, str]] = {
    Process.BALANCES: ("Balances", "残高管理"),
    Process.TRANSFER: ("ST transfer", "ST移転"),
    Process.INVESTORS: ("Investors", "投資家管理"),
    Process.FUNDS: ("Funds", "資金決済"),
}
KINDS: Mapping[Kind, tuple[str, str]] = {
    Kind.EXTERNAL: ("external", "外部委託/利用コスト"),
    Kind.LABOUR: ("clerical", "事務コスト"),
}
ERAS: Mapping[Era, tuple[str, str]] = {Era.ASIS: ("AsIs", "AsIs"), Era.TOBE: ("ToBe", "ToBe(想定)")}
AXES: Mapping[Process, tuple[str, str]] = {
    Process.BALANCES: ("ST balance, 億円 (100 M yen)", "ST残高:億円"),
    Process.TRANSFER: ("ST transfers a year", "ST移転件数:件"),
    Process.INVESTORS: ("New investors a year", "新規投資家数:人"),
    Process.FUNDS: ("Settlements a year", "決済件数:件"),
}


UNITS_JA: Mapping[str, str] = {
    "yen": "円",
    "yen a year": "円/年",
    "% of the ST balance a year": "%(ST取扱残高に対し、年間)",
    "yen a year; turnover × ST balance": "円/年、回転率×ST取扱残高",
    "yen a unit": "円/口",
    "a year; transferred yen ÷ price of a unit": "件/年、移転金額÷1口あたり金額",
    "a year; primary yen ÷ price of a unit": "人/年、Primary移転金額÷1口あたり金額",
    "a year, gross; as many as ST transfers": "件/年(グロス)、ST移転件数と同数",
    "days a year": "日/年",
    "firms": "社",
    "firms, each paid every business day": "社、毎営業日に振込",
    "bp of the ST balance a year": "bp(ST取扱残高に対し、年間)",
    "yen a business day": "円/営業日",
    "yen a business day with 14 payees": "円/営業日(振込先14社)",
    "bp of transferred yen": "bp(移転金額に対し)",
    "yen a bank transfer": "円/振込",
    "yen an ST transfer": "円/ST移転",
    "yen a settlement": "円/決済",
    "printed or formula": "printed(表示値)またはformula(計算値)",
    "yen an hour": "円/時間",
    "minutes a day": "分/日",
    "minutes a payee and day": "分/振込先・日",
    "% of the worker's minutes": "%(作業者の処理時間に対し)",
}


def unit_of(parameter: str, lang: Lang) -> str:
    """A parameter's unit."""
    unit = source_of(parameter).unit
    return unit if lang == "en" else UNITS_JA[unit]


def pick(words: tuple[str, str], lang: Lang) -> str:
    """One of the two languages."""
    return words[0] if lang == "en" else words[1]


def name_of(parameter: str, lang: Lang) -> str:
    """What a parameter is called."""
    source = source_of(parameter)
    return source.english if lang == "en" else source.japanese


def figure_text(value: Decimal) -> str:
    """A figure as printed: `1,796.8`."""
    return f"{value:,}"


def short_text(value: Decimal) -> str:
    """A figure in the little room that charts have: as printed, or `1.00e+12` when it is a large one."""
    return figure_text(value) if abs(value) < LONGEST else f"{value:.2e}"


def short_effect(value: Decimal, sign: int) -> str:
    """An effect in little room."""
    return ("", "+", SAVING)[sign] + short_text(abs(value))


def effect_text(value: Decimal, sign: int, *, plus: str = "+") -> str:
    """An effect as printed: ▲ below zero, `+` above; the sign is the exact figure's, so that ▲0.0 stays one."""
    return ("", plus, SAVING)[sign] + figure_text(abs(value))


def exact_text(value: Fraction, *, plus: str = "") -> str:
    """An amount in full, with separators: `-13,800`, `0.0005`; `≈1,401.86` when no decimal says it in full."""
    text = text_of(value)
    if "/" in text:
        return f"≈{half_up(value, 2):,}"
    whole, point, rest = text.partition(".")
    grouped = f"{int(whole):,}" if whole not in ("-0", "") else whole
    return (plus if value > 0 else "") + grouped + point + rest


def yen_text(value: Fraction) -> str:
    """Yen, rounded to whole ones for reading."""
    return f"{half_up(value):,}"


def volume_text(process: Process, volume: Fraction) -> str:
    """A volume on its process's axis: whole, ST balances in 億円."""
    per = OKU if process is Process.BALANCES else 1
    scaled = volume / per
    return f"{half_up(scaled, 0 if scaled.denominator == 1 else 1):,}"


def percent_text(share: Fraction) -> str:
    """A share in percent."""
    return f"{half_up(share * PERCENT_PER_ONE, 1):,} %"


def value_text(parameters: Parameters, name: str) -> str:
    """A parameter's value; one that was not given is worked out from others."""
    value = getattr(parameters, name)
    if value is None:
        worked_out = parameters.volumes
        secondary = worked_out.transfer_yen - parameters.primary_transfer_yen
        value = secondary if name == "secondary_transfer_yen" else getattr(worked_out, name)
        return f"({exact_text(value)})"
    return value if isinstance(value, str) else exact_text(Fraction(value))


def headline_text(found: Headline, exact: Cost, lang: Lang) -> str:
    """`119.8 → 19.6: ▲100 million yen a year (▲84 %)`, and the exact saving."""
    sign = (exact.effect > 0) - (exact.effect < 0)
    effect = effect_text(found.effect, sign)
    percent = "" if found.percent is None else f" ({effect_text(found.percent, sign)} %)"
    whole = ("", "+", SAVING)[sign] + exact_text(abs(exact.effect))
    before, after = figure_text(found.asis), figure_text(found.tobe)
    return pick(
        (
            f"{before} → {after}: net {effect} million yen a year{percent}; exactly {whole} yen",
            f"{before} → {after}: ネット効率化効果 {effect}百万円/年{percent}、正確には{whole}円",
        ),
        lang,
    )


def end_text(name: str, value: Fraction, lang: Lang) -> str:
    """An end of a parameter's range in little room: `¥10 bn`, `100億円`, `25 bp`, `14`."""
    unit = name.rpartition("_")[2]
    if unit in ("bp", "percent"):
        return exact_text(value) + {"bp": " bp", "percent": " %"}[unit]
    sizes = (("¥", 10**9, " bn"), ("¥", 10**6, " M")) if lang == "en" else (("", OKU, "億円"), ("", 10**4, "万円"))
    for before, size, after in sizes if unit == "yen" else ():
        if value >= size:
            return before + _end(value / size) + after
    if unit == "yen":
        return pick((f"¥{_end(value)}", f"{_end(value)}円"), lang)
    return _end(value)


def _end(value: Fraction) -> str:
    figure = half_up(value, 1)
    return exact_text(Fraction(figure)) if figure < LONGEST * 10 else short_text(figure)
