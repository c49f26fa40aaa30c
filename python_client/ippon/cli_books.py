"""`ippon balance`, `trust instruct`, `report`, `demo`: money and units, proofs and the day."""

from __future__ import annotations

import csv
import io
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ippon.cli_fills import send, show_receipt
from ippon.cli_output import (
    DEFAULT_DAY,
    FAILED,
    AsOption,
    DayOption,
    JsonFlag,
    TimeoutOption,
    emit_json,
    emit_rows,
    local_network,
    member_of,
    members_of,
    report_dir,
    say,
    screen,
)
from ippon.errors import BadRequest, Refusal
from ippon.local import LocalNetwork, Member
from ippon.model import Asset, Role, organisation
from ippon.node import rows
from ippon.report.day import DayReport
from ippon.report.page import HTML_NAME, JSON_NAME
from ippon.report.proof import proof as proof_command
from ippon.report.tables import day_tables
from ippon.report.visible import visible

trust_app = typer.Typer(no_args_is_help=True, help="Coins against cash in trust.")
report_app = typer.Typer()
report_app.command("proof")(proof_command)
report_app.command("visible")(visible)
BANK_ACCOUNT = "TRUST-0001"
BALANCE_COLUMNS = ("custodian", "investor_id", "asset", "total", "reserved")


def balance(
    *,
    as_: AsOption = None,
    investor: Annotated[str | None, typer.Option(help="Only this investor id, as on the ledger.")] = None,
    json_output: JsonFlag = False,
) -> None:
    """Show units and coins by investor, as each custodian's node has them; `reserved` is part of `total`.

    Example: ippon balance --as custodian-a --investor rtk3a9z-INV-A01
    """
    local = local_network()
    found = []
    for member in members_of(local, as_, Role.CUSTODIAN):
        with local.node(member, "reader") as node:
            for asset in Asset:
                asked = {"asset": asset.value} | ({"investor_id": investor} if investor else {})
                found += [
                    {
                        "custodian": member.key,
                        "investor_id": row["investor_id"],
                        "asset": row.get("security_code") or asset.value,
                        "total": row["total"],
                        "reserved": row["reserved"],
                    }
                    for row in rows(node, "balances", asked)
                    # A chain may bring states of others into the vault; they are nobody's business here.
                    if organisation(str(row["custodian"])) == member.name
                ]
    found.sort(key=lambda row: (row["custodian"], row["investor_id"], row["asset"]))
    emit_rows(found, columns=BALANCE_COLUMNS, as_json=json_output, title="Balances (yen, units)", empty="No balances.")


@trust_app.command()
def instruct(
    *,
    investor: Annotated[str, typer.Option(help="Who gets the coins, as on the ledger.")],
    amount: Annotated[int, typer.Option(min=1, help="Yen.")],
    as_: AsOption = None,
    instruction_id: Annotated[str | None, typer.Option("--id", help="Instruction id; made up when left out.")] = None,
    with_cash: Annotated[
        bool, typer.Option("--with-cash", help="Play the bank too: a statement line that brings the cash.")
    ] = False,
    timeout: TimeoutOption = 120,
    json_output: JsonFlag = False,
) -> None:
    """Order coins against cash paid in; they are issued when the trust account's statement brings the cash.

    Example: ippon trust instruct --as custodian-b --investor rtk3a9z-INV-B05 --amount 100000 --with-cash
    """
    local = local_network()
    member = member_of(local, as_, Role.CUSTODIAN)
    name = instruction_id or f"IN-cli-{time.time_ns() // 1_000_000}"
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([("instruction_id", "investor_id", "amount"), (name, investor, amount)])
    receipt = send(local, member, kind="instructions", content=out.getvalue().encode(), timeout=timeout)
    if with_cash and receipt.status == "read" and all(row.status == "accepted" for row in receipt.rows):
        pay_in(local, member, reference=name, amount=amount, timeout=timeout)
    show_receipt(receipt, as_json=json_output)


def pay_in(local: LocalNetwork, member: Member, *, reference: str, amount: int, timeout: int) -> None:
    """Play the bank: a statement of one line, sent to the coin issuer and kept where the proof reads it."""
    line = {
        "line_id": f"ST-cli-{time.time_ns() // 1_000_000}",
        "value_date": datetime.now(UTC).date().isoformat(),
        "amount": amount,
        "reference": reference,
        "custodian": member.name,
    }
    content = json.dumps({"account": BANK_ACCOUNT, "lines": [line]}, indent=2).encode()
    issuer = member_of(local, None, Role.COIN)
    local.bank_dir.mkdir(parents=True, exist_ok=True)
    (local.bank_dir / f"statement-{line['line_id']}.json").write_bytes(content)
    receipt = send(local, issuer, kind="statement", content=content, timeout=timeout, suffix="json")
    for row in receipt.rows:
        if row.status == "refused":
            raise Refusal(row.reason or "The statement line was refused.", code=row.code, field=row.field)


@report_app.callback(invoke_without_command=True)
def report(
    context: typer.Context,
    *,
    directory: Annotated[Path | None, typer.Option(help="Where the report lies; build/day-1 when left out.")] = None,
    json_output: JsonFlag = False,
) -> None:
    """Show the last demo's report again; `proof` proves the invariants anew, `visible` shows who sees what.

    Example: ippon report
    """
    if context.invoked_subcommand:
        return
    folder = directory or report_dir()
    path = folder / JSON_NAME
    if not path.exists():
        raise BadRequest(f"There is no report in {folder}: play a day with 'ippon demo' first.", where=str(path))
    day = DayReport.model_validate_json(path.read_text(encoding="utf-8"))
    if json_output:
        emit_json(day.model_dump(mode="json"))
    else:
        console = screen()
        console.print(day_tables(day))
        console.print(f"{folder / HTML_NAME}", soft_wrap=True)


def demo(*, day: DayOption = DEFAULT_DAY, json_output: JsonFlag = False) -> None:
    """Play a day of trading on real nodes, prove it, and report; exit code 1 when anything is not as it must be.

    Starts what is not running, leaves the network and its agents up, and may be repeated at will.

    Example: ippon demo
    """
    from ippon.demo.main import play_day

    # Progress goes to stderr, so that --json prints nothing but JSON.
    console = screen(stderr=json_output)
    played = play_day(local_network(), folder=day, output_dir=report_dir, console=console, say=say)
    if json_output:
        emit_json(played.report.model_dump(mode="json"))
    else:
        console.print(day_tables(played.report))
        for path in (played.written.html, played.written.json):
            console.print(str(path), soft_wrap=True)
    if not played.report.passed:
        raise typer.Exit(FAILED)
