"""The exchange's flows: NotifyFill.kt and BustFill.kt."""

from typing import Any

from ippon.errors import IpponError, Refusal
from ippon.model import organisation
from ippon.simulator.book import Draft, Transaction
from ippon.simulator.member import refuse_unless
from ippon.simulator.network import Flow, Network, Receiver, Responder, Run, deliver


def notify_fill(network: Network, run: Run, **notice: Any) -> Flow:
    """NotifyFill.kt: once per execution id; a repetition is sent again, other content is refused."""
    member, name = run.member, str(notice["execution_id"])
    content = tuple(sorted((key, str(value)) for key, value in notice.items()))
    before = member.notified.get(name)
    if before is not None:
        same = before["content"] == content
        refuse_unless(same, "EXECUTION_ID_REUSED", f"{name} was notified with other content.", "execution_id")
        tx = network.book.transactions[before["transaction_id"]]
    else:
        sides = {f"{side}_custodian": organisation(notice[f"{side}_custodian"]) for side in ("seller", "buyer")}
        owners = tuple(dict.fromkeys(sides.values()))
        data = {**notice, **sides, "quantity": int(notice["quantity"]), "amount": int(notice["amount"])}
        tx = network.book.build("Notify", {}, outputs=(Draft(kind="Fill", owners=owners, data=data),))

    def free() -> None:
        taken = before is None and name in member.notified
        refuse_unless(not taken, "EXECUTION_ID_REUSED", f"{name} is being notified by another request.", "execution_id")

    def noted(_: Transaction) -> None:
        row = {"transaction_id": tx.transaction_id, "notified_at": member.now(), "status": "NOTIFIED", "ended_by": None}
        member.notified[name] = {**row, "content": content, "execution_id": name}

    if before is None or before["status"] == "NOTIFIED":
        data = dict(tx.outputs[0].data or {})
        custodians = dict.fromkeys((data["seller_custodian"], data["buyer_custodian"]))
        receivers = [_fill_receiver(network, one, member.name) for one in custodians]
        yield from deliver(network, run, tx, [receivers], before_recording=free, on_recorded=noted)
    return {"execution_id": name, "transaction_id": tx.transaction_id, "already_notified": before is not None}


def _fill_receiver(network: Network, custodian: str, venue: str) -> Receiver:
    member = network.members[custodian]

    def check(tx: Transaction) -> None:
        data = tx.outputs[0].data or {}
        for side in ("seller", "buyer"):
            if data[f"{side}_custodian"] == member.name:
                member.investor(data[f"{side}_investor_id"], f"{side}_investor_id")
        earlier = member.fills.get(data["execution_id"])
        first = earlier is None or earlier.state.ref == tx.outputs[0].ref
        refuse_unless(first, "DUPLICATE_FILL", f"{data['execution_id']} is on record already.", "execution_id")

    return Receiver(responder=Responder(network, member, venue), check=check)


def bust_fill(network: Network, run: Run, *, execution_id: str, reason: str) -> Flow:
    """BustFill.kt: against a settlement the notary decides."""
    row = run.member.notified.get(execution_id)
    if row is None:
        raise Refusal(f"{execution_id} was never notified.", code="UNKNOWN_FILL", field="execution_id")
    if row["status"] == "BUSTED":
        return {"execution_id": execution_id, "transaction_id": row["ended_by"]}
    fill = network.book.transactions[row["transaction_id"]].outputs[0]
    tx = network.book.build("Bust", {"execution_ids": [execution_id], "reason": reason}, inputs=(fill,))

    def noted(_: Transaction) -> None:
        row.update(status="BUSTED", ended_by=tx.transaction_id)

    receivers = [_bust_receiver(network, one, run.member.name) for one in fill.owners]
    try:
        yield from deliver(network, run, tx, [receivers], on_recorded=noted)
    except IpponError as problem:
        if problem.code == "NOTARY_CONFLICT":
            raise Refusal("It has settled.", code="ALREADY_SETTLED", field="execution_id") from problem
        raise
    return {"execution_id": execution_id, "transaction_id": tx.transaction_id}


def _bust_receiver(network: Network, custodian: str, venue: str) -> Receiver:
    member = network.members[custodian]

    def check(tx: Transaction) -> None:
        data = tx.inputs[0].data or {}
        kept = member.fills.get(data["execution_id"])
        refuse_unless(kept is not None, "UNKNOWN_FILL", "The fill is not on record here.", "execution_id")
        over = kept is not None and member.status(kept) == "SETTLED"
        refuse_unless(not over, "ALREADY_SETTLED", "It has settled.", "execution_id")

    return Receiver(responder=Responder(network, member, venue), check=check)
