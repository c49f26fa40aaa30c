"""Texts that are planted or made in a day, and where each may be found: nodes' databases, logs, agents' stores."""

from __future__ import annotations

import csv
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ippon.agent.inbox import drop, wait_receipt
from ippon.agent.receipts import Receipt
from ippon.demo.agents import Agents
from ippon.local import LocalNetwork
from ippon.report.stored import Store
from network.conftest import DAY_1, Day

NAME, ADDRESS, PHONE = "Canaria Taro", "1-2-3 Canaria-cho", "099-000-1234"
PERSONAL = (NAME, ADDRESS, PHONE)
OWNER = "custodian-a"
"""Whose investors the planted names are."""
EXCHANGE, ASSET, COIN, A, B = "exchange", "asset", "coin", "custodian-a", "custodian-b"
KEYS = {"Custodian A": A, "Custodian B": B}
SECRET_FILES = {"node.conf", "secrets.json", "config.json", "maintenance.json", "agent.token", "operator.token"}
"""Files that are there to hold secrets; each its owner's alone, which test_power checks."""
TIMEOUT_SECONDS = 120.0


@dataclass(frozen=True)
class Canary:
    """A text, the nodes whose databases hold it (all of them), those where a chain may bring it, and no other."""

    text: str
    nodes: frozenset[str]
    tables: dict[str, frozenset[str]] = field(default_factory=dict)
    """Tables that may hold it, by node, where it is fewer than all."""
    chance: frozenset[str] = frozenset()
    agents: frozenset[str] = frozenset()
    """Whose agents keep it though their nodes do not."""

    @property
    def anywhere(self) -> frozenset[str]:
        """Nodes that may hold it."""
        return self.nodes | self.chance

    def misplaced(self, node: str, tables: set[str]) -> bool:
        """Whether finding it in these tables of the node, or in none, is wrong."""
        if not tables:
            return node in self.nodes
        return node not in self.anywhere or not tables <= self.tables.get(node, tables)


@dataclass(frozen=True)
class Execution:
    """One row of the venue's file."""

    execution_id: str
    order_ids: tuple[str, str, str]
    custodians: frozenset[str]


ORDER_TABLES = frozenset({"EXCHANGE_FILL", "CUSTODIAN_FILL_ORDER"})
CHAIN = frozenset({"NODE_TRANSACTIONS"})
ROUTE = frozenset({"NODE_TRANSACTIONS", "IPPON_FUNDS_ROUTE"})


