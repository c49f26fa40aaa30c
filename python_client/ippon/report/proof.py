"""The proof of I1–I6: `python -m ippon.report.proof`, a program apart from agents and demo.

It reads the nodes' vaults with reader tokens and the bank's statement files (or a snapshot that was saved before), and
checks each invariant with a pure function. Exit code 0: all hold; 1: one does not; 2: nothing could be read.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ippon.errors import IpponError
from ippon.local import LocalNetwork
from ippon.report.capture import QUIET_TIMEOUT_SECONDS, Source, capture
from ippon.report.invariants import prove
from ippon.report.result import InvariantResult
from ippon.report.snapshot import Snapshot
from ippon.report.tables import proof_table
from ippon_network import Network, NetworkError

app = typer.Typer(add_completion=False)


def take_snapshot(local: LocalNetwork, *, quiet_timeout_seconds: float = QUIET_TIMEOUT_SECONDS) -> Snapshot:
    """Read all vaults of the network on this machine."""
    with ExitStack() as doors:
        sources = [
            Source(
                name=member.key,
                organisation=member.x500,
                roles=tuple(role.value for role in member.roles),
                node=doors.enter_context(local.node(member, "reader")),
            )
            for member in local.members
        ]
        return capture(sources, lambda: local.statements, quiet_timeout_seconds=quiet_timeout_seconds)


def as_json(proof: Sequence[InvariantResult], *, quiet: bool) -> str:
    """The proof as JSON."""
    passed = all(one.passed for one in proof)
    content = {"passed": passed, "quiet": quiet, "invariants": [one.model_dump() for one in proof]}
    return json.dumps(content, indent=2, ensure_ascii=False)


@app.command()
def proof(
    *,
    snapshot: Annotated[Path | None, typer.Option(help="Prove a saved snapshot; no network is needed.")] = None,
    save: Annotated[Path | None, typer.Option(help="Keep the snapshot in this file (0600).")] = None,
    json_output: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
) -> None:
    """Prove I1-I6 from the nodes' vaults and the trust account's statement alone.

    Exit code 1 when one of them fails, 2 when there is no proof.

    Example: ippon report proof --save snapshot.json
    """
    try:
        taken = Snapshot.load(snapshot) if snapshot else take_snapshot(LocalNetwork(Network()))
        if save:
            taken.save(save)
    except (IpponError, NetworkError, OSError) as error:
        # Not 1, which says that an invariant is broken.
        typer.echo(f"The proof could not be made: {error}", err=True)
        raise typer.Exit(2) from error
    results = prove(taken)
    if json_output:
        typer.echo(as_json(results, quiet=taken.quiet))
    else:
        Console().print(proof_table(results, quiet=taken.quiet))
    if not all(one.passed for one in results):
        raise typer.Exit(1)


def main() -> None:
    """Run; a known error is one sentence."""
    try:
        app()
    except (IpponError, NetworkError, OSError, ValueError) as error:
        typer.echo(f"The proof could not be made: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
