"""`ippon network backup|restore|recover|upgrade`: keeping one organisation's node and agent."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from ippon.cli_output import FAILED, JsonFlag, emit_json, local_network, say
from ippon.errors import Refusal
from ippon.upkeep.backup import back_up
from ippon.upkeep.restore import Restored, catch_up, restore, stop
from ippon.upkeep.upgrade import upgrade

NodeArgument = Annotated[str, typer.Argument(help="The node, such as custodian-a.")]
DRAIN_SECONDS = 60


def add_upkeep(network_app: typer.Typer) -> None:
    """Add these commands to `ippon network`."""
    network_app.command("backup")(backup_command)
    network_app.command("restore")(restore_command)
    network_app.command("recover")(recover_command)
    network_app.command("upgrade")(upgrade_command)
    network_app.command("flows")(flows_command)
    network_app.command("resume")(resume_command)


def backup_command(
    node: NodeArgument,
    directory: Annotated[Path, typer.Argument(help="A new folder for the backup.")],
    *,
    drain_seconds: Annotated[
        int, typer.Option(min=0, max=3_600, help="How long flows under way may take to end; 0: they come along.")
    ] = DRAIN_SECONDS,
    json_output: JsonFlag = False,
) -> None:
    """Back a node and its agent up; both stand still meanwhile.

    Example: ippon network backup custodian-b /srv/backup/custodian-b-2026-11-23
    """
    manifest = back_up(local_network(), node, directory, drain_seconds=drain_seconds, say=say)
    if json_output:
        emit_json({"directory": str(directory), **manifest.model_dump(mode="json")})
    else:
        drained = "drained" if manifest.drained else "not drained"
        typer.echo(f"{directory}: {node}, {len(manifest.files)} files, {drained}. It holds keys and passwords.")


def restore_command(
    node: NodeArgument,
    directory: Annotated[Path, typer.Argument(help="The backup.", exists=True, file_okay=False)],
    *,
    keep_agent: Annotated[
        bool, typer.Option("--keep-agent", help="Leave the agent's store as it is: only the node was lost.")
    ] = False,
    json_output: JsonFlag = False,
) -> None:
    """Put a node back to its backup and have it learn from the others what it has lost.

    Exit code 1 when a member has not answered: then run `ippon network recover`.

    Example: ippon network restore custodian-b /srv/backup/custodian-b-2026-11-23 --keep-agent
    """
    _show(restore(local_network(), node, directory, keep_agent=keep_agent, say=say), as_json=json_output)


def recover_command(
    node: NodeArgument,
    *,
    since: Annotated[datetime, typer.Option(help="When the backup was taken, UTC.")],
    json_output: JsonFlag = False,
) -> None:
    """Ask the other members again what a restored node has lost since; then start its bridge and agent.

    Example: ippon network recover custodian-b --since 2026-11-23T06:00:00
    """
    local = local_network()
    member = local.member(node)
    stop(local, node, member)
    local.network.start(node, bridge=False)
    _show(catch_up(local, Restored(node), since=since.replace(tzinfo=UTC), say=say), as_json=json_output)


def flows_command(
    node: NodeArgument,
    *,
    kill: Annotated[UUID | None, typer.Option(help="End this flow, by its run id.")] = None,
    json_output: JsonFlag = False,
) -> None:
    """Show what is under way in a node, whether it is draining, and its CorDapps; end a flow that hangs.

    Example: ippon network flows custodian-a
    """
    maintenance = local_network().network.maintenance(node)
    if kill is not None and not maintenance.kill(str(kill))["killed"]:
        raise Refusal(f"{node} has no flow {kill}.", code="FLOW_UNKNOWN", field="kill")
    status = maintenance.status()
    if json_output:
        emit_json(status)
        return
    typer.echo(f"{node}: {'draining, takes no new flows' if status['draining'] else 'takes flows'}")
    for one in status["running"]:
        typer.echo(f"    {one['run_id']} {one['flow']}")
    for one in status["cordapps"]:
        typer.echo(f"    {one['name']} {one['version']}")


def resume_command(node: NodeArgument, *, json_output: JsonFlag = False) -> None:
    """Let flows into a node again that a broken command has left draining.

    Example: ippon network resume custodian-a
    """
    status = local_network().network.maintenance(node).resume()
    if json_output:
        emit_json(status)
    else:
        typer.echo(f"{node} takes flows")


def upgrade_command(
    node: NodeArgument,
    *,
    parts: Annotated[
        Path, typer.Option(help="A folder with cordapps/ippon-*.jar, such as another version's build.", exists=True)
    ],
    drain_seconds: Annotated[int, typer.Option(min=0, max=3_600, help="How long flows under way may take to end.")] = (
        DRAIN_SECONDS
    ),
    json_output: JsonFlag = False,
) -> None:
    """Drain a node, put other CorDapps into it, and start it again; nothing changes when flows do not end in time.

    Example: ippon network upgrade custodian-b --parts /srv/ippon-0.2/build
    """
    result = upgrade(local_network(), node, parts, drain_seconds=drain_seconds, say=say)
    if json_output:
        emit_json(vars(result))
        return
    typer.echo(f"{node}: version {result.before} → {result.after}")
    for one in result.cordapps:
        typer.echo(f"    {one['name']} {one['version']}")


def _show(result: Restored, *, as_json: bool) -> None:
    if as_json:
        emit_json({**vars(result), "whole": result.whole})
    else:
        for one in result.recovered:
            typer.echo(f"{one['member']}: {one['recorded']} learnt, {one['known']} known, {one['refused']} refused")
            for why in one["refusals"]:
                typer.echo(f"    {why}")
        for one in result.unanswered:
            typer.echo(f"{one['member']}: {one['error']['code']} {one['error']['message']}")
        if result.killed:
            typer.echo(f"{len(result.killed)} flows of the backup were ended: {', '.join(result.killed)}")
        typer.echo(f"{result.sent_again} rows of files are sent again; the files set aside are in {result.aside}")
        if not result.whole:
            typer.echo("The agent stays stopped: run `ippon network recover` when all members answer.")
    if not result.whole:
        raise typer.Exit(FAILED)
