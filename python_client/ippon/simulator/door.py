"""The `Node` that an agent calls: one member's node behind a bridge that loses replies, and a door for each process."""

from collections.abc import Callable
from typing import Any

from ippon.errors import BridgeDown, BridgeTimeout, IpponError, NodeDown, NoSuchOperation
from ippon.node import Finished, FlowState, Health, Json, NodeInfo, Page, Started
from ippon.simulator.book import party
from ippon.simulator.member import Member
from ippon.simulator.network import Network, Run
from ippon.simulator.operations import OPERATIONS
from ippon.simulator.queries import answer

DEFAULT_SIZE = 100


class Bridge:
    """What a node keeps of the flows that were started through it, whichever process asks."""

    def __init__(self, network: Network, member: Member, role: str) -> None:
        self.network = network
        self.member = member
        self.role = role
        self.flows: dict[str, Run] = {}


class Door:
    """One process's own client; `gate` runs at each call and may end the process there."""

    def __init__(self, bridge: Bridge, gate: Callable[[str], None]) -> None:
        self._bridge = bridge
        self._network = bridge.network
        self._member = bridge.member
        self._faults = bridge.network.faults
        self._gate = gate

    def health(self) -> Health:
        """See `Node`."""
        return Health(status="up")

    def node(self) -> NodeInfo:
        """See `Node`."""
        self._reach("node")
        return NodeInfo(name=party(self._member.name), platform_version=12, node_time=self._member.now())

    def start(self, operation: str, client_id: str, arguments: Json) -> Started:
        """See `Node`: the same client id finds the flow, whatever its arguments, and starts nothing."""
        self._reach(f"start {client_id}")
        run = self._bridge.flows.get(client_id)
        if run is None:
            flow = OPERATIONS[self._bridge.role].get(operation)
            if flow is None:
                raise NoSuchOperation(f"The {self._bridge.role}'s node has no {operation}.")
            given = dict(arguments)
            self._network.trace(f"start {self._member.name} {client_id}")
            run = self._network.start(self._member, operation, lambda run: flow(self._network, run, **given))
            self._bridge.flows[client_id] = run
        self._return(f"start {client_id}")
        return Started(client_id=client_id, run_id=run.run_id)

    def result(self, client_id: str, wait_millis: int = 0) -> FlowState:  # noqa: ARG002
        """See `Node`."""
        self._reach("result")
        run = self._bridge.flows.get(client_id)
        if run is not None and run.flow is None and self._faults.happens("result_lost"):
            self._network.trace(f"lost {self._member.name} {client_id}")
            del self._bridge.flows[client_id]
            run = None
        state = _state(client_id, run)
        self._return("result")
        return state

    def forget(self, client_id: str) -> bool:
        """See `Node`."""
        self._reach("forget")
        run = self._bridge.flows.get(client_id)
        removed = run is not None and run.flow is None
        if removed:
            del self._bridge.flows[client_id]
        self._return("forget")
        return removed

    def finished(self) -> list[Finished]:
        """See `Node`."""
        self._reach("finished")
        flows = self._bridge.flows.items()
        return [Finished(client_id=one, succeeded=run.error is None) for one, run in flows if run.flow is None]

    def query(self, name: str, arguments: Json) -> Page:
        """See `Node`; a row may come twice."""
        self._reach(f"query {name}")
        size, number = arguments.get("size", DEFAULT_SIZE), arguments.get("page", 1)
        rows = answer(self._member, name, arguments)
        page: list[dict[str, Any]] = rows[(number - 1) * size : number * size]
        if page and len(page) < size and name in ("fills", "notices") and self._faults.happens("row_doubled"):
            page.append(page[self._faults.random.randrange(len(page))])
        # Not validated, which would copy every row: it is ours.
        return Page.model_construct(rows=page, page=number, size=size, total=len(rows))

    def wait(self, after: int, wait_millis: int) -> int:  # noqa: ARG002
        """See `Node`: the simulator wakes agents itself."""
        return self._member.sequence

    def kill(self, run_id: str) -> bool:
        """See `Node`."""
        self._reach("kill")
        return self._network.kill(run_id)

    def _reach(self, call: str) -> None:
        self._gate(call)
        if self._member.down:
            raise NodeDown("The bridge has no connection to its node.")
        if self._faults.happens("reply_lost_before"):
            raise self._lost()

    def _return(self, call: str) -> None:
        self._gate(f"{call} returns")
        if self._faults.happens("reply_lost_after"):
            raise self._lost()

    def _lost(self) -> IpponError:
        if self._faults.random.random() < 0.5:
            return BridgeDown("The bridge cannot be reached.")
        return BridgeTimeout("The bridge did not answer in time.")


def _state(client_id: str, run: Run | None) -> FlowState:
    if run is None:
        return FlowState(client_id=client_id, status="unknown")
    if run.flow is not None:
        return FlowState(client_id=client_id, status="running")
    if run.error is not None:
        return FlowState(client_id=client_id, status="failed", error=run.error)
    return FlowState(client_id=client_id, status="done", result=run.result)
