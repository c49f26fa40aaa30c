"""The network of the liars: the usual six nodes, three of which have a jar of lies beside the production jars.

It has a folder of its own, since a node that lies has no place in a network that anybody uses, and no agents, which
would settle what a lie is to be told about. Windows and sessions are shorter than the default, so that what a liar
leaves over is over soon.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from ippon.demo.agents import Agents
from ippon.demo.run import TOKYO, base36
from ippon.local import LocalNetwork, Right
from ippon.model import Role
from ippon_network import Network
from ippon_network.settings import REPOSITORY, NetworkSettings
from liars.stage import AMOUNT, NAMES, QUANTITY, ROLES, SECURITY, Stage
from liars.talk import PACKAGE, Liars

PARTS = REPOSITORY / "build" / "liars"
UNFINISHED = PARTS / "unfinished"
FLOWS = {
    "custodian": (
        *("LieAsSeller", "SlipInAnother", "AskAsSeller", "MisplaySession", "SettleAgain", "SettleAnothers"),
        *("FloodAsSeller", "LeaveAsSeller", "StallAsSeller", "WithholdFinality", "NotariseWithheld"),
        *("PlanBuyerLie", "HeardAsBuyer"),
    ),
    "exchange": ("LieAsVenue", "BustSettled", "TellOneSide"),
    "asset": ("PlanRegistrarLie",),
}
SHORT_TIMES = {"settlementWindowSeconds": 45, "clockSkewSeconds": 5, "sessionSeconds": 30}


def with_liars(topology: Path, into: Path) -> Path:
    """The topology with a lying role beside the honest one at each node that lies."""
    content = yaml.safe_load(topology.read_text(encoding="utf-8"))
    for node, role in ROLES.items():
        flows = [f"{PACKAGE}.{role}.{flow}" for flow in FLOWS[role]]
        content["roles"][f"liar-{role}"] = {"cordapps": [f"liar-{role}"], "flows": {"bridge": flows}}
        content["nodes"][node]["roles"].append(f"liar-{role}")
    content["settings"] |= SHORT_TIMES
    into.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return into


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """The stage, its market open; then its nodes are stopped, so that others have their ports and memory."""
    usual = LocalNetwork(Network())
    Agents(usual).stop()
    usual.network.down()
    settings = NetworkSettings()
    topology = with_liars(settings.topology, folder / "topology.yaml")
    changed = {"topology": topology, "build_dir": PARTS, "network_dir": PARTS / "network"}
    network = Network(settings=settings.model_copy(update=changed))
    if UNFINISHED.exists():
        # What a liar left hanging in a run that was broken off would be in the way of this one.
        network.down(wipe=True)
    UNFINISHED.touch()
    network.up()
    try:
        with ExitStack() as open_now:
            local = LocalNetwork(network)
            liars = open_now.enter_context(Liars(network, ROLES, classes=PARTS / "client"))
            rights: tuple[Right, ...] = ("agent", "reader")
            nodes = {
                (member.key, right): open_now.enter_context(local.node(member, right))
                for member in local.members
                for right in rights
            }
            stage = Stage(local, liars, f"l{base36(int(time.time()))}-", nodes)
            open_market(stage)
            yield stage
            if not stage.unrest():
                UNFINISHED.unlink()
    finally:
        network.down()


PIECES = {"S": 4, "B": 6, "O": 1}
"""Of units or coins, by investor: those whom a liar keeps waiting must have others left."""


def open_market(stage: Stage) -> None:
    """A seller with units and two buyers with coins at each custodian, who know each other's routes."""
    custodians = [member.key for member in stage.local.with_role(Role.CUSTODIAN)]
    for member in custodians:
        investors = [{"investor_id": f"{stage.prefix}{one}"} for one in PIECES]
        stage.run(member, "register_investors", investors=investors)
        buyer = f"{stage.prefix}B"
        # Twice, so that there is an old one.
        for code in ("9001", "9002"):
            stage.run(member, "register_funds_route", investor_id=buyer, institution_code=code, method="COIN")
        others = [other for other in custodians if other != member]
        for other in others:
            stage.run(member, "share_funds_routes", custodian=NAMES[other], investor_ids=[buyer])
    for member in custodians:
        for piece in range(PIECES["S"]):
            _issue_units(stage, member, piece)
    _issue_coins(
        stage, [(member, one, piece) for member in custodians for one in ("B", "O") for piece in range(PIECES[one])]
    )
    # Either way once, so that each side knows the other's tokens and coins.
    for seller in custodians:
        stage.settles(stage.fill(seller=seller), seller=seller)


def _issue_units(stage: Stage, member: str, piece: int) -> None:
    stage.run(
        "asset",
        "issue_security",
        issue_id=f"{stage.prefix}IS-{member}-{piece}",
        security_code=SECURITY,
        custodian=NAMES[member],
        investor_id=f"{stage.prefix}S",
        units=QUANTITY * 1_000,
    )


def _issue_coins(stage: Stage, pieces: list[tuple[str, str, int]]) -> None:
    """By instruction and statement line, and the statement kept as the bank sent it, for the proof."""
    lines = []
    expires = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for member, investor, piece in pieces:
        name = f"{stage.prefix}TI-{member}-{investor}-{piece}"
        arguments = {"instruction_id": name, "investor_id": f"{stage.prefix}{investor}", "amount": AMOUNT * 1_000}
        stage.run(member, "instruct_trust", **arguments, expires_at=expires)
        day = datetime.now(TOKYO).date().isoformat()
        line = {"line_id": f"L-{name}", "value_date": day, "amount": AMOUNT * 1_000, "reference": name}
        lines.append({**line, "custodian": NAMES[member]})
    stage.local.bank_dir.mkdir(parents=True, exist_ok=True)
    statement = json.dumps({"account": "TRUST-0001", "lines": lines})
    (stage.local.bank_dir / f"statement-{stage.prefix}1.json").write_text(statement, encoding="utf-8")
    stage.run("coin", "record_statement", lines=lines)
    for line in lines:
        arguments = {"custodian": line["custodian"], "instruction_id": line["reference"], "line_id": line["line_id"]}
        stage.run("coin", "issue_coins", **arguments)
