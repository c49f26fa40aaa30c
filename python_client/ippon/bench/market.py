"""The market that is measured: sellers at Custodian A and buyers at Custodian B, with plenty, and their fills.

Everything is done by the organisations' own bridges, with flows under client ids of the bench's own.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from ippon.demo.run import TOKYO
from ippon.local import LocalNetwork
from ippon.node import HttpNode, await_node, start_and_wait

SELLER, BUYER = "custodian-a", "custodian-b"
SELLER_NAME, BUYER_NAME = "Custodian A", "Custodian B"
SECURITY, PLATFORM = "ZA101", "IPPON"
PRICE, QUANTITY = 100, 1
PLENTY_UNITS, PLENTY_YEN = 100_000, 10_000_000
TIMEOUT_SECONDS = 300.0
NOTIFIED_AT_ONCE = 4


class Bridges:
    """A client of each organisation's bridge."""

    def __init__(self, local: LocalNetwork) -> None:
        self._nodes = {member.key: local.node(member, "agent") for member in local.members}
        self._serial = itertools.count(1)
        for node in self._nodes.values():
            await_node(node, timeout_seconds=TIMEOUT_SECONDS)

    def node(self, member: str) -> HttpNode:
        """One organisation's bridge."""
        return self._nodes[member]

    def run(self, member: str, operation: str, **arguments: Any) -> dict[str, Any]:
        """A flow, from its start to its result."""
        return start_and_wait(
            self._nodes[member],
            client_id=f"bench:{next(self._serial)}",
            operation=operation,
            arguments=arguments,
            timeout_seconds=TIMEOUT_SECONDS,
            forget=True,
        )

    def close(self) -> None:
        """Let the connections go."""
        for node in self._nodes.values():
            node.close()


class Market:
    """Investors S-0 … and B-0 …, and fills between those of one number."""

    def __init__(self, bridges: Bridges, pairs: int) -> None:
        self._bridges = bridges
        self.pairs = pairs
        self._fills = itertools.count(1)

    def open(self) -> None:
        """Investors, routes, units and coins."""
        for member, other, side in ((SELLER, BUYER_NAME, "S"), (BUYER, SELLER_NAME, "B")):
            ids = [f"{side}-{number}" for number in range(self.pairs)]
            investors = [{"investor_id": one} for one in ids]
            self._bridges.run(member, "register_investors", investors=investors)
            for one in ids:
                self.route(member, one)
            self._bridges.run(member, "share_funds_routes", custodian=other, investor_ids=ids)
        for number in range(self.pairs):
            self.units(f"S-{number}", PLENTY_UNITS)
            self.coins(f"B-{number}", PLENTY_YEN)

    def add(self, member: str, investor_id: str) -> None:
        """One more investor, with a coin route that the other custodian knows."""
        other = BUYER_NAME if member == SELLER else SELLER_NAME
        self._bridges.run(member, "register_investors", investors=[{"investor_id": investor_id}])
        self.route(member, investor_id)
        self._bridges.run(member, "share_funds_routes", custodian=other, investor_ids=[investor_id])

    def route(self, member: str, investor_id: str) -> None:
        """This investor pays in coins."""
        arguments = {"investor_id": investor_id, "institution_code": "COIN0001", "method": "COIN"}
        self._bridges.run(member, "register_funds_route", **arguments)

    def units(self, investor_id: str, units: int) -> None:
        """Issue units to an investor of the seller's custodian."""
        position = {"issue_id": f"IS-{investor_id}", "security_code": SECURITY, "units": units}
        self._bridges.run("asset", "issue_security", custodian=SELLER_NAME, investor_id=investor_id, **position)

    def coins(self, investor_id: str, amount: int) -> None:
        """Issue coins to an investor of the buyer's custodian, against cash in the statement."""
        instruction_id = f"TI-{investor_id}"
        expires_at = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        order = {"instruction_id": instruction_id, "investor_id": investor_id, "amount": amount}
        self._bridges.run(BUYER, "instruct_trust", expires_at=expires_at, **order)
        line: dict[str, Any] = {"line_id": f"ST-{investor_id}", "value_date": datetime.now(TOKYO).date().isoformat()}
        line |= {"amount": amount, "reference": instruction_id, "custodian": BUYER_NAME}
        self._bridges.run("coin", "record_statement", lines=[line])
        issue = {"custodian": BUYER_NAME, "instruction_id": instruction_id, "line_id": line["line_id"]}
        self._bridges.run("coin", "issue_coins", **issue)

    def fills(self, count: int) -> list[str]:
        """So many fills on the ledger, the pairs in turn; their execution ids."""
        numbers = [next(self._fills) for _ in range(count)]
        pairs = [(f"S-{number % self.pairs}", f"B-{number % self.pairs}") for number in numbers]
        with ThreadPoolExecutor(NOTIFIED_AT_ONCE) as pool:
            return list(pool.map(self._notify, numbers, pairs))

    def fill(self, seller: str, buyer: str, quantity: int) -> str:
        """One fill between two investors; its execution id."""
        return self._notify(next(self._fills), (seller, buyer), quantity)

    def _notify(self, number: int, pair: tuple[str, str], quantity: int = QUANTITY) -> str:
        now = datetime.now(UTC)
        today = now.astimezone(TOKYO).date().isoformat()
        execution_id = f"EX-{number}"
        fill = {
            **{"execution_id": execution_id, "trade_id": f"TR-{number}"},
            **{"sell_order_id": f"OS-{number}", "buy_order_id": f"OB-{number}"},
            **{"platform_code": PLATFORM, "security_code": SECURITY, "quantity": quantity},
            **{"unit_price": f"{PRICE}.00", "amount": PRICE * quantity},
            **{"seller_custodian": SELLER_NAME, "seller_investor_id": pair[0]},
            **{"buyer_custodian": BUYER_NAME, "buyer_investor_id": pair[1]},
            **{"trade_date": today, "settle_date": today},
            **{"executed_at": now.isoformat(timespec="milliseconds").replace("+00:00", "Z")},
        }
        self._bridges.run("exchange", "notify_fill", **fill)
        return execution_id


def settle_one(bridges: Bridges, execution_ids: Sequence[str]) -> None:
    """One settle flow, which must settle all of these."""
    answer = bridges.run(SELLER, "settle_fills", execution_ids=list(execution_ids))
    wrong = [result for result in answer["results"] if result["outcome"] != "SETTLED"]
    if wrong:
        raise RuntimeError(f"a fill that must settle did not: {wrong[0]}")