def executions(day: Day) -> list[Execution]:
    """The venue's fills of this run that came onto the ledger."""
    with (DAY_1 / "exchange" / "fills-1.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    seen: dict[str, Execution] = {}
    for row in rows:
        if row["execution_id"] in day.script.expect.fills and row["execution_id"] not in seen:
            seen[row["execution_id"]] = Execution(
                day.id(row["execution_id"]),
                (day.id(row["trade_id"]), day.id(row["sell_order_id"]), day.id(row["buy_order_id"])),
                frozenset({KEYS[row["seller_custodian"]], KEYS[row["buyer_custodian"]]}),
            )
    return list(seen.values())


def order_canaries(day: Day) -> list[Canary]:
    """Trade and order ids: at the venue and both custodians, in one table each, and in no transaction."""
    return [
        Canary(text, one.custodians | {EXCHANGE}, dict.fromkeys([EXCHANGE, A, B], ORDER_TABLES))
        for one in executions(day)
        for text in one.order_ids
    ]


def refused_order_canaries(day: Day) -> list[Canary]:
    """Of fills that were refused: no node keeps them (EX-0101 was shown to a custodian); the venue's agent does."""
    ids = [day.id(f"{kind}-{number}") for kind in ("TR", "OS", "OB") for number in ("0101", "0102")]
    return [Canary(text, frozenset(), agents=frozenset({EXCHANGE})) for text in ids]


def business_canaries(day: Day) -> list[Canary]:
    """Ids that must stay with some, on a day whose files say who deals with whom."""
    both = frozenset({A, B})
    return [
        # Never settles: pays by bank. Nothing for registrar and coin issuer.
        Canary(day.id("INV-A07"), both | {EXCHANGE}, {EXCHANGE: CHAIN}),
        # Its only fill was busted, and it has no route.
        Canary(day.id("INV-B08"), both | {EXCHANGE}, {EXCHANGE: CHAIN}),
        # Never trades; its instruction was rejected. The other custodian was told how it would pay, nothing else.
        Canary(day.id("INV-A06"), both | {COIN}, {B: ROUTE}),
        Canary(day.id("IN-0001"), frozenset({A, COIN})),
        # The account that pays for INV-A03: the venue does not know it.
        Canary(day.id("COIN-A03"), both | {ASSET, COIN}, {B: CHAIN, ASSET: CHAIN}),
        Canary(day.id("COIN-B03"), both | {ASSET, COIN}, {A: CHAIN, ASSET: CHAIN}),
        Canary("BANK0001", both),
        Canary("COIN0001", both),
        Canary(f"R-{day.id('INV-A07')}", both),
        # Deals within one custodian: the other has at most the chain of what it received.
        Canary(
            day.id("EX-0007"),
            frozenset({A, EXCHANGE, ASSET, COIN}),
            {B: CHAIN, ASSET: CHAIN, COIN: CHAIN},
            chance=frozenset({B}),
        ),
        Canary(day.id("EX-0020"), both | {EXCHANGE}),
        # The coins of this instruction paid for EX-0016, so it lies at the beginning of their chain.
        Canary(f"TI-{day.id('CL-0101')}", both | {ASSET, COIN}, {B: CHAIN, ASSET: CHAIN}),
    ]


def secrets(local: LocalNetwork) -> list[str]:
    """Every RPC password and token of every organisation."""
    found = []
    for key in local.network.topology.nodes:
        kept = local.network.folder(key).secrets.read_text(encoding="utf-8")
        found += [text for text in kept.split('"') if len(text) >= 30]
    return found


def plant_names(local: LocalNetwork, agents: Agents) -> list[Receipt]:
    """Files about investors with a name, an address and a phone number where none belongs; each is refused."""
    member = local.member(OWNER)
    assert member
    folder = agents.folder(member)
    token = uuid.uuid4().hex[:8]
    cells = f"{NAME},{ADDRESS},{PHONE}"
    contents = [
        f"investor_id,name,address,phone\nCANARY-1,{cells}\n",
        f"CANARY-1,{cells}\n",
        f"investor_id,coin_investor_id\nCANARY-1,,{cells}\n",
        f"investor_id,coin_investor_id\n{NAME},{ADDRESS}\n",
        f'investor_id,coin_investor_id\n"{cells}\n',
    ]
    receipts = []
    for number, content in enumerate(contents):
        name = f"investors-canary-{token}-{number}.csv"
        drop(inbox_dir=folder.inbox, name=name, content=content.encode())
        receipts.append(wait_receipt(receipts_dir=folder.receipts, name=name, timeout_seconds=TIMEOUT_SECONDS))
    return receipts


def places(store: Store, wanted: list[str]) -> dict[str, set[str]]:
    """Text → tables in which it was found."""
    found: dict[str, set[str]] = {text: set() for text in wanted}
    for one in store.found:
        found[wanted[one.text]].add(one.table)
    return found


def files_with(paths: Iterable[Path], texts: Iterable[str]) -> dict[str, list[str]]:
    """Path → which of the texts its bytes hold; by number, since a text may be a secret."""
    wanted = [text.encode() for text in texts]
    found = {}
    for path in paths:
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            continue  # a log or journal that was just rolled over
        if hits := [f"text {number}" for number, text in enumerate(wanted) if text in content]:
            found[str(path)] = hits
    return found
