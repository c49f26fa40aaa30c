"""What the real nodes hold after the day, and what they refuse to do to it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from ippon.agent.inbox import drop, wait_receipt
from ippon.demo.agents import Agents
from ippon.demo.script import load_script
from ippon.errors import IpponError
from ippon.local import LocalNetwork, Right
from ippon.model import DeskState, FillStatus, Role
from ippon.node import HttpNode, rows, start_and_wait
from network.conftest import DAY_1, Day

Client = Callable[[str, Right], HttpNode]
SCRIPT = load_script(DAY_1)
TIMEOUT_SECONDS = 120.0


def run_flow(node: HttpNode, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """A flow under a client id that no agent uses, forgotten afterwards."""
    client_id = f"test:{operation}:{uuid.uuid4()}"
    return start_and_wait(
        node,
        client_id=client_id,
        operation=operation,
        arguments=arguments,
        timeout_seconds=TIMEOUT_SECONDS,
        forget=True,
    )


def states(node: HttpNode, row_type: str) -> list[dict[str, Any]]:
    return list(rows(node, "states", {"type": row_type, "status": "ALL"}))


def run_fills(day: Day, node: HttpNode) -> dict[str, dict[str, Any]]:
    found = rows(node, "fills", {})
    return {row["execution_id"]: row for row in found if row["execution_id"].startswith(day.run.prefix)}


@pytest.mark.parametrize("name", SCRIPT.expect.fills)
def test_ledger_and_desk_agree_on_both_sides(day: Day, node: Client, local: LocalNetwork, name: str) -> None:
    stand = day.fill(name)
    end = {DeskState.SETTLED: FillStatus.SETTLED, DeskState.BUSTED: FillStatus.BUSTED}.get(stand.state, FillStatus.OPEN)
    for party in (stand.seller_custodian, stand.buyer_custodian):
        member = local.member(party)
        assert member
        row = next(rows(node(member.key, "reader"), "fills", {"execution_ids": [day.id(name)]}))
        assert row["status"] == end
        if end is FillStatus.SETTLED:
            assert row["ended_by"] == stand.transaction_id


def test_a_settled_fill_cannot_be_busted(day: Day, node: Client) -> None:
    with pytest.raises(IpponError) as refused:
        run_flow(node("exchange", "agent"), "bust_fill", {"execution_id": day.id("EX-0002"), "reason": "too late"})
    assert refused.value.code == "ALREADY_SETTLED"
    assert day.fill("EX-0002").state is DeskState.SETTLED


def test_a_busted_fill_cannot_settle(day: Day, node: Client) -> None:
    answer = run_flow(node("custodian-a", "agent"), "settle_fills", {"execution_ids": [day.id("EX-0019")]})
    assert [result["outcome"] for result in answer["results"]] == ["BUSTED"]


def test_a_settled_fill_settles_no_second_time(day: Day, node: Client) -> None:
    before = day.fill("EX-0001").transaction_id
    answer = run_flow(node("custodian-a", "agent"), "settle_fills", {"execution_ids": [day.id("EX-0001")]})
    assert answer["results"][0]["outcome"] == "SETTLED"
    assert answer["results"][0]["transaction_id"] == before


def test_the_same_fills_sent_again_change_nothing(day: Day, node: Client, agents: Agents, local: LocalNetwork) -> None:
    custodians = [member.key for member in local.with_role(Role.CUSTODIAN)]
    before = {key: run_fills(day, node(key, "reader")) for key in custodians}
    exchange = local.with_role(Role.EXCHANGE)[0]
    folder = agents.folder(exchange)
    content = day.run.rewrite("fills-1.csv", (DAY_1 / "exchange" / "fills-1.csv").read_bytes())
    name = f"fills-{day.run.prefix}again-{uuid.uuid4().hex}.csv"
    drop(inbox_dir=folder.inbox, name=name, content=content)
    receipt = wait_receipt(receipts_dir=folder.receipts, name=name, timeout_seconds=TIMEOUT_SECONDS)
    wrong = {
        row.line for row in SCRIPT.expect.refused if row.file == "exchange/fills-1.csv" and row.status == "refused"
    }
    for row in receipt.rows:
        assert row.status == ("refused" if row.line in wrong else "duplicate"), row
    assert {key: run_fills(day, node(key, "reader")) for key in custodians} == before


def test_the_exchange_node_holds_no_state_and_no_settlement(day: Day, node: Client) -> None:
    exchange = node("exchange", "reader")
    for row_type in ("Fill", "SecurityToken", "Coin", "FundsRoute", "TrustInstruction"):
        assert states(exchange, row_type) == [], row_type
    fills = day.played.report.fills
    settled = [fill.transaction_id for fill in fills if fill.outcome == DeskState.SETTLED]
    assert settled
    assert list(rows(exchange, "transactions", {"transaction_ids": settled})) == []


def test_registrar_and_coin_issuer_hold_their_own_asset_only(node: Client, day: Day) -> None:
    assert states(node("asset", "reader"), "Coin") == []
    assert states(node("coin", "reader"), "SecurityToken") == []
    for name in ("asset", "coin"):
        assert states(node(name, "reader"), "FundsRoute") == []
    assert states(node("asset", "reader"), "TrustInstruction") == []


def test_before_it_settles_nobody_but_the_custodians_sees_a_fill(day: Day, node: Client) -> None:
    row = run_fills(day, node("custodian-b", "reader"))[day.id("EX-0020")]
    notice = row["ref"].split(":")[0]
    for name in ("asset", "coin"):
        assert list(rows(node(name, "reader"), "transactions", {"transaction_ids": [notice]})) == [], name


def test_a_custodian_sees_no_deal_within_the_other(day: Day, node: Client) -> None:
    assert day.id("EX-0007") not in run_fills(day, node("custodian-b", "reader"))
    assert day.id("EX-0008") not in run_fills(day, node("custodian-a", "reader"))


def test_custodians_hold_no_instruction_and_no_token_of_the_other(node: Client, day: Day) -> None:
    for key, own in (("custodian-a", "Custodian A"), ("custodian-b", "Custodian B")):
        for row_type in ("SecurityToken", "Coin", "TrustInstruction"):
            holders = {row["data"]["custodian"] for row in states(node(key, "reader"), row_type)}
            assert all(f"O={own}," in holder.replace(", ", ",") for holder in holders), (key, row_type, holders)


def test_nothing_stays_reserved_after_the_day(node: Client, day: Day, local: LocalNetwork) -> None:
    for member in local.members:
        assert list(rows(node(member.key, "reader"), "pending", {})) == []
    for member in local.with_role(Role.CUSTODIAN):
        for asset in ("UNITS", "COINS"):
            found = rows(node(member.key, "reader"), "balances", {"asset": asset})
            assert {row["reserved"] for row in found} == {0}


def test_a_reader_starts_nothing(day: Day, node: Client) -> None:
    with pytest.raises(IpponError) as refused:
        run_flow(node("custodian-a", "reader"), "settle_fills", {"execution_ids": [day.id("EX-0020")]})
    assert refused.value.code == "FORBIDDEN"
