"""Every unit cost, volume and rate of the report's section #04: name, value, unit and page.

A page is named as in the report (`#04-3②`). Values are the report's own; a settings file or `--set` changes them. Unit
costs of labour are inputs as printed; `labour: formula` computes them from minutes and hourly rates instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from ippon.economics.exact import PERCENT_PER_ONE, BasisPoints, Days, Members, Percent, Quantity
from ippon.errors import BadSettings

HOW_TO_LIST = "'ippon case --parameters' names all, with unit and page."


@dataclass(frozen=True)
class Source:
    """Where a parameter comes from: its unit, the report's page, and what it is, in English and Japanese."""

    unit: str
    page: str
    english: str
    japanese: str


@dataclass(frozen=True)
class Volumes:
    """What one broker does in a year. Yen and counts."""

    st_balance_yen: Fraction
    transfer_yen: Fraction
    transfers: Fraction
    investors: Fraction
    settlements: Fraction

    def scaled(self, share: Fraction) -> Volumes:
        """All of it at a share of its size; `Fraction(1, 5)` is 20 %."""
        return Volumes(
            st_balance_yen=self.st_balance_yen * share,
            transfer_yen=self.transfer_yen * share,
            transfers=self.transfers * share,
            investors=self.investors * share,
            settlements=self.settlements * share,
        )


