"""The custodian's flows beside settlement: investors, routes, instructions, announcements, transfers, redemptions."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ippon.model import organisation
from ippon.simulator.book import COINS, ISSUER, REGISTRAR, Draft, Fields, Position, State, Transaction, holding
from ippon.simulator.member import Member, refuse_unless
from ippon.simulator.network import TALK, Check, Flow, Network, Receiver, Responder, Run, deliver

MAX_ANNOUNCED = 200
MAX_ROUTES = 100


def register_investors(network: Network, run: Run, *, investors: Sequence[Mapping[str, Any]]) -> Flow:  # noqa: ARG001
    """Investors.kt: all or none."""
    yield from ()
    fresh: dict[str, Fields] = {}
    for entry in investors:
        name, coin = entry["investor_id"], entry.get("coin_investor_id") or entry["investor_id"]
        known = run.member.investors.get(name)
        same = known is None or known["coin_investor_id"] == coin
        refuse_unless(same, "WRONG_ACCOUNT", f"{name} is registered with another coin id.", "coin_investor_id")
        if known is None:
            fresh[name] = {"investor_id": name, "coin_investor_id": coin}
    run.member.investors.update(fresh)
    return {"registered": len(fresh), "known": len(investors) - len(fresh)}


def register_funds_route(network: Network, run: Run, *, investor_id: str, institution_code: str, method: str) -> Flow:
    """FundsRoutes.kt: registers, or replaces the one in force by the next version."""
    member = run.member
    member.investor(investor_id)
    old = member.routes.get((member.name, investor_id))
    data = dict(old.data or {}) if old else {}
    if old is not None and (data["institution_code"], data["method"]) == (institution_code, method):
        return {"route_id": data["route_id"], "version": data["version"], "transaction_id": old.transaction_id}
    route = {
        **{"route_id": f"R-{member.name.replace(' ', '-')}-{investor_id}", "version": data.get("version", 0) + 1},
        **{"custodian": member.name, "investor_id": investor_id},
        **{"institution_code": institution_code, "method": method},
    }
    draft = Draft(kind="FundsRoute", owners=(member.name,), data=route)
    tx = network.book.build("Replace" if old else "Register", {}, inputs=(old,) if old else (), outputs=(draft,))
    yield from deliver(network, run, tx, [])
    return {"route_id": route["route_id"], "version": route["version"], "transaction_id": tx.transaction_id}


def share_funds_routes(network: Network, run: Run, *, custodian: str, investor_ids: Sequence[str]) -> Flow:
    """FundsRoutes.kt: the newest word on each route; repeating it does no harm."""
    most = f"investor_ids must be 1 to {MAX_ROUTES}"
    refuse_unless(1 <= len(investor_ids) <= MAX_ROUTES, "TOO_MANY", most, "investor_ids")
    member, other = run.member, network.members[organisation(custodian)]
    shared = 0
    for investor_id in investor_ids:
        route = member.routes.get((member.name, investor_id))
        if route is None:
            continue
        tx = network.book.transactions[route.transaction_id]
        responder = Responder(network, other, member.name)
        yield from deliver(network, run, tx, [[Receiver(responder=responder, check=_newer(other))]])
        shared += 1
    return {"shared": shared}


def _newer(member: Member) -> Check:
    def check(tx: Transaction) -> None:
        data = tx.outputs[0].data or {}
        here = member.routes.get((data["custodian"], data["investor_id"]))
        fits = here is None or (here.data or {})["version"] <= data["version"]
        refuse_unless(fits, "ROUTE_CONFLICT", "A newer route is here already.", "route_id")

    return check


def instruct_trust(
    network: Network, run: Run, *, instruction_id: str, investor_id: str, amount: int, expires_at: str
) -> Flow:
    """TrustInstructions.kt: the id makes one instruction."""
    member, content = run.member, (investor_id, amount)
    known = member.started_before("INSTRUCTION", instruction_id, content, "INSTRUCTION_ID_REUSED", "instruction_id")
    base = {"instruction_id": instruction_id}
    if known is not None:
        return {**base, "transaction_id": known, "already_instructed": True}
    coin_id = member.investor(investor_id)["coin_investor_id"]
    data = {
        **{"instruction_id": instruction_id, "custodian": member.name, "investor_id": coin_id},
        **{"amount": amount, "expires_at": datetime.fromisoformat(expires_at)},
    }
    draft = Draft(kind="TrustInstruction", owners=(member.name, ISSUER), data=data)
    tx = network.book.build("Instruct", {}, outputs=(draft,))
    issuer = network.members[ISSUER]

    def first(_: Transaction) -> None:
        taken = (member.name, instruction_id) in issuer.instructions
        refuse_unless(not taken, "INSTRUCTION_ID_REUSED", "It is on record already.", "instruction_id")

    def free() -> None:
        taken = ("INSTRUCTION", instruction_id) in member.started
        refuse_unless(not taken, "INSTRUCTION_ID_REUSED", "It is being used by another request.", "instruction_id")

    def noted(_: Transaction) -> None:
        member.started["INSTRUCTION", instruction_id] = (content, tx.transaction_id)

    receiver = Receiver(responder=Responder(network, issuer, member.name), check=first)
    yield from deliver(network, run, tx, [[receiver]], before_recording=free, on_recorded=noted)
    return {**base, "transaction_id": tx.transaction_id, "already_instructed": False}


def announce_funds(network: Network, run: Run, *, custodian: str, execution_ids: Sequence[str]) -> Flow:
    """AnnounceFunds.kt: noted for open fills between the two only."""
    most = f"execution_ids must be 1 to {MAX_ANNOUNCED}"
    refuse_unless(1 <= len(execution_ids) <= MAX_ANNOUNCED, "TOO_MANY", most, "execution_ids")
    yield TALK
    other = network.members[organisation(custodian)]
    Responder(network, other, run.member.name).reach()
    announced = 0
    for execution_id in execution_ids:
        kept = other.fills.get(execution_id)
        data = (kept.state.data if kept else None) or {}
        between = (data.get("seller_custodian"), data.get("buyer_custodian")) == (other.name, run.member.name)
        if kept is not None and kept.consumed_by is None and between:
            other.note("FUNDS_ANNOUNCED", execution_id, "CMON", run.member.name)
            announced += 1
    network.moved(other)
    yield TALK
    return {"announced": announced}


def transfer_security(
    network: Network,
    run: Run,
    *,
    transfer_id: str,
    security_code: str,
    units: int,
    from_investor_id: str,
    to_custodian: str,
    to_investor_id: str,
) -> Flow:
    """Securities.kt: units free of payment; the id moves once."""
    member, other = run.member, network.members[organisation(to_custodian)]
    content = (security_code, units, from_investor_id, other.name, to_investor_id)
    known = member.started_before("TRANSFER", transfer_id, content, "TRANSFER_ID_REUSED", "transfer_id")
    if known is not None:
        return {"transfer_id": transfer_id, "transaction_id": known}
    member.investor(from_investor_id, "from_investor_id")
    source = Position(member.name, from_investor_id, security_code)
    target = Position(other.name, to_investor_id, security_code)
    tx = _moved(network, run, source, units, "Transfer", {"transfer_id": transfer_id}, target)

    def theirs(_: Transaction) -> None:
        other.investor(to_investor_id)

    rounds = [] if other is member else [[Receiver(responder=Responder(network, other, member.name), check=theirs)]]
    rounds.append([_registered(network, REGISTRAR, member.name)])
    yield from deliver(network, run, tx, rounds, on_recorded=note_started(member, "TRANSFER", transfer_id, content))
    return {"transfer_id": transfer_id, "transaction_id": tx.transaction_id}


def redeem_coins(network: Network, run: Run, *, redemption_id: str, investor_id: str, amount: int) -> Flow:
    """Coins.kt: coins back to the issuer for yen; the id redeems once."""
    member, content = run.member, (investor_id, amount)
    known = member.started_before("REDEMPTION", redemption_id, content, "REDEMPTION_ID_REUSED", "redemption_id")
    if known is not None:
        return {"redemption_id": redemption_id, "transaction_id": known}
    source = Position(member.name, str(member.investor(investor_id)["coin_investor_id"]), COINS)
    tx = _moved(network, run, source, amount, "Redeem", {"redemption_id": redemption_id, "amount": amount}, None)
    rounds = [[_registered(network, ISSUER, member.name)]]
    yield from deliver(network, run, tx, rounds, on_recorded=note_started(member, "REDEMPTION", redemption_id, content))
    return {"redemption_id": redemption_id, "transaction_id": tx.transaction_id}


def _moved(
    network: Network, run: Run, source: Position, size: int, command: str, data: Fields, target: Position | None
) -> Transaction:
    states: list[State] = run.member.reserve(source, size, run.run_id)
    change = sum(state.size for state in states) - size
    outputs = [] if target is None else [holding(target, size)]
    outputs += [holding(source, change)] if change else []
    return network.book.build(command, data, inputs=tuple(states), outputs=tuple(outputs))


def _registered(network: Network, name: str, sender: str) -> Receiver:
    member = network.members[name]

    def check(tx: Transaction) -> None:
        refuse_unless(member.unconsumed(tx.inputs), "NOT_ON_REGISTER", "An input is not on the register.", "inputs")

    return Receiver(responder=Responder(network, member, sender), check=check, signs=True)


def note_started(member: Member, kind: str, business_id: str, content: object) -> Check:
    """Writes down what a business id has become when that is recorded."""

    def noted(tx: Transaction) -> None:
        member.started[kind, business_id] = (content, tx.transaction_id)

    return noted
