"""One code per cause, the same on every side."""

from pathlib import Path

import pytest

from ippon import errors
from ippon.agent.decide import DOOR, FINAL, TRANSIENT, WORK_PASSES
from ippon.errors import (
    BadAnswer,
    BadRequest,
    BridgeDown,
    DoorRefusal,
    IpponError,
    NodeDown,
    NoToken,
    Refusal,
    Unavailable,
)

KOTLIN = Path(__file__).parents[2] / "cordapps/core/src/main/kotlin/org/ippon/core/Refusal.kt"
OURS = {"BRIDGE_DOWN", "BRIDGE_TIMEOUT", "NODE_DOWN", "NODE_TIMEOUT", "BAD_ANSWER", "FLOW_UNKNOWN"}


@pytest.mark.parametrize(
    ("code", "kind"),
    [("NODE_DOWN", NodeDown), ("NO_TOKEN", NoToken), ("BAD_REQUEST", BadRequest), ("ROUTE_MISSING", Refusal)],
)
def test_the_family_by_code(code: str, kind: type[IpponError]) -> None:
    error = IpponError.from_wire({"code": code, "message": "m", "field": "f", "where": "w", "detail": "d"})
    assert type(error) is kind
    assert (error.code, error.message, error.field, error.where, error.detail) == (code, "m", "f", "w", "d")
    assert error.to_wire() == {"code": code, "message": "m", "field": "f", "where": "w", "detail": "d"}


def test_unknown_codes_stay() -> None:
    error = IpponError.from_wire({"code": "SOMETHING_NEW"})
    assert type(error) is Refusal
    assert str(error) == "SOMETHING_NEW: SOMETHING_NEW"


@pytest.mark.parametrize("wire", [None, "no", {}, {"code": 7}, {"code": ""}])
def test_errors_without_a_code(wire: object) -> None:
    assert isinstance(IpponError.from_wire(wire), BadAnswer)


def test_long_texts_are_cut() -> None:
    assert len(IpponError.from_wire({"code": "X", "message": "m" * 9000}).message) == errors.MAX_MESSAGE_LENGTH


def test_the_branches() -> None:
    assert issubclass(BridgeDown, Unavailable)
    assert issubclass(NoToken, DoorRefusal)
    assert not issubclass(BadAnswer, Unavailable)


def test_every_code_decided_upon_is_known_in_kotlin() -> None:
    kotlin = KOTLIN.read_text(encoding="utf-8")
    words = set(kotlin.partition("enum class ErrorCode {")[2].partition("}")[0].replace("\n", " ").split())
    known = {word.strip(",;") for word in words}
    assert known >= (FINAL | TRANSIENT | WORK_PASSES) - OURS - DOOR
