"""The floor of the network on this machine: real inboxes, the agents' stores, and the nodes by reader tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from ippon.agent.inbox import Receipt, drop, read_receipt
from ippon.agent.store import Store
from ippon.agent.view import SettlementView, attempts, settlements, shortages
from ippon.demo.agents import AgentFolder, Agents
from ippon.demo.floor import FileStand, FillStand, Holding, RowStand
from ippon.errors import BadFile
from ippon.local import LocalNetwork, Member
from ippon.model import Asset, InstructionStatus, Role, Side, organisation
from ippon.node import HttpNode, rows
from ippon.report.day import AttemptRow

PAGE = 1_000
SELLING = (Side.SELL, Side.BOTH)


class LocalFloor:
    """See `Floor`. Use as a context manager; the agents must have been started."""

    def __init__(self, local: LocalNetwork, agents: Agents, *, prefix: str) -> None:
        """`prefix`: of the run's ids; fills of other runs are left out."""
        self._local = local
        self._agents = agents
        self._prefix = prefix
        self._open = ExitStack()
        self._nodes: dict[str, HttpNode] = {}
        self._stores: dict[str, Store] = {}

    def __enter__(self) -> LocalFloor:
        for member in self._local.with_role(Role.CUSTODIAN):
            self._nodes[member.key] = self._open.enter_context(self._local.node(member, "reader"))
            self._stores[member.key] = Store.open(self._agents.folder(member).store_url, migrate=False)
            self._open.callback(self._stores[member.key].close)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def store(self, member: str) -> Store:
        """A custodian's agent's store, to be read."""
        return self._stores[member]

    def drop(self, member: str, name: str, content: bytes) -> None:
        """See `Floor`; what the bank sends is kept as sent, for the proof."""
        one = self._member(member)
        if Role.COIN in one.roles and name.startswith("statement"):
            self._local.bank_dir.mkdir(parents=True, exist_ok=True)
            (self._local.bank_dir / name).write_bytes(content)
        drop(inbox_dir=self._folder(member).inbox, name=name, content=content)

    def receipt(self, member: str, name: str) -> FileStand | None:
        """See `Floor`."""
        receipt = read_receipt(receipts_dir=self._folder(member).receipts, name=name)
        return None if receipt is None else _file_stand(receipt)

    def instructions(self, member: str, ids: Sequence[str]) -> Mapping[str, InstructionStatus]:
        """See `Floor`."""
        found = rows(self._nodes[member], "instructions", {"instruction_ids": list(ids)})
        return {str(row["instruction_id"]): InstructionStatus(row["status"]) for row in found}

    def fills(self) -> Mapping[str, FillStand]:
        """See `Floor`."""
        found: dict[str, FillStand] = {}
        for store in self._stores.values():
            offset = 0
            while page := settlements(store, limit=PAGE, offset=offset):
                own = [one for one in page if one.side in SELLING and one.execution_id.startswith(self._prefix)]
                found |= {one.execution_id: _fill_stand(one) for one in own}
                offset += PAGE
        return found

    def attempts(self, fill: FillStand) -> list[AttemptRow]:
        """See `Floor`."""
        seller = self._member(fill.seller_custodian)
        return [
            AttemptRow(
                number=one.number,
                cause=one.cause,
                outcome=one.outcome,
                reason=one.reason,
                missing=one.missing,
                seconds=(one.ended_at - one.started_at).total_seconds() if one.ended_at else None,
            )
            for one in attempts(self._stores[seller.key], execution_id=fill.execution_id)
        ]

    def shortages(self, member: str) -> Mapping[str, int]:
        """See `Floor`."""
        found = shortages(self._stores[member])
        return {one.execution_id: one.missing for one in found if one.asset == Asset.COINS}

    def holdings(self) -> list[Holding]:
        """See `Floor`."""
        return [
            Holding(
                custodian=self._member(key).name,
                investor_id=str(row["investor_id"]),
                asset=str(row.get("security_code") or asset.value),
                total=int(row["total"]),
            )
            for key, node in self._nodes.items()
            for asset in Asset
            for row in rows(node, "balances", {"asset": asset.value})
            if organisation(str(row["custodian"])) == self._member(key).name
        ]

    def trouble(self) -> str | None:
        """See `Floor`."""
        dead = self._agents.dead()
        if not dead:
            return None
        consoles = ", ".join(str(self._agents.folder(member).process().console) for member in dead)
        return f"the agent of {', '.join(member.key for member in dead)} does not run any more: see {consoles}"

    def _folder(self, member: str) -> AgentFolder:
        return self._agents.folder(self._member(member))

    def _member(self, text: str) -> Member:
        member = self._local.member(text)
        if member is None:
            known = ", ".join(one.key for one in self._local.members)
            raise BadFile(f"The day is played by '{text}', but the network has only {known}.")
        return member


def _file_stand(receipt: Receipt) -> FileStand:
    found = [
        RowStand(line=row.line, id=row.id, status=row.status, code=row.code, field=row.field, reason=row.reason)
        for row in receipt.rows
    ]
    return FileStand(status=receipt.status, code=receipt.code, reason=receipt.reason, rows=found)


def _fill_stand(view: SettlementView) -> FillStand:
    return FillStand(
        execution_id=view.execution_id,
        state=view.state,
        security_code=view.security_code,
        quantity=view.quantity,
        unit_price=str(view.unit_price),
        amount=view.amount,
        seller_custodian=view.seller_custodian,
        seller_investor_id=view.seller_investor_id,
        buyer_custodian=view.buyer_custodian,
        buyer_investor_id=view.buyer_investor_id,
        reason=view.reason,
        cause=view.cause,
        missing=view.missing,
        tries=view.tries,
        received_at=view.received_at,
        settled_at=view.settled_at,
        transaction_id=view.transaction_id,
    )
