"""A small ledger made by hand for the proof's tests: five nodes, a day, and what an honest network's vaults hold."""

import hashlib
from collections import defaultdict
from typing import Any

from ippon.report.snapshot import Snapshot

NAMES = {
    "exchange": "O=Exchange, L=Tokyo, C=JP",
    "asset": "O=Asset Registrar, L=Tokyo, C=JP",
    "coin": "O=Coin Issuer, L=Tokyo, C=JP",
    "custodian-a": "O=Custodian A, L=Tokyo, C=JP",
    "custodian-b": "O=Custodian B, L=Tokyo, C=JP",
}
NODE_OF = {name: node for node, name in NAMES.items()}
A, B = NAMES["custodian-a"], NAMES["custodian-b"]
Data = dict[str, Any]


def holder(custodian: str, investor_id: str) -> Data:
    return {"custodian": custodian, "investor_id": investor_id}


def token(custodian: str, investor_id: str, units: int) -> tuple[str, Data]:
    security = {"security_code": "ZA101", "registrar": NAMES["asset"]}
    return "SecurityToken", {**security, "units": units, **holder(custodian, investor_id)}


def coin(custodian: str, investor_id: str, amount: int) -> tuple[str, Data]:
    return "Coin", {"amount": amount, **holder(custodian, investor_id), "issuer": NAMES["coin"]}


def instruction(custodian: str, instruction_id: str, investor_id: str, amount: int) -> tuple[str, Data]:
    return "TrustInstruction", {
        "instruction_id": instruction_id,
        **holder(custodian, investor_id),
        "amount": amount,
        "issuer": NAMES["coin"],
        "expires_at": "2026-07-02T00:00:00.000Z",
    }


def fill(execution_id: str, seller: tuple[str, str], buyer: tuple[str, str], quantity: int) -> tuple[str, Data]:
    return "Fill", {
        "execution_id": execution_id,
        "venue": NAMES["exchange"],
        "platform_code": "IPPON",
        "security_code": "ZA101",
        "registrar": NAMES["asset"],
        "quantity": quantity,
        "unit_price": "50.00",
        "amount": quantity * 50,
        "seller_custodian": seller[0],
        "seller_investor_id": seller[1],
        "buyer_custodian": buyer[0],
        "buyer_investor_id": buyer[1],
        "coin_issuer": NAMES["coin"],
    }


def term(execution_id: str, seller: str, buyer: str, buyer_coin: str | None = None) -> Data:
    return {
        "execution_id": execution_id,
        "seller_token_id": seller,
        "buyer_token_id": buyer,
        "seller_coin_id": seller,
        "buyer_coin_id": buyer_coin or buyer,
        "route_id": "R-1",
        "route_version": 1,
    }


def participants(row_type: str, data: Data) -> list[str]:
    if row_type == "Fill":
        return [data["seller_custodian"], data["buyer_custodian"]]
    return [data["custodian"], data["registrar"] if row_type == "SecurityToken" else data["issuer"]]


class World:
    """Transactions, and who recorded them."""

    def __init__(self) -> None:
        self.transactions: dict[str, Data] = {}
        self.recorded: dict[str, set[str]] = defaultdict(set)
        self.statement: list[Data] = []

    def tx(
        self, label: str, commands: list[tuple[str, Data]], inputs: list[str], outputs: list[tuple[str, Data]]
    ) -> list[str]:
        """Record a transaction at everybody it concerns; its id is made from `label`. Returns the output refs."""
        tx_id = hashlib.sha256(label.encode()).hexdigest().upper()
        rows: list[Data] = [
            {"ref": f"{tx_id}:{n}", "type": kind, "data": data} for n, (kind, data) in enumerate(outputs)
        ]
        self.transactions[tx_id] = {
            "transaction_id": tx_id,
            "inputs": inputs,
            "outputs": rows,
            "commands": [{"name": name, "data": data, "signers": []} for name, data in commands],
        }
        touched = [(row["type"], row["data"]) for row in rows] + [self.state(ref) for ref in inputs]
        for name in {name for kind, data in touched for name in participants(kind, data)}:
            self.recorded[NODE_OF[name]].add(tx_id)
        return [row["ref"] for row in rows]

    def state(self, ref: str) -> tuple[str, Data]:
        row = self.transactions[ref.split(":")[0]]["outputs"][int(ref.split(":")[1])]
        return row["type"], row["data"]

    def pay_in(self, line_id: str, custodian: str, reference: str, amount: int) -> None:
        line = {"line_id": line_id, "value_date": "2026-07-01", "amount": amount, "reference": reference}
        self.statement.append(line | {"custodian": custodian.split(",")[0].removeprefix("O=")})

    def coins(self, custodian: str, instruction_id: str, investor_id: str, amount: int) -> str:
        """Instruct and issue; returns the coin's ref."""
        made = self.tx(
            f"instruct {instruction_id}",
            [("TrustInstructionCommand.Instruct", {})],
            [],
            [instruction(custodian, instruction_id, investor_id, amount)],
        )
        commands: list[tuple[str, Data]] = [
            ("CoinCommand.Issue", {"amount_issued": amount}),
            ("TrustInstructionCommand.Execute", {}),
        ]
        self.pay_in(f"ST-{instruction_id}", custodian, instruction_id, amount)
        return self.tx(f"issue {instruction_id}", commands, made, [coin(custodian, investor_id, amount)])[0]

    def vault(self, node: str) -> Data:
        states = []
        spenders = {ref: tx_id for tx_id in self.recorded[node] for ref in self.transactions[tx_id]["inputs"]}
        for tx_id in sorted(self.recorded[node]):
            for row in self.transactions[tx_id]["outputs"]:
                if NAMES[node] in participants(row["type"], row["data"]):
                    by = spenders.get(row["ref"])
                    states.append({**row, "status": "CONSUMED" if by else "UNCONSUMED", "consumed_by": by})
        role = node.split("-", maxsplit=1)[0]
        transactions = [self.transactions[tx_id] for tx_id in sorted(self.recorded[node])]
        return {"organisation": NAMES[node], "roles": [role], "states": states, "transactions": transactions}

    def snapshot(self) -> Snapshot:
        content = {
            "taken_at": "2026-07-01T06:00:00.000Z",
            "nodes": {node: self.vault(node) for node in NAMES},
            "statements": [{"account": "TRUST-0001", "lines": self.statement}],
        }
        # Through JSON, so that no test shares rows with another node's copy.
        return Snapshot.model_validate_json(Snapshot.model_validate(content).model_dump_json())


