"""What is true on the model ledger: transactions, the states they make, and the notary."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from ippon.errors import Refusal

Fields = dict[str, Any]
COINS = "COINS"
EXCHANGE, REGISTRAR, ISSUER = "Exchange", "Registrar", "Issuer"


@cache
def party(name: str) -> str:
    """An organisation's X.500 name."""
    return f"O={name}, L=Tokyo, C=JP"


class Position(NamedTuple):
    """One account in one asset: a security code, or COINS."""

    custodian: str
    investor_id: str
    asset: str


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """An output of a transaction; position and size (units or yen) of a holding, content of anything else."""

    ref: str
    kind: str
    owners: tuple[str, ...]
    position: Position | None = None
    size: int = 0
    data: Mapping[str, Any] | None = None

    @property
    def transaction_id(self) -> str:
        """Of the transaction that made it."""
        return self.ref[:64]

    def content(self) -> Fields:
        """Its fields in the words of docs/node-operations.md."""
        if self.position is None:
            return dict(self.data or {})
        holder: Fields = {"custodian": party(self.position.custodian), "investor_id": self.position.investor_id}
        if self.kind == "Coin":
            return {"amount": self.size, **holder, "issuer": party(ISSUER)}
        security = {"security_code": self.position.asset, "registrar": party(REGISTRAR)}
        return {**security, "units": self.size, **holder}


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """What a flow signs: inputs, outputs, one command, and for a settlement its time-window."""

    transaction_id: str
    command: str
    data: Mapping[str, Any]
    inputs: tuple[State, ...]
    outputs: tuple[State, ...]
    window: tuple[datetime, datetime] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A state to be made."""

    kind: str
    owners: tuple[str, ...]
    position: Position | None = None
    size: int = 0
    data: Mapping[str, Any] | None = None


def holding(position: Position, size: int) -> Draft:
    """A holding to be made."""
    coins = position.asset == COINS
    owner = ISSUER if coins else REGISTRAR
    return Draft(
        kind="Coin" if coins else "SecurityToken", owners=(position.custodian, owner), position=position, size=size
    )


class Book:
    """All transactions, and what the notary has seen spent."""

    def __init__(self) -> None:
        self.transactions: dict[str, Transaction] = {}
        self.spent: dict[str, str] = {}
        self._last = 0

    def build(
        self,
        command: str,
        data: Mapping[str, Any],
        *,
        inputs: tuple[State, ...] = (),
        outputs: tuple[Draft, ...] = (),
        window: tuple[datetime, datetime] | None = None,
    ) -> Transaction:
        """A transaction that nobody has signed yet; its id is a number, so that a seed always makes the same."""
        self._last += 1
        transaction_id = f"{self._last:064X}"
        states = tuple(
            State(
                ref=f"{transaction_id}:{index}",
                kind=one.kind,
                owners=one.owners,
                position=one.position,
                size=one.size,
                data=one.data,
            )
            for index, one in enumerate(outputs)
        )
        tx = Transaction(
            transaction_id=transaction_id, command=command, data=data, inputs=inputs, outputs=states, window=window
        )
        self.transactions[transaction_id] = tx
        return tx

    def notarise(self, tx: Transaction, now: datetime) -> None:
        """The notary's word; the very same transaction is answered as it was before.

        Raises: Refusal NOTARY_CONFLICT or WRONG_TIME_WINDOW.
        """
        spent = [self.spent.get(state.ref) for state in tx.inputs]
        if any(by is not None and by != tx.transaction_id for by in spent):
            raise Refusal("Another transaction has consumed an input already.", code="NOTARY_CONFLICT")
        if spent and all(by == tx.transaction_id for by in spent):
            return
        if tx.window is not None and not tx.window[0] <= now < tx.window[1]:
            raise Refusal(f"The notary's time {now} is outside the window.", code="WRONG_TIME_WINDOW")
        self.spent.update((state.ref, tx.transaction_id) for state in tx.inputs)
