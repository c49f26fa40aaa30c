"""Headings and sentences of the business case in English and Japanese, shared by terminal and HTML."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from ippon.economics.case import Case
from ippon.economics.exact import PERCENT_PER_ONE, half_up, million
from ippon.economics.model import Process
from ippon.economics.simulate import BreakEven
from ippon.economics.wording import OKU, Lang, figure_text, name_of, percent_text, pick

WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("The business case of one line", "証券バリューチェーン変革の定量効果算定"),
    "of_report": ("From the report's own parameters (section #04).", "レポート#04の前提条件による。"),
    "of_settings": ("From parameters other than the report's.", "レポートと異なる前提条件による。"),
    "of_network": (
        "From volumes measured on a network and the settings' costs.",
        "ネットワークの実績と設定の単価による。",
    ),
    "one": ("One broker and year, million yen{page}", "金商業者1社あたり単年効率化効果(百万円){page}"),
    "all": (
        "{brokers} brokers and a year, million yen{page}",
        "業界全体({brokers}社)の単年効率化効果(百万円){page}",
    ),
    "process": ("process", "プロセス"),
    "cost": ("cost", "コスト"),
    "asis": ("AsIs", "AsIs"),
    "tobe": ("ToBe", "ToBe(想定)"),
    "effect": ("effect", "効率化効果"),
    "exact_asis": ("exact AsIs, yen", "正確な値 AsIs(円)"),
    "exact_tobe": ("exact ToBe, yen", "正確な値 ToBe(円)"),
    "exact_effect": ("exact effect, yen", "正確な値 効果(円)"),
    "total": ("Total", "総計"),
    "rounding": (
        "Million yen are printed as in the report: half up; an effect is the difference of the two figures beside it;\n"
        "all brokers' table adds rounded rows; the ¥100 look-up is left out. Exact yen leave nothing out.",
        "百万円の値はレポートの表記どおり(四捨五入、効果は表示値の差、業界の表は四捨五入済みの行の合計、ID参照の100円は含まない)。\n"
        "正確な値(円)はすべてを含む。",
    ),
    "plain": (
        "Figures in million yen are the exact ones, each rounded half up; nothing is left out.",
        "百万円の値は正確な値を四捨五入したもので、すべての費用を含む。",
    ),
    "items": ("Every cost of one broker", "費用の内訳(1社あたり)"),
    "page": ("page", "頁"),
    "era": ("when", "時点"),
    "quantity": ("volume", "数量"),
    "unit_cost": ("unit cost", "単価"),
    "million": ("M yen", "百万円"),
    "simulation": ("simulation, million yen", "シミュレーション(百万円)"),
    "net": ("net effect", "ネット効率化効果"),
    "assumption": ("assumption", "前提条件"),
    "low": ("low", "下限"),
    "high": ("high", "上限"),
    "saving_low": ("saving at low, yen", "下限での削減額(円)"),
    "saving_high": ("saving at high, yen", "上限での削減額(円)"),
    "swing": ("swing, yen", "振れ幅(円)"),
    "tornado": (
        "Sensitivity: one broker's yearly saving at both ends of each range (* without a range: ± the spread)",
        "感応度: 各前提条件の下限・上限での1社あたり年間削減額(* 範囲の指定がなく一定割合を増減)",
    ),
    "differences": (
        "Where the report differs from itself: what it prints, what is exact, and why",
        "レポート内で値が異なる箇所: 表示値、正確な値、その理由",
    ),
    "what": ("what", "項目"),
    "printed": ("printed", "表示値"),
    "exact": ("exact", "正確な値"),
    "why": ("why", "理由"),
    "measured": (
        "Measured from {first} to {last} (Tokyo), business days: {days}, custodians: {brokers}",
        "実績: {first}～{last}(東京)、営業日{days}日、カストディアン{brokers}社",
    ),
    "custodian": ("custodian", "カストディアン"),
    "st_balance": ("ST balance, yen", "ST残高(円)"),
    "primary": ("primary, yen", "Primary移転金額(円)"),
    "secondary": ("secondary, yen", "Secondary移転金額(円)"),
    "issues": ("issues", "発行"),
    "settled": ("settlements", "決済件数"),
    "free": ("free transfers", "無償移転"),
    "new": ("new investors", "新規投資家数"),
    "payees": ("payees", "振込先数"),
    "unquiet": (
        "Something was still moving while the vaults were read.",
        "読み取り中に台帳が動いていました。",
    ),
    "parameters": ("Parameters", "前提条件"),
    "name": ("name", "名称"),
    "value": ("value", "値"),
    "unit": ("unit", "単位"),
    "monte_carlo": ("Monte Carlo", "モンテカルロ・シミュレーション"),
    "no_ranges": ("No Monte Carlo: the settings give no ranges.", "設定に範囲がないため、モンテカルロは行わない。"),
    "by_process": ("By process: what falls away and what comes instead", "プロセス別: 不要となる費用と必要コスト"),
    "simulations": ("Simulations: each process along its volume", "シミュレーション: 件数・残高ごとのコスト"),
    "sign": (
        "In the net rows a plain figure is a saving and ▲ a loss; in all other tables ▲ is a saving, as in the report.",
        "シミュレーションのネット効率化効果は正の値が削減、▲が負担増。他の表では▲が削減(いずれもレポートの表記どおり)。",
    ),
    "measured_how": (
        "Below stands an average custodian's year of days like these: flows × business days a year ÷ days measured. A\n"
        "settlement between two custodians counts at both.",
        "以下は平均的な1社が同じ日を1年続けた場合の値(件数・金額×年間営業日数÷実績日数)。カストディアン間の決済は双方で数える。",
    ),
    "draws": ("number of draws", "試行数"),
    "saving_axis": ("yearly saving of one broker, million yen", "1社あたり年間削減額(百万円)"),
    "tobe_short": ("ToBe", "ToBe"),
    "effect_short": ("effect", "効果"),
    "million_a_year": ("million yen a year", "百万円/年間"),
    "axis_cost": ("million yen a year", "百万円/年間"),
    "waterfall": ("From AsIs to ToBe, one broker", "AsIsからToBeへ(1社あたり)"),
    "waterfall_of": ("what falls away, what comes instead (one broker)", "不要となる費用と必要コスト(1社あたり)"),
    "tornado_title": ("Sensitivity: which assumption matters", "感応度: 影響の大きい前提条件"),
    "at_low": ("at the range's low end", "範囲の下限"),
    "at_high": ("at the range's high end", "範囲の上限"),
}


def say(key: str, lang: Lang) -> str:
    """A heading."""
    return pick(WORDS[key], lang)


def one_title(case: Case, lang: Lang) -> str:
    """Heading of one broker's table; the report's page stands by the report's own figures."""
    return say("one", lang).format(page=" (#04-2①)" if case.report else "")


