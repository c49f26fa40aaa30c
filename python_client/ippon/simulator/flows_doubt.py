"""What follows a signature that never came back: AskOutcome and ReclaimCoins."""

from ippon.errors import IpponError
from ippon.simulator.book import COINS, ISSUER, Fields, Position, State, Transaction, holding
from ippon.simulator.member import Member, refuse_unless
from ippon.simulator.network import TALK, Check, Flow, Network, Receiver, Responder, Run, deliver


def ask_outcome(network: Network, run: Run, *, transaction_id: str) -> Flow:
    """AskOutcome.kt: who has the transaction sends it to a node that had to sign it."""
    yield TALK
    return _ask(network, run, transaction_id)


def _ask(network: Network, run: Run, transaction_id: str) -> Fields:
    base = {"transaction_id": transaction_id}
    if transaction_id in run.member.recorded:
        return {**base, "outcome": "RECORDED", "from": None}
    tx = network.book.transactions.get(transaction_id)
    for name in sorted(network.members):
        other = network.members[name]
        if tx is not None and other is not run.member and not other.down and transaction_id in other.recorded:
            run.member.record(tx)
            run.member.pending()
            return {**base, "outcome": "RECORDED", "from": name}
    return {**base, "outcome": "UNKNOWN", "from": None}


def reclaim_coins(network: Network, run: Run, *, transaction_id: str) -> Flow:
    """ReclaimCoins.kt: coins signed away are spent to their own holders, which decides the matter."""
    yield TALK
    member = run.member
    found = _ask(network, run, transaction_id)
    if found["outcome"] == "RECORDED":
        return {**found, "outcome": "SETTLED"}
    coins = _waiting_coins(member, transaction_id)
    refuse_unless(bool(coins), "UNKNOWN_TRANSACTION", f"No unspent coins wait for {transaction_id}.", "transaction_id")
    sizes: dict[Position, int] = {}
    for position, state in coins:
        sizes[position] = sizes.get(position, 0) + state.size
    outputs = tuple(holding(position, size) for position, size in sizes.items())
    inputs = tuple(state for _, state in coins)
    tx = network.book.build("Transfer", {"transfer_id": "reclaim"}, inputs=inputs, outputs=outputs)
    issuer = Responder(network, network.members[ISSUER], member.name)
    try:
        yield from deliver(network, run, tx, [[Receiver(responder=issuer, check=_registered(issuer), signs=True)]])
    except IpponError as problem:
        if problem.code != "NOTARY_CONFLICT":
            raise
        return {**_ask(network, run, transaction_id), "outcome": "SETTLED"}
    for row in [row for row in member.pendings.values() if row.transaction_id == transaction_id]:
        member.unpend(row.run_id)
    return {"transaction_id": transaction_id, "outcome": "RECLAIMED", "by_transaction_id": tx.transaction_id}


def _waiting_coins(member: Member, transaction_id: str) -> list[tuple[Position, State]]:
    """This node's coins that a signed transaction, past its deadline, would spend."""
    now = member.now()
    rows = (row for row in member.pendings.values() if row.transaction_id == transaction_id and row.deadline < now)
    return [
        (state.position, state)
        for row in rows
        for state in row.inputs
        if state.position is not None and state.position[::2] == (member.name, COINS) and member.unconsumed([state])
    ]


def _registered(responder: Responder) -> Check:
    def check(tx: Transaction) -> None:
        fits = responder.member.unconsumed(tx.inputs)
        refuse_unless(fits, "NOT_ON_REGISTER", "The coins must be on the register.", "inputs")

    return check
