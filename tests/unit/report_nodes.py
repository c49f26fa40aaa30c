"""Nodes that answer the proof's queries out of a snapshot."""

# ruff: noqa: ARG002 (a fake is called as the real one, and needs less)

from collections.abc import Callable
from typing import Any

from ippon.node import Finished, FlowState, Health, Json, NodeInfo, Page, Started
from ippon.report.capture import Source
from ippon.report.snapshot import Snapshot
from unit.report_world import World


class VaultNode:
    """A `Node` that knows `states`, `transactions` and `pending` of one vault, in small pages."""

    def __init__(self, snapshot: Snapshot, name: str) -> None:
        self.vault = snapshot.nodes[name]
        self.pending: list[str] = []
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.on_query: Callable[[str], None] = lambda _: None

    def query(self, name: str, arguments: Json) -> Page:
        self.asked.append((name, dict(arguments)))
        self.on_query(name)
        if name == "pending":
            found = [{"run_id": str(n), "kind": kind} for n, kind in enumerate(self.pending)]
        elif name == "states":
            status = arguments["status"]
            ours = [row for row in self.vault.states if row.type == arguments["type"]]
            found = [row.model_dump() for row in ours if status in ("ALL", row.status)]
        else:
            assert name == "transactions"
            assert len(arguments["transaction_ids"]) <= 100
            wanted = set(arguments["transaction_ids"])
            found = [row.model_dump() for row in self.vault.transactions if row.transaction_id in wanted]
        start = (arguments["page"] - 1) * arguments["size"]
        rows = found[start : start + arguments["size"]]
        return Page(rows=rows, page=arguments["page"], size=arguments["size"], total=len(found))

    def wait(self, after: int, wait_millis: int) -> int:
        raise NotImplementedError

    def health(self) -> Health:
        raise NotImplementedError

    def node(self) -> NodeInfo:
        raise NotImplementedError

    def start(self, operation: str, client_id: str, arguments: Json) -> Started:
        raise AssertionError("a reader starts nothing")

    def result(self, client_id: str, wait_millis: int = 0) -> FlowState:
        raise NotImplementedError

    def forget(self, client_id: str) -> bool:
        raise AssertionError("a reader forgets nothing")

    def finished(self) -> list[Finished]:
        raise NotImplementedError

    def kill(self, run_id: str) -> bool:
        raise AssertionError("a reader kills nothing")


def sources_of(world: World) -> dict[str, tuple[Source, VaultNode]]:
    """Every node of a world as the proof sees it."""
    snapshot = world.snapshot()
    found = {}
    for name, vault in snapshot.nodes.items():
        node = VaultNode(snapshot, name)
        found[name] = (Source(name=name, organisation=vault.organisation, roles=tuple(vault.roles), node=node), node)
    return found