class Parameters(BaseModel):
    """The assumptions of a case, for one broker and one year; the defaults are the report's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    st_balance_yen: Annotated[Quantity, Source("yen", "#04-2①, #04-3②", "ST balance", "ST取扱残高")] = Fraction(
        50_000_000_000
    )
    primary_transfer_yen: Annotated[
        Quantity, Source("yen a year", "#04-4② *1", "primary transfers", "Primary移転金額")
    ] = Fraction(12_500_000_000)
    turnover_percent: Annotated[
        Percent, Source("% of the ST balance a year", "#04-4② *1", "turnover, secondary", "回転率(Secondary)")
    ] = Fraction(20)
    secondary_transfer_yen: Annotated[
        Quantity | None,
        Source("yen a year; turnover × ST balance", "#04-4② *1", "secondary transfers", "Secondary移転金額"),
    ] = None
    unit_yen: Annotated[Quantity, Source("yen a unit", "#04-4② *3", "price of a unit", "1口あたり金額")] = Fraction(
        1_000_000
    )
    transfers: Annotated[
        Quantity | None, Source("a year; transferred yen ÷ price of a unit", "#04-2①", "ST transfers", "ST移転件数")
    ] = None
    investors: Annotated[
        Quantity | None, Source("a year; primary yen ÷ price of a unit", "#04-2①", "new investors", "新規投資家数")
    ] = None
    settlements: Annotated[
        Quantity | None, Source("a year, gross; as many as ST transfers", "#04-2①", "settlements", "資金決済件数")
    ] = None
    business_days: Annotated[Days, Source("days a year", "#04-3②", "business days", "営業日数")] = 245
    brokers: Annotated[Members, Source("firms", "#04-2②", "brokers", "業者数")] = 15
    payees: Annotated[
        Members, Source("firms, each paid every business day", "#04-6② *1", "payees of a broker", "振込先数")
    ] = 14

    custody_fee_bp: Annotated[
        BasisPoints, Source("bp of the ST balance a year", "#04-3②", "custody fee", "カストディフィ(ST預り)")
    ] = Fraction(20)
    custody_report_yen: Annotated[
        Quantity, Source("yen a business day", "#04-1", "custody report, in the fee", "カストディフィ(残高報告)")
    ] = Fraction(0)
    custody_transfer_bp: Annotated[
        BasisPoints, Source("bp of transferred yen", "#04-4②", "transfer fee", "カストディフィ(移転登録)")
    ] = Fraction(5)
    custody_investor_yen: Annotated[
        Quantity, Source("yen a business day", "#04-1", "registration, in the fee", "カストディフィ(投資家登録)")
    ] = Fraction(0)
    bank_fee_yen: Annotated[Quantity, Source("yen a bank transfer", "#04-6② *2", "bank fee", "振込手数料")] = Fraction(
        660
    )
    compare_yen: Annotated[
        Quantity, Source("yen a business day", "#04-3②", "comparing balances", "事務コスト(ST残高照合)")
    ] = Fraction(661)
    instruct_yen: Annotated[
        Quantity, Source("yen a business day", "#04-4②", "instructing transfers", "事務コスト(移転指図)")
    ] = Fraction(1_323)
    register_yen: Annotated[
        Quantity, Source("yen a business day", "#04-5②", "registering investors", "事務コスト(投資家登録・更新指図)")
    ] = Fraction(3_306)
    enter_id_yen: Annotated[
        Quantity, Source("yen a business day", "#04-5②", "entering investor ids", "事務コスト(投資家ID登録)")
    ] = Fraction(661)
    pay_yen: Annotated[
        Quantity,
        Source(
            "yen a business day with 14 payees", "#04-6②", "confirming and paying", "事務コスト(決済金額確認～振込指図)"
        ),
    ] = Fraction(19_626)

    cn_license_yen: Annotated[
        Quantity, Source("yen a year", "#04-3② *3", "node licence, fixed", "CNライセンスフィ(固定)")
    ] = Fraction(15_000_000)
    st_transfer_yen: Annotated[
        Quantity, Source("yen an ST transfer", "#04-4② *4", "node licence, ST transfer", "CNライセンスフィ(ST移転課金)")
    ] = Fraction(100)
    register_api_yen: Annotated[
        Quantity, Source("yen a business day", "#04-5②", "API, registration", "API利用料(投資家登録)")
    ] = Fraction(500)
    look_up_api_yen: Annotated[
        Quantity, Source("yen a business day", "#04-5②", "API, id look-up", "API利用料(投資家ID参照)")
    ] = Fraction(100)
    sc_license_yen: Annotated[
        Quantity, Source("yen a year", "#04-6② *4", "coin licence, fixed", "SCライセンスフィ(固定)")
    ] = Fraction(0)
    sc_transfer_yen: Annotated[
        Quantity,
        Source("yen a settlement", "#04-6②", "coin licence, coin transfer", "SCライセンスフィ(SC移転課金)"),
    ] = Fraction(100)

    labour: Annotated[
        Literal["printed", "formula"],
        Source("printed or formula", "#04-3② *2", "labour's unit costs", "事務コストの単価"),
    ] = "printed"
    worker_yen: Annotated[Quantity, Source("yen an hour", "#04-3② *2", "worker", "作業者単価")] = Fraction(2_240)
    checker_yen: Annotated[Quantity, Source("yen an hour", "#04-3② *2", "checker", "検印者単価")] = Fraction(4_080)
    worker_salary_yen: Annotated[Quantity, Source("yen a year", "#04-3② *2", "worker's salary", "作業者年給与")] = (
        Fraction(4_300_000)
    )
    checker_salary_yen: Annotated[Quantity, Source("yen a year", "#04-3② *2", "checker's salary", "検印者年給与")] = (
        Fraction(7_800_000)
    )
    compare_minutes: Annotated[Quantity, Source("minutes a day", "#04-3② *2", "comparing", "照合・作業者")] = Fraction(
        15
    )
    instruct_minutes: Annotated[Quantity, Source("minutes a day", "#04-4② *2", "instructing", "移転指図・作業者")] = (
        Fraction(30)
    )
    register_minutes: Annotated[Quantity, Source("minutes a day", "#04-5② *1", "registering", "登録・作業者")] = (
        Fraction(75)
    )
    enter_id_minutes: Annotated[Quantity, Source("minutes a day", "#04-5② *2", "entering ids", "ID登録・作業者")] = (
        Fraction(15)
    )
    confirm_minutes: Annotated[
        Quantity, Source("minutes a payee and day", "#04-6② *3", "confirming amounts", "金商間決済金額確認")
    ] = Fraction(20)
    calculate_minutes: Annotated[
        Quantity, Source("minutes a payee and day", "#04-6② *3", "calculating amounts", "宛先毎送金金額計算")
    ] = Fraction(10)
    order_minutes: Annotated[
        Quantity, Source("minutes a payee and day", "#04-6② *3", "ordering transfers", "振込指図")
    ] = Fraction(2)
    checking_percent: Annotated[
        Percent, Source("% of the worker's minutes", "#04-3② *2", "checker's time", "検印者の処理時間割合")
    ] = Fraction(10)

    @model_validator(mode="after")
    def _counts_need_a_price(self) -> Self:
        if not self.unit_yen and (self.transfers is None or self.investors is None):
            raise PydanticCustomError("unit_yen", "must be more than 0 where transfers and investors come from it", {})
        return self

    @model_validator(mode="after")
    def _no_idle_labour(self) -> Self:
        told = [name for name in SALARIES if getattr(self, name) != type(self).model_fields[name].default]
        if told:
            text = "is what the report's hourly rate was made from and changes nothing: set worker_yen or checker_yen"
            raise PydanticCustomError("idle_salary", text, {"name": told[0]})
        idle = sorted(name for name in LABOUR if getattr(self, name) != type(self).model_fields[name].default)
        if idle and self.labour == "printed":
            raise PydanticCustomError(
                "idle_labour", "changes nothing while 'labour' is 'printed': set labour to 'formula'", {"name": idle[0]}
            )
        return self

    @property
    def volumes(self) -> Volumes:
        """The volumes, those worked out that were not given."""
        secondary = self.secondary_transfer_yen
        if secondary is None:
            secondary = self.st_balance_yen * self.turnover_percent / PERCENT_PER_ONE
        transferred = self.primary_transfer_yen + secondary
        transfers = transferred / self.unit_yen if self.transfers is None else self.transfers
        return Volumes(
            st_balance_yen=self.st_balance_yen,
            transfer_yen=transferred,
            transfers=transfers,
            investors=self.primary_transfer_yen / self.unit_yen if self.investors is None else self.investors,
            settlements=transfers if self.settlements is None else self.settlements,
        )

    @property
    def bank_transfers(self) -> int:
        """Bank transfers a year: every payee on every business day (3,430)."""
        return self.business_days * self.payees


LABOUR = (
    *("worker_yen", "checker_yen", "checking_percent"),
    *("compare_minutes", "instruct_minutes", "register_minutes", "enter_id_minutes"),
    *("confirm_minutes", "calculate_minutes", "order_minutes"),
)
SALARIES = ("worker_salary_yen", "checker_salary_yen")
REPORT = Parameters()


def source_of(name: str) -> Source:
    """Unit, page and words of a parameter."""
    return next(one for one in Parameters.model_fields[name].metadata if isinstance(one, Source))


def read_parameters(given: Mapping[str, object], *, where: str, base: Parameters = REPORT) -> Parameters:
    """The base with what is given instead. Raises: BadSettings, which names the parameter and says what to do."""
    for name in given:
        if name not in Parameters.model_fields:
            near = get_close_matches(str(name), Parameters.model_fields, n=3, cutoff=0.5)
            meant = f" Did you mean {' or '.join(near)}?" if near else ""
            raise BadSettings(f"There is no parameter '{name}'.{meant} {HOW_TO_LIST}", where=where, field=str(name))
    changed = {name: getattr(base, name) for name in base.model_fields_set} | dict(given)
    try:
        return Parameters.model_validate(changed)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else _culprit(first["type"], first.get("ctx", {}))
        unit = source_of(name).unit if name in Parameters.model_fields else ""
        raise BadSettings(f"{name} ({unit}): {first['msg']}. {HOW_TO_LIST}", where=where, field=name) from error


def _culprit(kind: str, context: Mapping[str, object]) -> str:
    """The parameter that a check of several is about."""
    return str(context.get("name", kind))