def settle(*terms: Data) -> list[tuple[str, Data]]:
    return [
        ("FillCommand.Settle", {"terms": list(terms)}),
        ("SecurityTokenCommand.Transfer", {"transfer_id": ""}),
        ("CoinCommand.Transfer", {"transfer_id": ""}),
    ]


def honest_day() -> World:
    """Units, coins (one instruction rejected), two settlements (one within B), a bust, an open fill, a redemption."""
    world = World()
    units = world.tx("units", [("SecurityTokenCommand.Issue", {"issue_id": "IS-1"})], [], [token(A, "a1", 100)])[0]
    b1_coins = world.coins(B, "TI-1", "coin-b1", 1_000)
    b2_coins = world.coins(B, "TI-2", "b2", 200)
    rejected = world.tx(
        "instruct IN-3", [("TrustInstructionCommand.Instruct", {})], [], [instruction(A, "IN-3", "a1", 500)]
    )
    world.tx("reject IN-3", [("TrustInstructionCommand.Reject", {"reason": "450 received"})], rejected, [])
    world.pay_in("ST-IN-3", A, "IN-3", 450)
    world.pay_in("ST-LOST", B, "NOBODY", 50)
    fills = {
        "EX-1": fill("EX-1", (A, "a1"), (B, "b1"), 10),
        "EX-2": fill("EX-2", (B, "b1"), (B, "b2"), 2),
        "EX-3": fill("EX-3", (A, "a1"), (B, "b9"), 1),
        "EX-4": fill("EX-4", (A, "a1"), (B, "b3"), 1),
    }
    notify: list[tuple[str, Data]] = [("FillCommand.Notify", {})]
    refs = {name: world.tx(f"notify {name}", notify, [], [state])[0] for name, state in fills.items()}
    _, b1_units, a1_coins, b1_change = world.tx(
        "settle EX-1",
        settle(term("EX-1", "a1", "b1", "coin-b1")),
        [refs["EX-1"], units, b1_coins],
        [token(A, "a1", 90), token(B, "b1", 10), coin(A, "a1", 500), coin(B, "coin-b1", 500)],
    )
    second = term("EX-2", "b1", "b2") | {"seller_coin_id": "coin-b1"}
    world.tx(
        "settle EX-2",
        settle(second),
        [refs["EX-2"], b1_units, b2_coins, b1_change],
        [token(B, "b1", 8), token(B, "b2", 2), coin(B, "coin-b1", 600), coin(B, "b2", 100)],
    )
    world.tx("bust EX-3", [("FillCommand.Bust", {"execution_ids": ["EX-3"], "reason": "wrong"})], [refs["EX-3"]], [])
    redeem: list[tuple[str, Data]] = [("CoinCommand.Redeem", {"redemption_id": "RD-1", "amount_redeemed": 120})]
    world.tx("redeem RD-1", redeem, [a1_coins], [coin(A, "a1", 380)])
    world.pay_in("ST-RD-1", A, "RD-1", -120)
    return world
