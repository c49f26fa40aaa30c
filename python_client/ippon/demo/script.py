"""The script of a day (day.yaml): steps in order, and what must have come of them."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ippon.errors import BadFile
from ippon.model import DeskState, InstructionStatus, Reason, TryCause

SCRIPT_NAME = "day.yaml"
MAX_STEP_TIMEOUT_SECONDS = 3_600


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Until(_Part):
    """What must be so before the next step; all of it."""

    rows: Literal["done"] | None = None
    instructions: dict[str, dict[str, InstructionStatus]] = {}
    fills: dict[str, DeskState] = {}


class Step(_Part):
    """Files to drop, as `<member>/<file>`, and what to wait for. Balances "before" are read where trading opens."""

    title: str
    title_ja: str
    drop: tuple[str, ...]
    until: Until
    opens_trading: bool = False


class ExpectedFill(_Part):
    """How a fill ends, and what happened to it: see examples/day-1/day.yaml."""

    end: DeskState
    first: Reason | None = None
    missing: int | None = None
    woken_by: TryCause | None = None
    reason: Reason | None = None
    cause: str | None = None


class ExpectedRow(_Part):
    """A row that must not simply be accepted."""

    file: str
    line: int
    id: str
    status: Literal["refused", "duplicate"]
    code: str | None = None
    field: str | None = None


class Expectations(_Part):
    """What must have come of the day; `shortages` in yen, by member and execution id."""

    fills: dict[str, ExpectedFill]
    shortages: dict[str, dict[str, int]] = {}
    refused: tuple[ExpectedRow, ...] = ()


class Script(_Part):
    """A whole day."""

    name: str
    day: date
    session_ends: time
    step_timeout_seconds: int = Field(gt=0, le=MAX_STEP_TIMEOUT_SECONDS)
    steps: tuple[Step, ...] = Field(min_length=1)
    expect: Expectations


def load_script(folder: Path) -> Script:
    """The script of a folder of examples; BadFile says what is wrong with it."""
    path = folder / SCRIPT_NAME
    try:
        script = Script.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise BadFile(f"{path} cannot be read: {error}", where=str(path)) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadFile(f"{path}: {place}: {first['msg']}", where=str(path), field=place) from error
    for name in (name for step in script.steps for name in step.drop):
        if not (folder / name).is_file():
            raise BadFile(f"{path} drops {name}, but there is no such file in {folder}.", where=str(path), field="drop")
    return script
