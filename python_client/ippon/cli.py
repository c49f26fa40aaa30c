"""`ippon`: one command line for the whole network on this machine.

    ippon network up|status|logs|down     ippon demo                 ippon report [proof|visible]
    ippon network backup|restore|recover|upgrade
    ippon fill notify FILE                ippon fills                ippon settle EXECUTION_ID…   ippon retry
    ippon balance                         ippon trust instruct       ippon agent run --config FILE
    ippon case [--html FILE] [--lang ja|en] [--set NAME=VALUE]…
    ippon venue start|generate|replay

Exit codes: 0 done, 1 something failed, 2 something was refused or the command was used wrongly.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from ippon import __version__
from ippon.cli_books import balance, demo, report_app, trust_app
from ippon.cli_case import case
from ippon.cli_fills import fill_app, fills, retry, settle
from ippon.cli_network import agent_app, network_app
from ippon.cli_output import fail
from ippon.cli_upkeep import add_upkeep
from ippon.cli_venue import venue_app
from ippon.errors import IpponError
from ippon_network import NetworkError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="One-flow post-trade for security tokens: a venue's fills become atomic exchanges on Corda nodes.",
)
add_upkeep(network_app)
app.add_typer(network_app, name="network")
app.command()(demo)
app.add_typer(fill_app, name="fill")
app.command()(fills)
app.command()(settle)
app.command()(retry)
app.command()(balance)
app.add_typer(trust_app, name="trust")
app.add_typer(report_app, name="report")
app.command()(case)
app.add_typer(agent_app, name="agent")
app.add_typer(venue_app, name="venue")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    *, _: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version.")
) -> None:
    """One-flow post-trade for security tokens: a venue's fills become atomic exchanges on Corda nodes."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command line; a known error is told in a sentence, never in a traceback."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        app(args=given)
    except (IpponError, NetworkError, OSError) as error:
        fail(error, as_json="--json" in given)


if __name__ == "__main__":
    main()
