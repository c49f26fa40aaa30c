"""The settings file of a business case: other parameters, ranges of assumptions, prices that no fill tells.

    parameters:                       # any of 'ippon case --parameters'; what is not named is the report's
      custody_fee_bp: 15
    ranges:                           # for the tornado and the Monte Carlo
      custody_fee_bp: {low: 10, high: 25}
    spread_percent: 20                # the tornado's range of whatever 'ranges' does not name
    monte_carlo: {seed: 20220401, draws: 1000}
    network:                          # for --from-network
      unit_prices_yen: {ZA101: 1000000}

Raises everywhere: BadSettings, which names the key and says what to do.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, PlainSerializer, PlainValidator, ValidationError
from pydantic_core import PydanticCustomError

from ippon.economics.exact import Percent, Quantity, number, read_exact
from ippon.economics.parameters import REPORT, Parameters, read_parameters
from ippon.errors import BadSettings
from ippon.model.base import LedgerId

DEFAULT_FILE = Path(__file__).with_name("settings.yaml")
MAX_DRAWS = 20_000
MAX_FILE_BYTES = 1_000_000

Bound = Annotated[Any, PlainValidator(read_exact), PlainSerializer(number, return_type=int | str)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Range(_Entry):
    """The lowest and the highest value of an assumption, in the parameter's unit."""

    low: Bound
    high: Bound


def _up_to(limit: int, what: str) -> PlainValidator:
    def check(value: object) -> int:
        found = read_exact(value)
        if found.denominator != 1 or not 1 <= found <= limit:
            text = "must be a whole number of {what} from 1 to {limit}, but is {value}"
            raise PydanticCustomError("whole", text, {"what": what, "limit": f"{limit:,}", "value": str(value)[:80]})
        return int(found)

    return PlainValidator(check)


class MonteCarloSettings(_Entry):
    """How many draws, and from which seed: the same seed, the same figures."""

    seed: Annotated[int, _up_to(2**63 - 1, "the seed")] = 20_220_401
    draws: Annotated[int, _up_to(MAX_DRAWS, "draws")] = 1_000


class NetworkSettings(_Entry):
    """What the ledger does not tell. `unit_prices_yen`: yen a unit, by security code."""

    unit_prices_yen: dict[LedgerId, Quantity] = {}


class CaseSettings(_Entry):
    """A whole file; `where` is its path."""

    parameters: dict[str, Any] = {}
    ranges: dict[str, Range] = {}
    spread_percent: Percent = read_exact(20)
    monte_carlo: MonteCarloSettings = MonteCarloSettings()
    network: NetworkSettings = NetworkSettings()
    where: str = ""

    def applied(self, base: Parameters = REPORT) -> Parameters:
        """The base with the file's parameters."""
        return read_parameters(self.parameters, where=self.where, base=base)

    def around(self, parameters: Parameters, *, without: Collection[str] = ()) -> CaseSettings:
        """Only the ranges that hold the parameter's own value: ours were made for the report's, not for any."""
        kept = {}
        for name, one in self.ranges.items():
            value = getattr(parameters, name, None)
            if name not in without and value is not None and one.low <= value <= one.high:
                kept[name] = one
        return self.model_copy(update={"ranges": kept})

    def check_ranges(self, base: Parameters) -> None:
        """Refuse a range whose ends are no values of its parameter, or stand the wrong way round."""
        for name, one in self.ranges.items():
            for end, value in (("low", one.low), ("high", one.high)):
                try:
                    read_parameters({name: value}, where=self.where, base=base)
                except BadSettings as error:
                    text = f"In the range of {name}, {end}: {error.message}"
                    raise BadSettings(text, where=self.where, field=f"ranges.{name}.{end}") from error
            if one.low > one.high:
                text = f"The range of {name} goes from {one.low} down to {one.high}: swap 'low' and 'high'."
                raise BadSettings(text, where=self.where, field=f"ranges.{name}")


class _Loader(yaml.SafeLoader):
    """YAML without floats, and without a key that stands twice."""


def _decimal(_: yaml.SafeLoader, node: yaml.ScalarNode) -> Decimal | str:
    try:
        return Decimal(node.value)
    except InvalidOperation:
        return str(node.value)


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    keys = [key.value for key, _ in node.value]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise yaml.YAMLError(f"the key '{twice}' stands there twice: keep one of them")
    loader.flatten_mapping(node)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor("tag:yaml.org,2002:float", _decimal)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def load_settings(path: Path = DEFAULT_FILE) -> CaseSettings:
    """Read a settings file. Raises: BadSettings."""
    where = str(path)
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise BadSettings(f"{path} is larger than {MAX_FILE_BYTES:,} bytes: that is no settings file.", where=where)
        # A SafeLoader: it makes nothing but plain values.
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise BadSettings(f"{path} cannot be read: {error}", where=where) from error
    if content is None:
        content = {}
    if not isinstance(content, dict):
        raise BadSettings(f"{path} must hold keys such as 'parameters' and 'ranges'.", where=where)
    try:
        return CaseSettings.model_validate({key: _or_empty(value) for key, value in content.items()} | {"where": where})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        known = ", ".join(name for name in CaseSettings.model_fields if name != "where")
        hint = f" A settings file has: {known}." if first["type"] == "extra_forbidden" else ""
        raise BadSettings(f"{field}: {_sentence(first['msg'])}.{hint}", where=where, field=field) from error


def _or_empty(value: object) -> object:
    """A heading with nothing under it is an empty one."""
    return {} if value is None else value


def _sentence(message: str) -> str:
    return {
        "Extra inputs are not permitted": "there is no such key",
        "Field required": "is missing",
        "Keys should be strings": "must be text",
    }.get(message, message)
