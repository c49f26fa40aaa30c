"""What a checked invariant says."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel

from ippon.report.ledger import Violation

MAX_VIOLATIONS_SHOWN = 10

TITLES = {
    "I1": ("Coins outstanding = issued − redeemed = yen in trust", "SC発行残高 = 発行 − 償還 = 信託口座の金銭"),
    "I2": ("Units per security are constant but for issue", "銘柄ごとの口数は発行以外で増減しない"),
    "I3": (
        "An execution settles at most once; consumed means settled or busted",
        "約定は一度だけ決済され、消費は決済か取消のみ",
    ),
    "I4": ("One issue of coins per trust instruction", "信託指図一件につきSC発行は一回"),
    "I5": ("No holding below zero; vaults equal their transactions", "残高は負にならず、台帳は取引の積み上げと一致"),
    "I6": ("Both legs or none, exactly as the fill says", "両方の受渡しが約定どおり同時に行われる"),
}


class Figure(BaseModel):
    """One number of a proof. `unit`: yen, units or a thing counted."""

    name: str
    label: str
    label_ja: str
    value: int
    unit: str


class ShownViolation(BaseModel):
    """A violation as reports show it."""

    culprit: str
    message: str


class InvariantResult(BaseModel):
    """Whether one invariant holds, with its figures and the first violations; `violation_count` counts all."""

    code: str
    title: str
    title_ja: str
    passed: bool
    figures: list[Figure]
    violations: list[ShownViolation]
    violation_count: int


def result(code: str, figures: Sequence[Figure], violations: Sequence[Violation]) -> InvariantResult:
    """The result of checking `code`; it holds when nothing violates it."""
    title, title_ja = TITLES[code]
    # The same thing seen on two nodes is one violation.
    distinct = list(dict.fromkeys(violations))
    shown = [ShownViolation(culprit=one.culprit, message=one.message) for one in distinct[:MAX_VIOLATIONS_SHOWN]]
    return InvariantResult(
        code=code,
        title=title,
        title_ja=title_ja,
        passed=not distinct,
        figures=list(figures),
        violations=shown,
        violation_count=len(distinct),
    )


def figure(name: str, label: str, label_ja: str, value: int, unit: str) -> Figure:
    """One figure, in a line."""
    return Figure(name=name, label=label, label_ja=label_ja, value=value, unit=unit)
