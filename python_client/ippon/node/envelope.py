"""Decoding of answers: the same JSON comes through both doors, and the same errors go up from it."""

import json
import re
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from ippon.errors import BadAnswer, BadRequest, IpponError
from ippon.model import Row
from ippon.node.protocol import MAX_WAIT_MILLIS, Finished

AnyRow = TypeVar("AnyRow", bound=Row)
_NAME = re.compile(r"[a-z_]{1,64}")


def decode(text: str | bytes, *, where: str) -> dict[str, Any]:
    """The answer's JSON object; raises the error that it carries, or BadAnswer when it is no JSON object."""
    try:
        answer = json.loads(text, parse_float=_no_floats)
    except ValueError as problem:
        raise BadAnswer(f"The answer is not JSON: {problem}", where=where, detail=_head(text)) from problem
    if not isinstance(answer, dict):
        raise BadAnswer("The answer is not a JSON object.", where=where, detail=_head(text))
    # A flow's own refusal stands beside its client id and is no error of the call.
    if "error" in answer and "client_id" not in answer:
        raise IpponError.from_wire(answer["error"]).at(where)
    return answer


def encode(value: object) -> str:
    """JSON of a request; floats are refused (law 12)."""
    _refuse_floats(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def read(kind: type[AnyRow], answer: Mapping[str, Any], *, where: str) -> AnyRow:
    """The answer as a typed value; BadAnswer names what does not fit."""
    try:
        return kind.model_validate(answer)
    except ValidationError as problem:
        first = problem.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise BadAnswer(
            f"The answer is no {kind.__name__}: {field} {first['msg']}", where=where, field=field
        ) from problem


def read_finished(answer: Mapping[str, Any], *, where: str) -> list[Finished]:
    """The list of `finished`."""
    return [read(Finished, flow, where=where) for flow in _list(answer, "flows", where)]


def read_flag(answer: Mapping[str, Any], name: str, *, where: str) -> bool:
    """A named boolean."""
    value = answer.get(name)
    if not isinstance(value, bool):
        raise BadAnswer(f"The answer must say '{name}' as true or false.", where=where, field=name)
    return value


def read_integer(answer: Mapping[str, Any], name: str, *, where: str) -> int:
    """A named integer."""
    value = answer.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadAnswer(f"The answer must say '{name}' as an integer.", where=where, field=name)
    return value


def known(name: str) -> str:
    """The name of an operation or a query, as both doors can carry it. Raises: BadRequest."""
    if not _NAME.fullmatch(name):
        raise BadRequest("The name of an operation or query must be 1 to 64 of a-z and _.", field="name")
    return name


def checked_wait(wait_millis: int) -> int:
    """A wait that both doors take. Raises: ValueError."""
    if not 0 <= wait_millis <= MAX_WAIT_MILLIS:
        raise ValueError(f"wait_millis must be 0 to {MAX_WAIT_MILLIS}, but is {wait_millis}")
    return wait_millis


def _list(answer: Mapping[str, Any], name: str, where: str) -> list[dict[str, Any]]:
    value = answer.get(name)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise BadAnswer(f"The answer must say '{name}' as a list of objects.", where=where, field=name)
    return value


def _no_floats(text: str) -> Any:
    raise ValueError(f"{text} is not an integer, and no figure here may be anything else")


def _refuse_floats(value: object) -> None:
    if isinstance(value, float):
        raise TypeError(f"{value!r} is a float; money and quantities are integers, prices are strings")
    if isinstance(value, Mapping):
        for item in value.values():
            _refuse_floats(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_floats(item)


def _head(text: str | bytes) -> str:
    return (text.decode("utf-8", "replace") if isinstance(text, bytes) else text)[:200]
