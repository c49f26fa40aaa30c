"""python -m ippon_network: what Gradle and make need; people use `ippon network`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ippon_network.errors import NetworkError
from ippon_network.network import LogSource, Network

app = typer.Typer(no_args_is_help=True, add_completion=False, help="A Corda network on this machine.")


def _network() -> Network:
    return Network(progress=lambda sentence: typer.echo(sentence, err=True))


@app.command()
def bootstrap() -> None:
    """Make the nodes, ready to start."""
    _network().bootstrap()


@app.command()
def up(*, bridges: bool = True) -> None:
    """Start everything and wait until it is ready."""
    _network().up(bridges=bridges)
    status()


@app.command()
def status() -> None:
    """Show every node as JSON."""
    typer.echo(_network().status().model_dump_json(indent=2))


@app.command()
def logs(node: str, *, lines: int = 50, source: Annotated[str, typer.Option()] = "node") -> None:
    """Show the end of a node's log (--source node, console or bridge)."""
    sources: dict[str, LogSource] = {"node": "node", "console": "console", "bridge": "bridge"}
    typer.echo(_network().logs(node, lines=lines, source=sources[source]))


@app.command()
def restart(node: str) -> None:
    """Stop and start one node and its bridge."""
    _network().restart(node)


@app.command()
def down(*, wipe: bool = False) -> None:
    """Stop everything; with --wipe, delete the ledger too."""
    _network().down(wipe=wipe)


def main() -> None:
    """Run, and tell a known error in a sentence."""
    try:
        app()
    except NetworkError as error:
        typer.echo(f"{error.code}: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
