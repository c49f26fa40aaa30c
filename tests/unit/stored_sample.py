"""A made-up store reader's output: custodian B's disk after it bought a token that had moved within A.

issue → Custodian A's S ─ EX-1 (within A) → A's M ─ EX-2 (A to B) → B's Z
"""

from __future__ import annotations

from typing import Any

from ippon.report.stored import Store

A, B, V = "O=Custodian A, L=Tokyo, C=JP", "O=Custodian B, L=Tokyo, C=JP", "O=Exchange, L=Tokyo, C=JP"
R, ISSUER, N = "O=Asset Registrar, L=Tokyo, C=JP", "O=Coin Issuer, L=Tokyo, C=JP", "O=Notary, L=Tokyo, C=JP"
SECURITY = {"code": "ZA101", "registrar": R}
JAR = {"id": "AA", "file_name": "ippon contracts", "uploader": "app", "entries": ["org/ippon/contracts/Checks.class"]}

Json = dict[str, Any]


def holder(custodian: str, investor: str) -> Json:
    return {"custodian": custodian, "investor_id": investor}


def token(custodian: str, investor: str) -> Json:
    data = {"security": SECURITY, "units": 10, "holder": holder(custodian, investor)}
    return {"type": "SecurityToken", "contract": "…", "data": data}


def coin(custodian: str, investor: str) -> Json:
    data = {"amount": 1000, "holder": holder(custodian, investor), "issuer": ISSUER}
    return {"type": "Coin", "contract": "…", "data": data}


def route(custodian: str, investor: str) -> Json:
    data = {
        "route_id": f"R-{investor}",
        "version": 1,
        "holder": holder(custodian, investor),
        "institution_code": "COIN0001",
        "method": "COIN",
    }
    return {"type": "FundsRoute", "contract": "…", "data": data}


def fill(name: str, seller: Json, buyer: Json) -> Json:
    data = {
        "execution_id": name,
        "venue": V,
        "platform_code": "IPPON",
        "security": SECURITY,
        "quantity": 10,
        "unit_price": "100.00",
        "amount": 1000,
        "seller": seller,
        "buyer": buyer,
        "coin_issuer": ISSUER,
        "trade_date": "2026-07-01",
        "executed_at": "2026-07-01T01:00:00Z",
        "settle_date": "2026-07-01",
        "order_proof": {"trade_id": "01", "sell_order_id": "02", "buy_order_id": "03"},
        "token_transaction_id": None,
        "reverses": None,
    }
    return {"type": "Fill", "contract": "…", "data": data}


def command(type_: str, *signers: str, **data: Any) -> Json:
    return {"type": type_, "data": data, "signers": list(signers)}


def transaction(id_: str, commands: list[Json], *, inputs: list[str], outputs: list[Json], recorded: bool) -> Json:
    return {
        "id": id_,
        "recorded": recorded,
        "signatures": [N],
        "commands": commands,
        "inputs": inputs,
        "references": [],
        "outputs": outputs,
        "notary": N,
        "time_window": {"from": None, "until": "2026-07-01T01:01:00Z"},
        "attachments": ["AA"],
    }


def settle(id_: str, name: str, inputs: list[str], outputs: list[Json], *signers: str, recorded: bool) -> Json:
    terms = {"execution_id": name, "seller_token_id": "S", "buyer_token_id": "M", "route_id": "R-M", "route_version": 1}
    commands = [
        command("FillCommand.Settle", *signers, terms=[terms]),
        command("SecurityTokenCommand.Transfer", *signers, transfer_id=""),
        command("CoinCommand.Transfer", *signers, transfer_id=""),
    ]
    return transaction(id_, commands, inputs=inputs, outputs=outputs, recorded=recorded)


def transactions() -> list[Json]:
    notify = command("FillCommand.Notify", V)
    within = fill("EX-1", holder(A, "S"), holder(A, "M"))
    across = fill("EX-2", holder(A, "M"), holder(B, "Z"))
    issue = command("SecurityTokenCommand.Issue", R, issue_id="P-1")
    cash = [
        command("CoinCommand.Issue", ISSUER, amount_issued=1000),
        command("TrustInstructionCommand.Execute", ISSUER),
    ]
    shared = command("FundsRouteCommand.Register", A)
    return [
        transaction("T0", [issue], inputs=[], outputs=[token(A, "S")], recorded=False),
        transaction("T1", [notify], inputs=[], outputs=[within], recorded=False),
        transaction("T2", cash, inputs=[], outputs=[coin(A, "M")], recorded=False),
        settle("T3", "EX-1", ["T0:0", "T1:0", "T2:0"], [token(A, "M"), coin(A, "S")], A, R, ISSUER, recorded=False),
        transaction("T4", [notify], inputs=[], outputs=[across], recorded=True),
        transaction("T5", cash, inputs=[], outputs=[coin(B, "Z")], recorded=True),
        settle("T6", "EX-2", ["T3:0", "T4:0", "T5:0"], [token(B, "Z"), coin(A, "M")], A, B, R, ISSUER, recorded=True),
        transaction("T7", [shared], inputs=[], outputs=[route(A, "M")], recorded=True),
    ]


def table(name: str, *columns: str, rows: int = 1) -> Json:
    return {"name": name, "rows": rows, "columns": [{"name": one, "type": "VARCHAR"} for one in columns]}


def document(stored: list[Json] | None = None, *, tables: list[Json] | None = None) -> Json:
    return {
        "h2": "1.4.199",
        "tables": tables or [table("NODE_TRANSACTIONS", "TX_ID"), table("VAULT_STATES", "TRANSACTION_ID")],
        "transactions": transactions() if stored is None else stored,
        "attachments": [JAR] if stored is None or stored else [],
        "found": [],
        "values": {},
    }


def store(content: Json | None = None) -> Store:
    return Store.model_validate(document() if content is None else content)


NOTARY_TABLES = [
    table("NODE_NOTARY_COMMITTED_STATES", "OUTPUT_INDEX", "TRANSACTION_ID", "CONSUMING_TRANSACTION_ID"),
    table("NODE_NOTARY_REQUEST_LOG", "ID", "CONSUMING_TRANSACTION_ID", "REQUESTING_PARTY_NAME", "REQUEST_TIMESTAMP"),
    table("NODE_TRANSACTIONS", "TX_ID", rows=0),
]
