"""Reads what Kotlin prints of a data class, such as `Settle(terms=[SettleTerm(executionId=EX-1, routeVersion=1)])`.

Ids on the ledger have no brackets and no commas, so only a free text could be read wrongly; it stands last.
"""

from __future__ import annotations

import re
from typing import Any

_NAMED = re.compile(r"[A-Za-z][\w.$]*\(")
_FIELD = re.compile(r"(\w+)=")
_PLAIN = re.compile(r"[^,()\[\]]*")
MAX_DEPTH = 8


def read_command(value: object) -> object:
    """A command's data as a dictionary with snake_case names; anything but text is left as it is."""
    if not isinstance(value, str):
        return value
    read, _ = _read(value, 0, 0)
    return read if isinstance(read, dict) else {}


def _read(text: str, at: int, depth: int) -> tuple[Any, int]:
    """The value that begins at `at`, and where it ends."""
    if depth > MAX_DEPTH:
        raise ValueError(f"a command's data is nested more than {MAX_DEPTH} deep")
    if text[at : at + 1] == "[":
        return _read_list(text, at + 1, depth)
    if named := _NAMED.match(text, at):
        return _read_fields(text, named.end(), depth)
    plain = _PLAIN.match(text, at)
    end = plain.end() if plain else at
    return text[at:end], end


def _read_list(text: str, at: int, depth: int) -> tuple[list[Any], int]:
    found: list[Any] = []
    while at < len(text) and text[at] != "]":
        value, at = _read(text, at, depth + 1)
        found.append(value)
        at = _past(text, at, ", ")
    return found, at + 1


def _read_fields(text: str, at: int, depth: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    while name := _FIELD.match(text, at):
        value, at = _read(text, name.end(), depth + 1)
        found[_snake(name[1])] = value
        at = _past(text, at, ", ")
    return found, at + 1


def _past(text: str, at: int, separator: str) -> int:
    return at + len(separator) if text.startswith(separator, at) else at


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