def all_title(case: Case, lang: Lang) -> str:
    """Heading of all brokers' table."""
    page = " (#04-2②)" if case.report else ""
    return say("all", lang).format(brokers=case.parameters.brokers, page=page)


def basis_text(case: Case, lang: Lang) -> str:
    """What the case was made from."""
    return say("of_network" if case.measured else "of_report" if case.report else "of_settings", lang)


def break_even_text(case: Case, process: Process, lang: Lang) -> str:
    """Where a process breaks even, and what the report says of it."""
    found = case.break_evens[process]
    if found.volume is None:
        return _never(found, lang)
    if process is Process.BALANCES:
        exact = f"{half_up(found.volume / OKU, 2):,}"
        reported = ("; the report reads 74.4 off its line", "、レポートの表記は約74.4") if case.report else ("", "")
        return pick((f"break-even {exact} 億円{reported[0]}", f"損益分岐点 {exact}億円{reported[1]}"), lang)
    exact = f"{half_up(found.volume, 1):,}"
    text = (f"break-even {exact}", f"損益分岐点 {exact}件")
    if found.share is not None:
        oku = found.share * case.parameters.st_balance_yen / OKU
        balance = f"{half_up(oku, 0 if oku >= 100 else 2):,}"
        text = (f"{text[0]} (ST balance {balance} 億円)", f"{text[1]}(ST取扱残高{balance}億円)")
    reported = (
        ("; the report says 71,000, some 1,600 億円", "、レポートの表記は71,000件、約1,600億円")
        if case.report
        else ("", "")
    )
    return pick((text[0] + reported[0], text[1] + reported[1]), lang)


def marker_text(case: Case, process: Process, lang: Lang) -> str:
    """The break-even in a few words, for a chart."""
    found = case.break_evens[process]
    if found.volume is None:
        return _never(found, lang)
    reported = {Process.BALANCES: "74.4", Process.FUNDS: "71,000"}.get(process) if case.report else None
    exact, unit = f"{half_up(found.volume, 1):,}", ("", "件")
    if process is Process.BALANCES:
        exact, unit = f"{half_up(found.volume / OKU, 2):,}", (" 億円", "億円")
    printed = pick((f" (printed {reported})", f"(表示値 {reported})"), lang) if reported else ""
    return f"{pick(('break-even', '損益分岐点'), lang)} {exact}{pick(unit, lang)}{printed}"


def whole_text(case: Case, lang: Lang) -> str:
    """At which ST balance everything together breaks even."""
    found = case.whole
    if found.volume is None or found.share is None:
        return pick(("All four together: ", "4プロセス合計: "), lang) + _never(found, lang)
    balance, share = f"{half_up(found.volume / OKU, 2):,}", percent_text(found.share)
    return pick(
        (
            f"All four together break even at an ST balance of {balance} 億円, {share} of the volumes given.",
            f"4プロセス合計の損益分岐点: ST取扱残高 {balance}億円(前提条件の{share})",
        ),
        lang,
    )


def monte_carlo_lines(case: Case, lang: Lang) -> list[str]:
    """What the draws came to."""
    found = case.monte_carlo
    if found is None:
        return [say("no_ranges", lang)]
    names = ", ".join(name_of(name, lang) for name in found.names)
    figures = (found.lowest, found.tail, found.median, found.upper_tail, found.highest, found.mean)
    low, tail, median, upper, high, mean = (figure_text(million(one)) for one in figures)
    paying = half_up(Fraction(PERCENT_PER_ONE * found.paying, found.draws), 1)
    return [
        pick(
            (
                f"Monte Carlo: {found.draws:,} draws, seed {found.seed}; drawn evenly and independently: {names}.",
                f"モンテカルロ: 試行{found.draws:,}回、シード{found.seed}。範囲内で一様・独立に抽出: {names}。",
            ),
            lang,
        ),
        pick(
            (
                f"Yearly saving of one broker, million yen: lowest {low}, 5 % {tail}, median {median}, mean {mean}, "
                f"95 % {upper}, highest {high}; {paying} % of the draws save.",
                f"1社あたり年間削減額(百万円): 最小{low}、5%点{tail}、中央値{median}、平均{mean}、95%点{upper}、"
                f"最大{high}。{paying}%の試行で削減。",
            ),
            lang,
        ),
    ]


def _never(found: BreakEven, lang: Lang) -> str:
    if found.pays_above:
        return pick(("no break-even: ToBe is cheaper at any volume", "損益分岐点なし(常にToBeが安い)"), lang)
    return pick(("no break-even: ToBe is never cheaper", "損益分岐点なし(ToBeが安くなることはない)"), lang)
