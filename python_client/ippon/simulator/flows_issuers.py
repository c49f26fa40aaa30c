"""The registrar's and the coin issuer's flows: IssueSecurity.kt, Statement.kt, IssueCoins.kt."""

from collections.abc import Mapping, Sequence
from typing import Any

from ippon.errors import Refusal
from ippon.model import organisation, utc_text
from ippon.simulator.book import COINS, Fields, Position, State, Transaction, holding
from ippon.simulator.flows_orders import note_started
from ippon.simulator.member import Member, refuse_unless
from ippon.simulator.network import Flow, Network, Receiver, Responder, Run, deliver


def issue_security(
    network: Network, run: Run, *, issue_id: str, security_code: str, custodian: str, investor_id: str, units: int
) -> Flow:
    """IssueSecurity.kt: the id issues once."""
    member, other = run.member, network.members[organisation(custodian)]
    content = (security_code, other.name, investor_id, units)
    known = member.started_before("ISSUE", issue_id, content, "ISSUE_ID_REUSED", "issue_id")
    if known is not None:
        return {"issue_id": issue_id, "transaction_id": known, "already_issued": True}
    draft = holding(Position(other.name, investor_id, security_code), units)
    tx = network.book.build("Issue", {"issue_id": issue_id}, outputs=(draft,))

    def theirs(_: Transaction) -> None:
        other.investor(investor_id)

    def free() -> None:
        taken = ("ISSUE", issue_id) in member.started
        refuse_unless(not taken, "ISSUE_ID_REUSED", "It is being issued by another request.", "issue_id")

    receiver = Receiver(responder=Responder(network, other, member.name), check=theirs)
    noted = note_started(member, "ISSUE", issue_id, content)
    yield from deliver(network, run, tx, [[receiver]], before_recording=free, on_recorded=noted)
    return {"issue_id": issue_id, "transaction_id": tx.transaction_id, "already_issued": False}


def record_statement(network: Network, run: Run, *, lines: Sequence[Mapping[str, Any]]) -> Flow:  # noqa: ARG001
    """Statement.kt: a line id stands for one line for ever."""
    yield from ()
    names = ("value_date", "amount", "reference", "custodian")
    fresh = []
    for line in lines:
        known = run.member.statement.get(line["line_id"])
        same = known is None or all(str(known[name]) == str(line[name]) for name in names)
        refuse_unless(same, "STATEMENT_LINE_DIFFERS", f"The line {line['line_id']} says something else.", "line_id")
        if known is None:
            fresh.append(line)
    for line in fresh:
        run.member.statement[line["line_id"]] = {**line, "used_by": None, "used_tx": None}
    return {"recorded": len(fresh), "known": len(lines) - len(fresh)}


def issue_coins(network: Network, run: Run, *, custodian: str, instruction_id: str, line_id: str) -> Flow:
    """IssueCoins.kt: exactly the coins of one instruction, against exactly one line of the statement."""
    open_one = _instruction(run.member, custodian, instruction_id)
    data = open_one.data or {}
    _line(run.member, data, line_id)
    position = Position(data["custodian"], data["investor_id"], COINS)
    outputs = (holding(position, data["amount"]),)
    tx = network.book.build("Issue", {"instruction_id": instruction_id}, inputs=(open_one,), outputs=outputs)

    def use() -> None:
        line = _line(run.member, data, line_id)
        line.update(used_by=f"{data['custodian']}/{instruction_id}", used_tx=tx.transaction_id)

    other = network.members[organisation(custodian)]
    receiver = Receiver(responder=Responder(network, other, run.member.name))
    yield from deliver(network, run, tx, [[receiver]], before_notary=use)
    return {"instruction_id": instruction_id, "amount": data["amount"], "transaction_id": tx.transaction_id}


def _instruction(member: Member, custodian: str, instruction_id: str) -> State:
    kept = member.instructions.get((organisation(custodian), instruction_id))
    if kept is None:
        raise Refusal(f"{instruction_id} is not on record.", code="UNKNOWN_INSTRUCTION", field="instruction_id")
    refuse_unless(kept.consumed_by is None, "INSTRUCTION_ENDED", f"{instruction_id} is over.", "instruction_id")
    return kept.state


def _line(member: Member, instruction: Mapping[str, Any], line_id: str) -> Fields:
    line = member.statement.get(line_id)
    if line is None:
        raise Refusal(f"There is no line {line_id}.", code="UNKNOWN_STATEMENT_LINE", field="line_id")
    refuse_unless(line["used_by"] is None, "STATEMENT_LINE_USED", f"The line {line_id} was used.", "line_id")
    said = (organisation(line["custodian"]), line["reference"], line["amount"])
    wanted = (instruction["custodian"], instruction["instruction_id"], instruction["amount"])
    refuse_unless(said == wanted, "STATEMENT_LINE_DIFFERS", f"The line says {said}, not {wanted}.", "amount")
    return line


def reject_instruction(network: Network, run: Run, *, custodian: str, instruction_id: str, reason: str) -> Flow:
    """IssueCoins.kt: the issuer declines."""
    return (yield from _end(network, run, "Reject", custodian, instruction_id, reason))


def expire_instruction(network: Network, run: Run, *, custodian: str, instruction_id: str) -> Flow:
    """IssueCoins.kt: the issuer lets it lapse after its time."""
    data = _instruction(run.member, custodian, instruction_id).data or {}
    over = run.member.now() >= data["expires_at"]
    refuse_unless(over, "NOT_YET", f"{instruction_id} expires {utc_text(data['expires_at'])}.", "instruction_id")
    return (yield from _end(network, run, "Expire", custodian, instruction_id, None))


def _end(network: Network, run: Run, command: str, custodian: str, instruction_id: str, reason: str | None) -> Flow:
    state = _instruction(run.member, custodian, instruction_id)
    tx = network.book.build(command, {"reason": reason}, inputs=(state,))
    other = network.members[organisation(custodian)]
    yield from deliver(network, run, tx, [[Receiver(responder=Responder(network, other, run.member.name))]])
    return {"instruction_id": instruction_id, "transaction_id": tx.transaction_id}
