"""`Node`: what an organisation's node can be asked (docs/node-operations.md), the same over HTTP and py4j."""

from collections.abc import Mapping
from typing import Any, Literal, Protocol

from pydantic import Field

from ippon.errors import IpponError
from ippon.model import Row, UtcTime

MAX_WAIT_MILLIS = 30_000
MAX_PAGE_SIZE = 200
Json = Mapping[str, Any]


class Health(Row):
    """Whether the bridge has its node."""

    status: Literal["up", "connecting"]
    organisation: str | None = None
    since: UtcTime | None = None


class NodeInfo(Row):
    """Who the node is and whom it sees."""

    name: str
    platform_version: int
    notary: str | None = None
    network: tuple[str, ...] = ()
    node_time: UtcTime


class Started(Row):
    """A flow that was started, or found again, under its client id."""

    client_id: str
    run_id: str


class FlowState(Row):
    """How a flow stands: `unknown` when the node has none under that client id."""

    client_id: str
    status: Literal["running", "done", "failed", "unknown"]
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None

    def refusal(self) -> IpponError:
        """The error of a failed flow."""
        return IpponError.from_wire(self.error)


class Finished(Row):
    """A flow whose end the node still remembers."""

    client_id: str
    succeeded: bool


class Page(Row):
    """One page of a query; page counts from 1, total counts all rows."""

    rows: list[dict[str, Any]]
    page: int = Field(ge=1)
    size: int = Field(ge=1, le=MAX_PAGE_SIZE)
    total: int = Field(ge=0)


class Node(Protocol):
    """One organisation's node. Every call has a timeout and raises members of the IpponError family only.

    Unavailable means that nothing is known of the outcome: the same call may be made again.
    """

    def health(self) -> Health:
        """Whether the bridge has its node; needs no token."""
        ...

    def node(self) -> NodeInfo:
        """Who the node is."""
        ...

    def start(self, operation: str, client_id: str, arguments: Json) -> Started:
        """Start a flow; the same client id again finds the flow and starts nothing."""
        ...

    def result(self, client_id: str, wait_millis: int = 0) -> FlowState:
        """How a flow stands, after waiting up to `wait_millis` (at most 30,000) for its end."""
        ...

    def forget(self, client_id: str) -> bool:
        """Let the node forget a finished flow; False when it had none."""
        ...

    def finished(self) -> list[Finished]:
        """Finished flows that nobody has had forgotten."""
        ...

    def query(self, name: str, arguments: Json) -> Page:
        """One page of a query."""
        ...

    def wait(self, after: int, wait_millis: int) -> int:
        """The node's sequence, as soon as it is beyond `after` or something changed or the wait is over."""
        ...

    def kill(self, run_id: str) -> bool:
        """End a flow by force (operator token)."""
        ...
