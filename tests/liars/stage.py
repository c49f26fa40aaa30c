"""The market of the liars' tests: either custodian's seller meets the other's buyer; all that moves is looked at."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from ippon.demo.run import TOKYO
from ippon.local import LocalNetwork, Right
from ippon.model import FillStatus
from ippon.node import HttpNode, rows, start_and_wait
from liars.talk import Liars

LIAR, HONEST = "custodian-b", "custodian-a"
ROLES = {LIAR: "custodian", "exchange": "exchange", "asset": "asset"}
NAMES = {LIAR: "Custodian B", HONEST: "Custodian A"}
REGISTRAR, ISSUER = "Asset Registrar", "Coin Issuer"
SECURITY, PLATFORM = "ZA101", "IPPON"
UNIT_PRICE, QUANTITY = 100, 10
AMOUNT = UNIT_PRICE * QUANTITY
TIMEOUT_SECONDS = 60.0
_POLL_SECONDS = 0.1


@dataclass
class Stage:
    """The network of the liars, and a market at which either custodian's seller meets the other's buyer."""

    local: LocalNetwork
    liars: Liars
    prefix: str
    nodes: dict[tuple[str, Right], HttpNode]
    opened_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    count: int = 0

    def run(self, member: str, operation: str, **arguments: Any) -> dict[str, Any]:
        """A production flow to its end."""
        return start_and_wait(
            self.nodes[member, "agent"],
            client_id=f"liars:{uuid.uuid4()}",
            operation=operation,
            arguments=arguments,
            timeout_seconds=TIMEOUT_SECONDS,
            forget=True,
        )

    def ask(self, member: str, query: str, **arguments: Any) -> list[dict[str, Any]]:
        """All rows of a query."""
        return list(rows(self.nodes[member, "reader"], query, arguments))

    def new_id(self) -> str:
        """An execution id that no fill has yet."""
        self.count += 1
        return f"{self.prefix}EX-{self.count}"

    def notice(self, *, seller: str) -> dict[str, Any]:
        """A fill by which `seller`'s investor sells to the other custodian's, as arguments of `notify_fill`."""
        buyer = HONEST if seller == LIAR else LIAR
        execution_id = self.new_id()
        today = datetime.now(TOKYO).date().isoformat()
        return {
            **{"execution_id": execution_id, "trade_id": f"T{execution_id}"},
            **{"sell_order_id": f"S{execution_id}", "buy_order_id": f"B{execution_id}"},
            **{"platform_code": PLATFORM, "security_code": SECURITY, "quantity": QUANTITY},
            **{"unit_price": f"{UNIT_PRICE}.00", "amount": AMOUNT},
            **{"seller_custodian": NAMES[seller], "seller_investor_id": f"{self.prefix}S"},
            **{"buyer_custodian": NAMES[buyer], "buyer_investor_id": f"{self.prefix}B"},
            **{"trade_date": today, "executed_at": self.opened_at.isoformat(timespec="milliseconds")[:-6] + "Z"},
            **{"settle_date": today},
        }

    def fill(self, *, seller: str) -> str:
        """A new fill, on record at both custodians; its execution id."""
        notice = self.notice(seller=seller)
        self.run("exchange", "notify_fill", **notice)
        for member in NAMES:
            eventually(partial(self._is_open, member, str(notice["execution_id"])))
        return str(notice["execution_id"])

    def status(self, member: str, execution_id: str) -> FillStatus | None:
        """How a fill stands on a custodian's record."""
        found = self.ask(member, "fills", execution_ids=[execution_id])
        return FillStatus(found[0]["status"]) if found else None

    def _is_open(self, member: str, execution_id: str) -> bool:
        return self.status(member, execution_id) is FillStatus.OPEN

    def recorded(self, member: str, transaction_id: str) -> bool:
        """Whether a node has recorded a transaction."""
        return bool(self.ask(member, "transactions", transaction_ids=[transaction_id]))

    def settle(self, execution_id: str, *, seller: str) -> dict[str, Any]:
        """What an honest try of the seller's custodian says of a fill."""
        (result,) = self.run(seller, "settle_fills", execution_ids=[execution_id])["results"]
        return dict(result)

    def holdings(self) -> dict[tuple[str, str, str], int]:
        """What the market's investors hold: units and yen by custodian, investor and asset."""
        found = self._balances()
        return {key: row["total"] for key, row in found.items() if key[1].startswith(self.prefix)}

    def rest(self) -> None:
        """Wait until no node has anything pending and no custodian anything reserved."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while found := self.unrest():
            assert time.monotonic() < deadline, f"not at rest within {TIMEOUT_SECONDS} s: {found}"
            time.sleep(_POLL_SECONDS)

    def unrest(self) -> list[str]:
        """Everything pending at any node and reserved at any custodian."""
        pending = [one for part in self._everywhere(self._pending) for one in part]
        return pending + [
            f"{key}: {row['reserved']} reserved" for key, row in self._balances().items() if row["reserved"]
        ]

    def _pending(self, member: str) -> list[str]:
        return [f"{member}: {row}" for row in self.ask(member, "pending")]

    def _balances(self) -> dict[tuple[str, str, str], dict[str, Any]]:
        def read(member: str) -> list[tuple[str, dict[str, Any]]]:
            return [(member, row) for asset in ("UNITS", "COINS") for row in self.ask(member, "balances", asset=asset)]

        found = [one for part in self._everywhere(read, NAMES) for one in part]
        return {(member, row["investor_id"], row.get("security_code") or "yen"): row for member, row in found}

    def _everywhere(self, read: Callable[[str], Any], members: Any = None) -> list[Any]:
        """Ask many nodes at once; each has a client of its own."""
        keys = list(members or [member.key for member in self.local.members])
        with ThreadPoolExecutor(len(keys)) as pool:
            return list(pool.map(read, keys))

    @contextmanager
    def truth_after(self, *, seller: str) -> Iterator[str]:
        """A fill to lie about. The lie moves nothing; then the fill settles at once, and nobody holds anything."""
        before = self.holdings()
        execution_id = self.fill(seller=seller)
        yield execution_id
        assert self.holdings() == before
        self.settles(execution_id, seller=seller)

    def settles(self, execution_id: str, *, seller: str) -> str:
        """The honest settlement goes through, moves what the fill says, and leaves nothing; its transaction."""
        before = self.holdings()
        result = self.settle(execution_id, seller=seller)
        assert result["outcome"] == "SETTLED", result
        eventually(lambda: self.holdings() == after(before, seller, self.prefix))
        self.rest()
        return str(result["transaction_id"])


def after(before: dict[tuple[str, str, str], int], seller: str, prefix: str) -> dict[tuple[str, str, str], int]:
    """What the investors hold once a fill has settled."""
    buyer = HONEST if seller == LIAR else LIAR
    then = dict(before)
    for member, investor, units in ((seller, f"{prefix}S", -QUANTITY), (buyer, f"{prefix}B", QUANTITY)):
        then[member, investor, SECURITY] = then.get((member, investor, SECURITY), 0) + units
        then[member, investor, "yen"] = then.get((member, investor, "yen"), 0) - units * UNIT_PRICE
    return then


def eventually(holds: Callable[[], bool], *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
    """Wait until something is so: other nodes record a moment after the flow that told them has ended."""
    deadline = time.monotonic() + timeout_seconds
    while not holds():
        assert time.monotonic() < deadline, f"not so within {timeout_seconds} s"
        time.sleep(_POLL_SECONDS)
