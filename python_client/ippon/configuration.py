"""Configuration files: a JSON object for one pydantic model, and errors that name file and key."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ippon.errors import BadSettings

Settings = TypeVar("Settings", bound=BaseModel)


def read_configuration(path: Path, make: Callable[..., Settings]) -> Settings:
    """`make(**content)` of a JSON file; BadSettings says which key is wrong."""
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise BadSettings(f"The configuration {path} cannot be read: {problem}") from problem
    if not isinstance(content, dict):
        raise BadSettings(f"The configuration {path} must be a JSON object.")
    try:
        return make(**content)
    except ValidationError as problem:
        first = problem.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise BadSettings(f"The configuration {path}: {field} {first['msg']}", field=field or None) from problem
