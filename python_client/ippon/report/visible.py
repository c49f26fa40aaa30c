"""`ippon report visible`: who sees what on this machine's network, read from copies of the nodes' databases.

No node is asked, so nothing that a bridge would leave out is left out here. Exit code 0: nobody can read anything that
the allow-list (`allowed.yaml`) does not give him; 1: somebody can.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ippon.report.allowed import AllowList, load_allowed
from ippon.report.sight import NodeSight, see
from ippon.report.stored import Store, read_store
from ippon_network import Network, NetworkSettings
from ippon_network.parts import Parts

WIDTH = 150


def read_node(network: Network, node: str, *, wanted: Sequence[str] = (), values: Sequence[str] = ()) -> Store:
    """All that a copy of one node's database holds; see `read_store`."""
    reader = Parts.of(NetworkSettings()).store_reader_jar
    return read_store(network.folder(node).database, reader=reader, wanted=wanted, values=values)


def sight_of(network: Network, node: str, store: Store, *, allowed: AllowList) -> NodeSight:
    """What a node of this network can read in `store`."""
    known = network.topology.node(node)
    return see(node, name=known.name, roles=tuple(known.roles), store=store, allowed=allowed)


def look(network: Network) -> Iterator[NodeSight]:
    """Every node's sight, one after the other: each needs a JVM for a moment."""
    allowed = load_allowed()
    for node in network.topology.nodes:
        yield sight_of(network, node, read_node(network, node), allowed=allowed)


def visible(
    *, json_output: Annotated[bool, typer.Option("--json", help="JSON instead of tables, with every field.")] = False
) -> None:
    """Show what each node can read of others' deals, from copies of all databases; exit code 1 when it is too much.

    Example: ippon report visible
    """
    sights = list(look(Network()))
    if json_output:
        typer.echo(json.dumps({"nodes": [one.model_dump() for one in sights]}, indent=2, ensure_ascii=False))
    else:
        console = Console(width=WIDTH)
        for table in tables(sights):
            console.print(table)
    if any(one.faults for one in sights):
        raise typer.Exit(1)


def tables(sights: Sequence[NodeSight]) -> list[Table]:
    """Transactions by node, foreign things by node, and faults when there are any."""
    shown = [_nodes(sights), _things(sights)]
    return [*shown, _faults(sights)] if any(one.faults for one in sights) else shown


def _nodes(sights: Sequence[NodeSight]) -> Table:
    table = _table("What each node stores (own: it has a part in it; foreign: there as part of a chain, or told)")
    for name in ("node", "own transactions", "foreign transactions"):
        table.add_column(name, overflow="fold")
    for name in ("own fills", "foreign fills visible", "faults"):
        table.add_column(name, justify="right")
    for one in sights:
        counts = (one.own_fills, one.foreign_fills_visible, len(one.faults))
        table.add_row(one.node, _kinds(one.own), _kinds(one.foreign), *(f"{count:,}" for count in counts))
    return table


def _things(sights: Sequence[NodeSight]) -> Table:
    table = _table("What is readable of others, field by field (in brackets: how many different values)")
    for name in ("node", "thing", "fields"):
        table.add_column(name, overflow="fold")
    for one in sights:
        for thing in dict.fromkeys(field.thing for field in one.fields):
            fields = [f"{field.field} ({field.values:,})" for field in one.fields if field.thing == thing]
            table.add_row(one.node, thing, ", ".join(fields))
    return table


def _faults(sights: Sequence[NodeSight]) -> Table:
    table = _table("Faults: readable, and not on the allow-list")
    for name in ("node", "what", "message"):
        table.add_column(name, overflow="fold")
    for one in sights:
        for fault in one.faults:
            table.add_row(fault.node, fault.what, fault.message, style="red")
    return table


def _kinds(counts: dict[str, int]) -> str:
    return ", ".join(f"{name.replace('Command', '')} {count:,}" for name, count in counts.items()) or "–"


def _table(title: str) -> Table:
    return Table(
        title=title, title_justify="left", title_style="bold", header_style="bold", box=SIMPLE_HEAD, pad_edge=False
    )
