"""`ippon network`: the nodes, bridges and agents on this machine; `ippon agent`: one agent."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from ippon.cli_output import (
    DEFAULT_DAY,
    FAILED,
    SECURITIES_NAME,
    DayOption,
    JsonFlag,
    emit_json,
    emit_rows,
    local_network,
    say,
)
from ippon.demo.agents import Agents, load_market
from ippon.local import LocalNetwork
from ippon_network.errors import UnknownNode

network_app = typer.Typer(no_args_is_help=True, help="The network on this machine: nodes, bridges and agents.")
agent_app = typer.Typer(no_args_is_help=True, help="One organisation's agent.")


class LogSource(StrEnum):
    """Whose log."""

    NODE = "node"
    CONSOLE = "console"
    BRIDGE = "bridge"
    AGENT = "agent"


NETWORK_LOGS: dict[LogSource, Literal["node", "console", "bridge"]] = {
    LogSource.NODE: "node",
    LogSource.CONSOLE: "console",
    LogSource.BRIDGE: "bridge",
}


@network_app.command()
def up(
    *,
    agents: Annotated[bool, typer.Option(help="Start the agents too.")] = True,
    day: DayOption = DEFAULT_DAY,
    json_output: JsonFlag = False,
) -> None:
    """Make the network when there is none, start what does not run, and wait until it is ready.

    Example: ippon network up
    """
    local = local_network()
    local.network.up()
    processes = Agents(local)
    if agents and processes.dead():
        say("Starting agents")
        processes.start(load_market(day / SECURITIES_NAME))
    _show(local, as_json=json_output)


@network_app.command()
def status(*, json_output: JsonFlag = False) -> None:
    """Show every node, bridge and agent; exit code 1 unless all nodes and bridges are ready.

    Example: ippon network status --json
    """
    local = local_network()
    _show(local, as_json=json_output)
    if not local.network.status().ready:
        raise typer.Exit(FAILED)


@network_app.command()
def logs(
    node: Annotated[str, typer.Argument(help="The node, such as custodian-a.")],
    *,
    lines: Annotated[int, typer.Option(min=1, max=10_000, help="How many lines.")] = 50,
    source: Annotated[LogSource, typer.Option(help="Whose log.")] = LogSource.NODE,
    json_output: JsonFlag = False,
) -> None:
    """Show the end of a log.

    Example: ippon network logs custodian-a --source agent --lines 20
    """
    local = local_network()
    if source is LogSource.AGENT:
        member = local.member(node)
        if member is None:
            raise UnknownNode(f"no node with an agent is called {node!r}; there are {_keys(local)}")
        text = Agents(local).folder(member).process().tail(lines)
    else:
        text = local.network.logs(node, lines=lines, source=NETWORK_LOGS[source])
    if json_output:
        emit_json({"node": node, "source": source.value, "lines": text.splitlines()})
    else:
        typer.echo(text)


@network_app.command()
def down(
    *,
    wipe: Annotated[bool, typer.Option("--wipe", help="Delete the ledger and everything else of the network.")] = False,
    json_output: JsonFlag = False,
) -> None:
    """Stop agents, bridges and nodes; the ledger stays unless --wipe is given.

    Example: ippon network down
    """
    local = local_network()
    Agents(local).stop()
    local.network.down(wipe=wipe)
    if json_output:
        emit_json({"stopped": True, "wiped": wipe, "directory": str(local.network.directory)})
    else:
        typer.echo(f"Stopped{' and wiped' if wipe else ''}: {local.network.directory}")


@agent_app.command("run")
def run_agent_command(
    *, config: Annotated[Path, typer.Option(help="The agent's configuration, JSON.", exists=True, dir_okay=False)]
) -> None:
    """Run one organisation's agent until it is told to stop (SIGTERM, Ctrl-C).

    Example: ippon agent run --config build/network/agents/custodian-a/config.json
    """
    # Loading the agent takes a second that no other command should pay.
    from ippon.agent.main import run_agent
    from ippon.agent.settings import load_settings

    raise typer.Exit(run_agent(load_settings(config)))


def _show(local: LocalNetwork, *, as_json: bool) -> None:
    state, agents = local.network.status(), Agents(local)
    rows: list[dict[str, Any]] = []
    for node in state.nodes:
        row: dict[str, Any] = {"node": node.node, "roles": ", ".join(node.roles)}
        row |= {"node_state": _state(node.process), "bridge": _state(node.bridge) if node.bridge else ""}
        member = local.member(node.node)
        agent = agents.folder(member).process() if member else None
        row["agent"] = ("ready" if agent.ready else "down") if agent else ""
        memory = node.process.pss_bytes + (node.bridge.pss_bytes if node.bridge else 0)
        row["memory_MiB"] = (memory + (agent.memory().pss_bytes if agent else 0)) >> 20
        row["http_port"] = str(node.ports.http or "")
        rows.append(row)
    if as_json:
        emit_json({"directory": str(state.directory), "ready": state.ready, "nodes": rows})
        return
    title = f"Network in {state.directory}" + ("" if state.bootstrapped else " (not made yet: ippon network up)")
    columns = ("node", "roles", "node_state", "bridge", "agent", "memory_MiB", "http_port")
    emit_rows(rows, columns=columns, as_json=False, title=title, empty="No nodes.")


def _state(process: Any) -> str:
    return "ready" if process.ready else "starting" if process.alive else "down"


def _keys(local: LocalNetwork) -> str:
    return ", ".join(member.key for member in local.members)
