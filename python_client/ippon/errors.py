"""Everything that can go wrong, typed (design law 9).

    IpponError                 code, message, where, field, detail
    ├── Unavailable            nothing is known of the outcome; the same call may be made again
    │   ├── BridgeDown         BRIDGE_DOWN      the bridge cannot be reached
    │   ├── BridgeTimeout      BRIDGE_TIMEOUT   the bridge did not answer in time
    │   ├── NodeDown           NODE_DOWN        the bridge has no connection to its node
    │   └── NodeTimeout        NODE_TIMEOUT     the node did not answer the bridge in time
    ├── BadAnswer              BAD_ANSWER       the answer is not what docs/node-operations.md says
    ├── WaitOver               WAIT_OVER        a flow has not ended within the time given
    ├── DoorRefusal            the door said no; nothing was started
    │   ├── NoToken            NO_TOKEN
    │   ├── Forbidden          FORBIDDEN
    │   ├── NoSuchOperation    NO_SUCH_OPERATION
    │   └── TooLarge           TOO_LARGE
    ├── Refusal                a node's own refusal; any other code of Kotlin's ErrorCode
    │   ├── BadRequest         BAD_REQUEST      an argument or a row is not as it must be
    │   └── Internal           INTERNAL         a fault on the other side, not a decision
    ├── BadFile                BAD_FILE         a file that cannot be read as a whole
    ├── BadSettings            BAD_SETTINGS     the configuration cannot be used
    └── StoreError             STORE            the agent's store cannot be used

A code that this version does not know is kept as it is, in a plain Refusal.
"""

from collections.abc import Mapping
from typing import ClassVar, Self

MAX_MESSAGE_LENGTH = 2000


class IpponError(Exception):
    """Something went wrong, and says what to do.

    Attributes:
        code: one per cause, the same string in Kotlin, HTTP and Python.
        message: a sentence.
        where: whose check it was, or which door; None when it was our own.
        field: the argument or column at fault.
        detail: whatever else the other side said.
    """

    default_code: ClassVar[str] = "INTERNAL"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        where: str | None = None,
        field: str | None = None,
        detail: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code or self.default_code
        self.message = message
        self.where = where
        self.field = field
        self.detail = detail

    def __str__(self) -> str:
        at = f" (field {self.field})" if self.field else ""
        return f"{self.code}: {self.message}{at}"

    def to_wire(self) -> dict[str, str]:
        """The error as it travels; absent parts are left out."""
        parts = {
            "code": self.code,
            "message": self.message,
            "where": self.where,
            "field": self.field,
            "detail": self.detail,
        }
        return {name: value for name, value in parts.items() if value is not None}

    @classmethod
    def from_code(
        cls,
        code: str,
        message: str,
        *,
        where: str | None = None,
        field: str | None = None,
        detail: str | None = None,
    ) -> "IpponError":
        """The member of the family for a code; a plain Refusal for one that is not known here."""
        kind = FAMILY.get(code, Refusal)
        return kind(message, code=code, where=where, field=field, detail=detail)

    @classmethod
    def from_wire(cls, error: object) -> "IpponError":
        """The error that `{"code", "message", "field"?, "where"?, "detail"?}` tells of; BadAnswer if it tells none."""
        if not isinstance(error, Mapping) or not isinstance(error.get("code"), str) or not error["code"]:
            return BadAnswer(f"The other side reports an error that has no code: {str(error)[:200]}")
        texts = {name: _text(error.get(name)) for name in ("message", "where", "field", "detail")}
        return cls.from_code(
            error["code"],
            texts["message"] or error["code"],
            where=texts["where"],
            field=texts["field"],
            detail=texts["detail"],
        )

    def at(self, where: str) -> Self:
        """The same error, saying where it came from unless it says so already."""
        self.where = self.where or where
        return self


class Unavailable(IpponError):
    """Nothing is known of the outcome; the same call, under the same client id, may be made again."""

    default_code = "NODE_DOWN"


class BridgeDown(Unavailable):
    """The bridge cannot be reached."""

    default_code = "BRIDGE_DOWN"


class BridgeTimeout(Unavailable):
    """The bridge did not answer in time."""

    default_code = "BRIDGE_TIMEOUT"


class NodeDown(Unavailable):
    """The bridge has no connection to its node."""

    default_code = "NODE_DOWN"


class NodeTimeout(Unavailable):
    """The node did not answer the bridge in time."""

    default_code = "NODE_TIMEOUT"


class BadAnswer(IpponError):
    """The answer is not what docs/node-operations.md says."""

    default_code = "BAD_ANSWER"


class WaitOver(IpponError):
    """A flow has not ended within the time given; it goes on."""

    default_code = "WAIT_OVER"


class DoorRefusal(IpponError):
    """The door said no; nothing was started."""

    default_code = "FORBIDDEN"


class NoToken(DoorRefusal):
    """The token is missing or unknown."""

    default_code = "NO_TOKEN"


class Forbidden(DoorRefusal):
    """The token may not do this."""

    default_code = "FORBIDDEN"


class NoSuchOperation(DoorRefusal):
    """The node's role has no such operation or query."""

    default_code = "NO_SUCH_OPERATION"


class TooLarge(DoorRefusal):
    """The request is larger than the door allows."""

    default_code = "TOO_LARGE"


class Refusal(IpponError):
    """A node, or a rule of ours, declines, and says why."""

    default_code = "REFUSED"


class BadRequest(Refusal):
    """An argument or a row is not as it must be."""

    default_code = "BAD_REQUEST"


class Internal(Refusal):
    """A fault on the other side, not a decision."""

    default_code = "INTERNAL"


class BadFile(IpponError):
    """A file that cannot be read as a whole."""

    default_code = "BAD_FILE"


class BadSettings(IpponError):
    """The configuration cannot be used."""

    default_code = "BAD_SETTINGS"


class StoreError(IpponError):
    """The agent's store cannot be used."""

    default_code = "STORE"


_MEMBERS: tuple[type[IpponError], ...] = (
    BridgeDown,
    BridgeTimeout,
    NodeDown,
    NodeTimeout,
    BadAnswer,
    WaitOver,
    NoToken,
    Forbidden,
    NoSuchOperation,
    TooLarge,
    BadRequest,
    Internal,
    BadFile,
    BadSettings,
    StoreError,
)
FAMILY: Mapping[str, type[IpponError]] = {member.default_code: member for member in _MEMBERS}


def _text(value: object) -> str | None:
    return None if value is None else str(value)[:MAX_MESSAGE_LENGTH]
