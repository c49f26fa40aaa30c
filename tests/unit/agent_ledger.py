"""A model ledger: a few members, their fills, units, coins, routes and trust account, with the answers of real nodes.

Flows run to their end at once; faults are switched on by the tests (`ModelNode`).
"""

# ruff: noqa: ARG002 (all flows are called alike)

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ippon.agent.decide import settle_day_start
from ippon.agent.tools import Clock
from ippon.errors import IpponError, Refusal
from ippon.model import organisation, utc_text

Fields = dict[str, Any]


def party(name: str) -> str:
    return f"O={name}, L=Tokyo, C=JP"


@dataclass
class Ledger:
    """What all members together know. Holdings are keyed by (custodian, investor id[, security])."""

    clock: Clock
    fills: dict[str, Fields] = field(default_factory=dict)
    units: dict[tuple[str, str, str], int] = field(default_factory=lambda: defaultdict(int))
    coins: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    routes: dict[tuple[str, str], Fields] = field(default_factory=dict)
    known_routes: dict[str, dict[tuple[str, str], Fields]] = field(default_factory=lambda: defaultdict(dict))
    instructions: dict[tuple[str, str], Fields] = field(default_factory=dict)
    statement: dict[str, Fields] = field(default_factory=dict)
    investors: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    notices: dict[str, list[Fields]] = field(default_factory=lambda: defaultdict(list))
    pending: dict[str, list[Fields]] = field(default_factory=lambda: defaultdict(list))
    sequence: int = 100
    settled: list[str] = field(default_factory=list)
    done: dict[str, Fields] = field(default_factory=dict)

    def now(self) -> datetime:
        return self.clock.now()

    def transaction(self) -> str:
        self.sequence += 1
        return f"{self.sequence:064X}"

    def run(self, me: str, operation: str, arguments: Mapping[str, Any]) -> Fields:
        flow = getattr(self, f"flow_{operation}", None)
        if flow is None:
            raise Refusal(f"no {operation} here", code="NO_SUCH_OPERATION")
        result: Fields = flow(me, **arguments)
        self.sequence += 1
        return result

    def note(self, me: str, kind: str, execution_id: str, reason: str, **more: Any) -> None:
        rows = self.notices[me]
        rows.append(
            {"sequence": len(rows) + 1, "at": utc_text(self.now()), "kind": kind, "execution_id": execution_id}
            | {"reason": reason, "counterparty": party("somebody"), **more}
        )

    # ---- exchange

    def flow_notify_fill(self, me: str, **fill: Any) -> Fields:
        execution_id = fill["execution_id"]
        for side in ("seller", "buyer"):
            custodian = organisation(fill[f"{side}_custodian"])
            if fill[f"{side}_investor_id"] not in self.investors[custodian]:
                raise Refusal("unknown", code="UNKNOWN_INVESTOR", field=f"{side}_investor_id", where=custodian)
        known = self.fills.get(execution_id)
        if known is not None:
            return {"execution_id": execution_id, "transaction_id": known["notify_tx"], "already_notified": True}
        tx = self.transaction()
        now = utc_text(self.now())
        self.fills[execution_id] = {
            **fill,
            **{"venue": party(me), "registrar": party("Registrar"), "coin_issuer": party("Issuer")},
            **{"ref": f"{tx}:0", "status": "OPEN", "ended_by": None, "notify_tx": tx},
            **{f"{side}_custodian": party(organisation(fill[f"{side}_custodian"])) for side in ("seller", "buyer")},
            **{"recorded_at": now, "changed_at": now},
        }
        return {"execution_id": execution_id, "transaction_id": tx, "already_notified": False}

    def flow_bust_fill(self, me: str, execution_id: str, reason: str) -> Fields:
        fill = self.fills.get(execution_id)
        if fill is None:
            raise Refusal("unknown", code="UNKNOWN_FILL", field="execution_id")
        if fill["status"] == "SETTLED":
            raise Refusal("settled", code="ALREADY_SETTLED", field="execution_id")
        self._end(fill, "BUSTED")
        return {"execution_id": execution_id, "transaction_id": fill["ended_by"]}

    def _end(self, fill: Fields, status: str, tx: str | None = None) -> None:
        fill.update(status=status, ended_by=tx or self.transaction(), changed_at=utc_text(self.now()))

    # ---- custodian

    def flow_settle_fills(self, me: str, execution_ids: list[str]) -> Fields:
        return {"results": [self._settle(me, execution_id) for execution_id in execution_ids]}

    def _settle(self, me: str, execution_id: str) -> Fields:
        fill = self.fills[execution_id]
        base: Fields = {"execution_id": execution_id, "message": "model"}
        if fill["status"] != "OPEN":
            return {**base, "outcome": fill["status"], "transaction_id": fill["ended_by"]}
        if settle_day_start(datetime.fromisoformat(fill["settle_date"]).date()) > self.now():
            return {**base, "outcome": "WAITING", "reason": "FUTU", "cause": "NOT_YET"}
        buyer = organisation(fill["buyer_custodian"])
        route = self.routes.get((buyer, fill["buyer_investor_id"]))
        if route is None or route["method"] != "COIN":
            cause = "ROUTE_MISSING" if route is None else "ROUTE_BANK"
            self.note(buyer, "ROUTE_NEEDED", execution_id, "CONF", investor_id=fill["buyer_investor_id"])
            return {**base, "outcome": "WAITING", "reason": "CONF", "cause": cause}
        return self._exchange(me, buyer, fill, base)

    def _exchange(self, me: str, buyer: str, fill: Fields, base: Fields) -> Fields:
        seller_units = (me, fill["seller_investor_id"], fill["security_code"])
        buyer_coins = (buyer, self.investors[buyer][fill["buyer_investor_id"]])
        short = fill["amount"] - self.coins[buyer_coins]
        if short > 0:
            self.note(buyer, "SHORTAGE", fill["execution_id"], "MONY", missing=short, investor_id=buyer_coins[1])
            mine = {"reason": "MONY", "missing": short} if buyer == me else {"reason": "CMON"}
            return {**base, "outcome": "WAITING", "cause": "SHORT_OF_COINS", **mine}
        lacking = fill["quantity"] - self.units[seller_units]
        if lacking > 0:
            self.note(me, "SHORTAGE", fill["execution_id"], "LACK", missing=lacking, investor_id=seller_units[1])
            return {**base, "outcome": "WAITING", "reason": "LACK", "cause": "SHORT_OF_UNITS", "missing": lacking}
        self.units[seller_units] -= fill["quantity"]
        self.units[buyer, fill["buyer_investor_id"], fill["security_code"]] += fill["quantity"]
        self.coins[buyer_coins] -= fill["amount"]
        self.coins[me, self.investors[me][fill["seller_investor_id"]]] += fill["amount"]
        self._end(fill, "SETTLED")
        self.settled.append(fill["execution_id"])
        return {**base, "outcome": "SETTLED", "transaction_id": fill["ended_by"]}

    def flow_register_investors(self, me: str, investors: list[Fields]) -> Fields:
        for investor in investors:
            if investor["investor_id"].startswith("BAD"):
                raise Refusal("bad investor", code="WRONG_ACCOUNT", field="investor_id")
        for investor in investors:
            self.investors[me][investor["investor_id"]] = investor.get("coin_investor_id") or investor["investor_id"]
        return {"registered": len(investors), "known": 0}

    def flow_register_funds_route(self, me: str, investor_id: str, institution_code: str, method: str) -> Fields:
        if investor_id not in self.investors[me]:
            raise Refusal("unknown", code="UNKNOWN_INVESTOR", field="investor_id")
        old = self.routes.get((me, investor_id))
        route = {
            **{"route_id": f"R-{me}-{investor_id}", "version": (old["version"] if old else 0) + 1},
            **{"custodian": party(me), "investor_id": investor_id},
            **{"institution_code": institution_code, "method": method},
        }
        self.routes[me, investor_id] = route
        return {**route, "transaction_id": self.transaction()}

    def flow_share_funds_routes(self, me: str, custodian: str, investor_ids: list[str]) -> Fields:
        shared = {(me, investor): self.routes[me, investor] for investor in investor_ids}
        self.known_routes[organisation(custodian)].update(shared)
        return {"shared": len(investor_ids)}

    def flow_instruct_trust(self, me: str, **order: Any) -> Fields:
        if order["investor_id"] not in self.investors[me]:
            raise Refusal("unknown", code="UNKNOWN_INVESTOR", field="investor_id")
        key = (me, order["instruction_id"])
        already = key in self.instructions
        base = {"custodian": party(me), "issuer": party("Issuer"), "status": "OPEN", **order}
        self.instructions.setdefault(key, base)
        tx = self.transaction()
        return {"instruction_id": key[1], "transaction_id": tx, "already_instructed": already}

    def flow_transfer_security(self, me: str, **order: Any) -> Fields:
        source = (me, order["from_investor_id"], order["security_code"])
        if self.units[source] < order["units"]:
            raise Refusal("short", code="SHORT_OF_UNITS", field="units")
        self.units[source] -= order["units"]
        self.units[organisation(order["to_custodian"]), order["to_investor_id"], order["security_code"]] += order[
            "units"
        ]
        return {"transfer_id": order["transfer_id"], "transaction_id": self.transaction()}

    def flow_announce_funds(self, me: str, custodian: str, execution_ids: list[str]) -> Fields:
        for execution_id in execution_ids:
            self.note(organisation(custodian), "FUNDS_ANNOUNCED", execution_id, "CMON")
        return {"announced": len(execution_ids)}

    def flow_ask_outcome(self, me: str, transaction_id: str) -> Fields:
        return {"transaction_id": transaction_id, "outcome": "UNKNOWN"}

    def flow_reclaim_coins(self, me: str, transaction_id: str) -> Fields:
        self.pending[me].clear()
        return {"transaction_id": transaction_id, "outcome": "RECLAIMED", "by_transaction_id": self.transaction()}

    # ---- asset and coin

    def flow_issue_security(self, me: str, **position: Any) -> Fields:
        holder = (organisation(position["custodian"]), position["investor_id"], position["security_code"])
        self.units[holder] += position["units"]
        return {"issue_id": position["issue_id"], "transaction_id": self.transaction(), "already_issued": False}

    def flow_record_statement(self, me: str, lines: list[Fields]) -> Fields:
        fresh = [line for line in lines if line["line_id"] not in self.statement]
        self.statement.update({line["line_id"]: dict(line) for line in fresh})
        return {"recorded": len(fresh), "known": len(lines) - len(fresh)}

    def _ended(self, custodian: str, instruction_id: str, status: str, **more: Any) -> Fields:
        instruction = self.instructions[organisation(custodian), instruction_id]
        if instruction["status"] != "OPEN":
            raise Refusal("ended", code="INSTRUCTION_ENDED", field="instruction_id")
        instruction.update(status=status, ended_by=self.transaction(), **more)
        return {"instruction_id": instruction_id, "transaction_id": instruction["ended_by"]}

    def flow_issue_coins(self, me: str, custodian: str, instruction_id: str, line_id: str) -> Fields:
        result = self._ended(custodian, instruction_id, "EXECUTED")
        instruction = self.instructions[organisation(custodian), instruction_id]
        holder = (organisation(custodian), self.investors[organisation(custodian)][instruction["investor_id"]])
        self.coins[holder] += instruction["amount"]
        self.statement[line_id]["used_by"] = instruction_id
        return result

    def flow_reject_instruction(self, me: str, custodian: str, instruction_id: str, reason: str) -> Fields:
        return self._ended(custodian, instruction_id, "REJECTED", reason=reason)

    def flow_expire_instruction(self, me: str, custodian: str, instruction_id: str) -> Fields:
        return self._ended(custodian, instruction_id, "EXPIRED")

    # ---- queries

    def rows(self, me: str, name: str, arguments: Mapping[str, Any]) -> list[Fields]:
        found: list[Fields] = getattr(self, f"query_{name}")(me, arguments)
        for key in ("execution_ids", "instruction_ids", "investor_ids"):
            if arguments.get(key) is not None:
                found = [row for row in found if row[key[:-1]] in arguments[key]]
        return found

    def query_fills(self, me: str, arguments: Mapping[str, Any]) -> list[Fields]:
        mine = [
            fill
            for fill in self.fills.values()
            if me in (organisation(fill["seller_custodian"]), organisation(fill["buyer_custodian"]))
        ]
        after = arguments.get("changed_after") or ""
        return sorted((fill for fill in mine if fill["changed_at"] > after), key=lambda fill: fill["changed_at"])

    def query_notified(self, me: str, arguments: Mapping[str, Any]) -> list[Fields]:
        return [
            {"execution_id": fill["execution_id"], "transaction_id": fill["notify_tx"], "status": "NOTIFIED"}
            | {"notified_at": fill["recorded_at"]}
            for fill in self.fills.values()
        ]

    def query_notices(self, me: str, arguments: Mapping[str, Any]) -> list[Fields]:
        return [row for row in self.notices[me] if row["sequence"] > arguments.get("after", 0)]

    def query_routes(self, me: str, arguments: Mapping[str, Any]) -> list[Fields]:
        own = {key: route for key, route in self.routes.items() if key[0] == me}
        return list({**self.known_routes[me], **own}.values())

    def query_investors(self, me: str, arguments: Mapping[str, Any]) -> list[Fields]:
        return [{"investor_id": one, "coin_investor_id": coin} for one, coin in self.investors[me].items()]

    def query_instructions(self, me: str, arguments: Mapping[str, Any]) -> list[Fields]:
        return [row for (custodian, _), row in self.instructions.items() if me in (custodian, "Issuer")]

    def query_statement(self, me: str, arguments: Mapping[str, Any]) -> list[Fields]:
        return list(self.statement.values())

    def query_pending(self, me: str, arguments: Mapping[str, Any]) -> list[Fields]:
        return self.pending[me]

    def query_balances(self, me: str, arguments: Mapping[str, Any]) -> list[Fields]:
        if arguments["asset"] == "COINS":
            found = [
                {"custodian": party(key[0]), "investor_id": key[1], "issuer": party("Issuer"), "total": total}
                for key, total in self.coins.items()
            ]
        else:
            found = [
                {"custodian": party(key[0]), "investor_id": key[1], "security_code": key[2], "total": total}
                for key, total in self.units.items()
            ]
        return [{**row, "reserved": 0} for row in found if arguments.get("investor_id") in (None, row["investor_id"])]


def error_of(problem: IpponError) -> Fields:
    return dict(problem.to_wire())
