"""What goes on between a backup and its restore: something of everything that a network does, as files.

Investors come, units are issued, coins ordered, paid for and issued, fills settle, wait and are busted, units move free
of payment, coins are redeemed, a reversal is accepted.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from chaos.stage import BUYER, BUYER_NAME, ORDER_COLUMNS, PLATFORM, SECURITY, SELLER, SELLER_NAME, Stage, line_of
from ippon.demo.run import TOKYO
from ippon.model import DeskState
from ippon.node import await_node, rows

TIMEOUT_SECONDS = 180.0
UNITS, YEN, PRICE, QUANTITY = 50, 50_000, 100, 10
MOVED, REDEEMED = 3, 700
_POLL_SECONDS = 0.2
_numbers = itertools.count(1)
VOLATILE = ("registered_at", "recorded_at", "changed_at", "notified_at", "consumed_at")
QUERIES: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "exchange": (("notified", {}),),
    "asset": (("balances", {"asset": "UNITS"}),),
    "coin": (("balances", {"asset": "COINS"}), ("instructions", {}), ("statement", {})),
    "custodian": (
        *(("fills", {}), ("investors", {}), ("routes", {}), ("instructions", {})),
        *(("balances", {"asset": "UNITS"}), ("balances", {"asset": "COINS"})),
    ),
}


class Life:
    """One stretch of it; ids of its own."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.name = f"{stage.prefix}L{next(_numbers)}"
        self.seller, self.buyer, self.other = (f"{self.name}-{one}" for one in ("S", "B", "O"))
        self.files: list[tuple[str, str, bytes]] = []
        self.settled: list[str] = []
        self.busted: list[str] = []
        self.waiting: list[str] = []

    def go_on(self) -> Life:
        """Live it, and wait until all of it is over but what waits for another day."""
        self._come()
        self._pay()
        self._trade()
        self._move()
        return self

    def owe(self) -> str:
        """Only come, and trade one fill whose buyer has no coins yet; its execution id."""
        self._come()
        fill = self._fill(1, datetime.now(TOKYO).date())
        self._file("exchange", "orders", ORDER_COLUMNS, *self._orders(fill))
        self._file("exchange", "fills", ",".join(fill), line_of(fill))
        self.settled = [str(fill["execution_id"])]
        self._await(lambda: self._state(self.settled[0]) is DeskState.WAITING, "the shortage")
        return self.settled[0]

    def pay_up(self) -> None:
        """Pay what `owe` owes, and see it settle."""
        self._pay(settles=self.settled)

    def send_again(self, member: str) -> None:
        """Send all files of a member again, as those who sent them would; wait until each has its answer."""
        for to, name, content in self.files:
            if to == member:
                self._send(to, name, content)

    # ---- what happens

    def _come(self) -> None:
        for member, investors in ((SELLER, [self.seller]), (BUYER, [self.buyer, self.other])):
            self._file(member, "investors", "investor_id,coin_investor_id", *(f"{one}," for one in investors))
            self._file(
                member, "routes", "investor_id,institution_code,method", *(f"{one},SC,COIN" for one in investors)
            )
        self._file(
            "asset",
            "positions",
            "issue_id,security_code,custodian,investor_id,units",
            f"{self.name}-IS,{SECURITY},{SELLER_NAME},{self.seller},{UNITS}",
        )

    def _pay(self, settles: Sequence[str] = ()) -> None:
        self._file(BUYER, "instructions", "instruction_id,investor_id,amount", f"{self.name}-TI,{self.buyer},{YEN}")
        line = {
            **{"line_id": f"{self.name}-ST", "value_date": datetime.now(TOKYO).date().isoformat()},
            **{"amount": YEN, "reference": f"{self.name}-TI", "custodian": BUYER_NAME},
        }
        self._drop(
            "coin", f"statement-{self.name}.json", json.dumps({"account": "TRUST-0001", "lines": [line]}).encode()
        )
        for one in settles:
            self.stage.settle(one, timeout_seconds=TIMEOUT_SECONDS)
        left = YEN - len(settles) * PRICE * QUANTITY
        self._await(lambda: self._coins(self.buyer) == left, "the coins")

    def _trade(self) -> None:
        today = datetime.now(TOKYO).date()
        fills = [self._fill(number, today if number <= 2 else today + timedelta(days=1)) for number in (1, 2, 3, 4)]
        orders = [line for fill in fills for line in self._orders(fill)]
        self._file("exchange", "orders", ORDER_COLUMNS, *orders)
        self._file("exchange", "fills", ",".join(fills[0]), *map(line_of, fills))
        ids = [str(fill["execution_id"]) for fill in fills]
        self.settled, self.busted, self.waiting = ids[:2], ids[2:3], ids[3:]
        for one in self.settled:
            self.stage.settle(one, timeout_seconds=TIMEOUT_SECONDS)
        self._file("exchange", "busts", "execution_id,reason", f"{self.busted[0]},drill")
        self._await(lambda: self._state(self.busted[0]) is DeskState.BUSTED, "the bust")

    def _move(self) -> None:
        self._await(lambda: self._units(self.buyer) == 2 * QUANTITY, "the units")
        self._file(
            BUYER,
            "transfers",
            "transfer_id,security_code,units,from_investor_id,to_custodian,to_investor_id",
            f"{self.name}-TF,{SECURITY},{MOVED},{self.buyer},{BUYER_NAME},{self.other}",
        )
        self._file(BUYER, "redemptions", "redemption_id,investor_id,amount", f"{self.name}-RD,{self.buyer},{REDEEMED}")
        for member in (SELLER, BUYER):
            self._file(member, "reversals", "execution_id,reverses", f"{self.name}-RV,{self.settled[0]}")

    def _fill(self, number: int, settle_date: object) -> dict[str, str | int]:
        return {
            **self.stage.fill(number),
            **{"execution_id": f"{self.name}-EX-{number}", "trade_id": f"{self.name}-TR-{number}"},
            **{"sell_order_id": f"{self.name}-OS-{number}", "buy_order_id": f"{self.name}-OB-{number}"},
            **{"seller_investor_id": self.seller, "buyer_investor_id": self.buyer, "settle_date": str(settle_date)},
        }

    def _orders(self, fill: dict[str, str | int]) -> list[str]:
        what = f"{SECURITY},{QUANTITY},{PRICE}.00,{PLATFORM}"
        return [
            f"{fill['sell_order_id']},SELL,{SELLER_NAME},{self.seller},{what}",
            f"{fill['buy_order_id']},BUY,{BUYER_NAME},{self.buyer},{what}",
        ]

    # ---- files

    def _file(self, member: str, kind: str, *lines: str) -> None:
        self._drop(member, f"{kind}-{self.name}.csv", ("\n".join(lines) + "\n").encode())

    def _drop(self, member: str, name: str, content: bytes) -> None:
        self.files.append((member, name, content))
        self._send(member, name, content)

    def _send(self, member: str, name: str, content: bytes) -> None:
        self.stage.floor.drop(member, name, content)
        self._await(lambda: self._answered(member, name), f"{member}'s answer to {name}")

    def _answered(self, member: str, name: str) -> bool:
        receipt = self.stage.floor.receipt(member, name)
        if receipt is None or receipt.pending:
            return False
        assert all(row.status == "accepted" for row in receipt.rows), (name, receipt.rows)
        return True

    # ---- what is so

    def _state(self, execution_id: str) -> DeskState | None:
        stand = self.stage.stand(execution_id)
        return stand.state if stand else None

    def _coins(self, investor_id: str) -> int:
        return sum(int(row["total"]) for row in self._rows("balances", {"asset": "COINS", "investor_id": investor_id}))

    def _units(self, investor_id: str) -> int:
        return sum(int(row["total"]) for row in self._rows("balances", {"asset": "UNITS", "investor_id": investor_id}))

    def _rows(self, query: str, arguments: dict[str, Any]) -> Iterator[dict[str, Any]]:
        member = self.stage.local.member(BUYER)
        assert member
        with self.stage.local.node(member, "reader") as node:
            yield from rows(node, query, arguments)

    def _await(self, so: Any, what: str) -> None:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not so():
            assert time.monotonic() < deadline, f"{what} did not come in {TIMEOUT_SECONDS} s"
            time.sleep(_POLL_SECONDS)


def facts(stage: Stage) -> dict[str, list[str]]:
    """Everything that the nodes tell, but when they learnt it: the same before a loss and after its repair."""
    found: dict[str, list[str]] = {}
    for member in stage.local.members:
        kind = "custodian" if member.key in (SELLER, BUYER) else member.key
        with stage.local.node(member, "reader") as node:
            await_node(node, timeout_seconds=TIMEOUT_SECONDS)
            for query, arguments in QUERIES[kind]:
                told = (
                    {name: value for name, value in row.items() if name not in VOLATILE}
                    for row in rows(node, query, arguments)
                )
                name = " ".join((member.key, query, *arguments.values()))
                found[name] = sorted(json.dumps(row, sort_keys=True) for row in told)
    return found
