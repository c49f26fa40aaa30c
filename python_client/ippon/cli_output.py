"""How the command line speaks: tables for people, JSON for programs, errors in a sentence with what to do."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ippon.errors import BadFile, BadSettings, DoorRefusal, IpponError, Refusal
from ippon.local import LocalNetwork, Member
from ippon.model import Role
from ippon_network import Network, NetworkError, NetworkSettings
from ippon_network.errors import TopologyInvalid, UnknownNode

FAILED = 1
REFUSED = 2

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
AsOption = Annotated[
    str | None,
    typer.Option(
        "--as", envvar="IPPON_AS", help="The organisation to act for, such as custodian-a.", show_default=False
    ),
]
TimeoutOption = Annotated[int, typer.Option(min=1, max=3_600, help="Longest wait, in seconds.")]
DayOption = Annotated[Path, typer.Option("--day", help="Folder with day.yaml and securities.csv.")]

DEFAULT_DAY = Path(__file__).resolve().parents[2] / "examples" / "day-1"
SECURITIES_NAME = "securities.csv"
PIPE_WIDTH = 180


def say(text: str) -> None:
    """Progress, for people: on stderr, so that stdout stays what was asked for."""
    typer.echo(text, err=True)


def local_network() -> LocalNetwork:
    """The network on this machine; what it does is told on stderr."""
    return LocalNetwork(Network(progress=say))


def report_dir(name: str = "day-1") -> Path:
    """Where a demo of this name writes its report."""
    return NetworkSettings().build_dir / name


def emit_json(content: object) -> None:
    """JSON on stdout."""
    typer.echo(json.dumps(content, indent=2, ensure_ascii=False, default=str))


def emit_rows(
    rows: Sequence[Mapping[str, Any]], *, columns: Iterable[str], as_json: bool, title: str, empty: str
) -> None:
    """Rows as a table of these columns, or as JSON with all their fields."""
    if as_json:
        emit_json(list(rows))
        return
    if not rows:
        typer.echo(empty)
        return
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    names = list(columns)
    for name in names:
        numeric = any(isinstance(row.get(name), int) for row in rows)
        table.add_column(name.replace("_", " "), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(name)) for name in names))
    screen().print(table)


def screen(*, stderr: bool = False) -> Console:
    """Where tables go. A pipe has no width of its own, and what is cut off there is lost."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else PIPE_WIDTH)


def member_of(local: LocalNetwork, text: str | None, role: Role) -> Member:
    """The organisation that `--as` names, or the only one of this role; a usage error says who there is."""
    candidates = local.with_role(role)
    if text is None and len(candidates) == 1:
        return candidates[0]
    member = local.member(text) if text else None
    if member is None or role not in member.roles:
        choices = ", ".join(one.key for one in candidates)
        what = f"'{text}' is no {role.value}" if text else f"there are {len(candidates)} of role {role.value}"
        raise typer.BadParameter(f"{what}: choose one of {choices}", param_hint="--as")
    return member


def members_of(local: LocalNetwork, text: str | None, role: Role) -> tuple[Member, ...]:
    """The one that `--as` names, or all of this role."""
    return (member_of(local, text, role),) if text else local.with_role(role)


def fail(error: Exception, *, as_json: bool) -> NoReturn:
    """Tell an error and leave: 2 when something was refused or used wrongly, 1 when something failed."""
    refused = isinstance(error, Refusal | DoorRefusal | BadFile | BadSettings | TopologyInvalid | UnknownNode)
    code = getattr(error, "code", "FAILED")
    if as_json:
        content = error.to_wire() if isinstance(error, IpponError) else {"code": code, "message": str(error)}
        typer.echo(json.dumps({"error": content}, ensure_ascii=False), err=True)
    else:
        where = getattr(error, "where", None)
        text = error.message if isinstance(error, IpponError) else str(error)
        field = getattr(error, "field", None)
        typer.echo(f"{code}: {text}{f' (field {field})' if field else ''}{f' [at {where}]' if where else ''}", err=True)
        if hint := _hint(error):
            typer.echo(hint, err=True)
    sys.exit(REFUSED if refused else FAILED)


def _hint(error: Exception) -> str | None:
    """What to do about it, when the message does not say so itself."""
    if isinstance(error, NetworkError):
        return None
    hints = {
        "BRIDGE_DOWN": "Is the network up? See 'ippon network status'; start it with 'ippon network up'.",
        "BRIDGE_TIMEOUT": "The node may be busy: see 'ippon network status' and try again.",
        "NODE_DOWN": "Its bridge runs but the node does not answer: see 'ippon network logs NODE'.",
        "NODE_TIMEOUT": "The node may be busy: see 'ippon network logs NODE' and try again.",
        "NO_TOKEN": "The bridge has another token than the network's folder: restart it with 'ippon network up'.",
    }
    return hints.get(getattr(error, "code", ""))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)
