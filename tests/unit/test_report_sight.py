"""Who sees what, on made-up stores: what is own, what is foreign, and that each check fails on a touched store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ippon.errors import BadFile
from ippon.report.allowed import load_allowed
from ippon.report.sight import Fault, NodeSight, flatten, see
from unit.stored_sample import (
    ISSUER,
    JAR,
    NOTARY_TABLES,
    A,
    B,
    Json,
    N,
    R,
    V,
    coin,
    command,
    document,
    fill,
    holder,
    store,
    table,
    transaction,
    transactions,
)

ALLOWED = load_allowed()


def sight(content: Json | None = None, *, name: str = B, role: str = "custodian") -> NodeSight:
    return see("node", name=name, roles=(role,), store=store(content), allowed=ALLOWED)


def whats(faults: list[Fault]) -> set[str]:
    return {fault.what for fault in faults}


def of(content: Json, id_: str) -> Json:
    return next(one for one in content["transactions"] if one["id"] == id_)


def test_sight_when_a_token_came_through_a_deal_within_the_other_custodian_then_one_foreign_fill() -> None:
    found = sight()
    assert found.faults == []
    assert (found.own_fills, found.foreign_fills_visible) == (1, 1)
    assert (found.recorded, found.only_stored) == (4, 4)
    assert found.own == {"FillCommand.Notify": 1, "FillCommand.Settle": 1, "TrustInstructionCommand.Execute": 1}
    assert found.foreign == {
        "FillCommand.Notify": 1,
        "FillCommand.Settle": 1,
        "FundsRouteCommand.Register": 1,
        "SecurityTokenCommand.Issue": 1,
        "TrustInstructionCommand.Execute": 1,
    }


def test_sight_when_fields_are_foreign_then_each_has_its_count_and_its_reason() -> None:
    seen = {(one.thing, one.field): one for one in sight().fields}
    assert seen["Fill", "unit_price"].times == 1
    assert (seen["SecurityToken", "holder.investor_id"].times, seen["SecurityToken", "holder.investor_id"].values) == (
        2,
        2,
    )
    assert all(one.why for one in seen.values())


def test_sight_of_the_registrar_when_it_signed_every_settlement_then_no_fill_is_foreign() -> None:
    content = document()
    content["tables"] = []
    content["transactions"] = [one for one in content["transactions"] if one["id"] != "T7"]
    for one in content["transactions"]:
        one["recorded"] = one["id"] in {"T0", "T3", "T6"}
    found = sight(content, name=R, role="asset")
    assert found.faults == []
    assert (found.own_fills, found.foreign_fills_visible) == (2, 0)


def test_sight_of_the_registrar_when_another_registrar_signed_then_that_fill_is_foreign() -> None:
    content = document()
    content["tables"] = []
    content["transactions"] = [one for one in content["transactions"] if one["id"] != "T7"]
    for command_ in of(content, "T3")["commands"]:
        command_["signers"].remove(R)
    of(content, "T6")["recorded"], of(content, "T4")["recorded"], of(content, "T5")["recorded"] = True, False, False
    assert sight(content, name=R, role="asset").foreign_fills_visible == 1


def settlement_at_the_venue(content: Json) -> None:
    content["transactions"] = [of(content, "T4"), of(content, "T6")]
    for one in content["transactions"]:
        one["commands"][0]["signers"].append(V)
    content["tables"] = []


def token_at_the_venue(content: Json) -> None:
    content["transactions"] = [of(content, "T4"), of(content, "T0")]
    of(content, "T0")["recorded"] = True
    content["tables"] = []


def test_sight_of_the_venue_when_it_has_its_own_fills_only_then_no_fault() -> None:
    content = document([one for one in transactions() if one["id"] == "T4"], tables=[table("EXCHANGE_FILL", "SALT")])
    found = sight(content, name=V, role="exchange")
    assert (found.own_fills, found.foreign_fills_visible, found.faults) == (1, 0, [])


@pytest.mark.parametrize(
    ("touch", "what"),
    [(settlement_at_the_venue, "OWN_TYPE"), (token_at_the_venue, "FOREIGN_TYPE"), (token_at_the_venue, "RECORDED")],
    ids=lambda one: getattr(one, "__name__", one),
)
def test_sight_of_the_venue_when_it_holds_more_than_fills_then_fault(touch: Callable[[Json], None], what: str) -> None:
    content = document()
    touch(content)
    assert what in whats(sight(content, name=V, role="exchange").faults)


def anothers_open_fill(content: Json) -> None:
    notify = command("FillCommand.Notify", V)
    other = fill("EX-3", holder(A, "S"), holder(A, "M"))
    content["transactions"].append(transaction("T8", [notify], inputs=[], outputs=[other], recorded=False))


def anothers_deal_recorded(content: Json) -> None:
    of(content, "T3")["recorded"] = True


def a_name_in_a_token(content: Json) -> None:
    of(content, "T0")["outputs"][0]["data"]["holder"]["name"] = "Sample Name"


def a_reason_in_a_fill(content: Json) -> None:
    of(content, "T1")["outputs"][0]["data"]["reverses"] = {"execution_id": "EX-0", "reason": "A text"}


def a_new_field_in_a_settlement(content: Json) -> None:
    of(content, "T3")["commands"][0]["data"]["terms"][0]["memo"] = "x"


def an_unknown_state(content: Json) -> None:
    of(content, "T3")["outputs"].append({"type": "Membership", "data": {"who": A}})


def an_unknown_command(content: Json) -> None:
    of(content, "T0")["commands"].append(command("SecurityTokenCommand.Pledge", R))


def an_unreadable_transaction(content: Json) -> None:
    content["transactions"].append({"id": "T9", "recorded": False, "undecoded": "no class"})


def a_table_of_another_role(content: Json) -> None:
    content["tables"].append(table("EXCHANGE_FILL", "SALT"))


def a_foreign_attachment(content: Json) -> None:
    content["attachments"].append({**JAR, "id": "BB", "file_name": "customers.zip"})


@pytest.mark.parametrize(
    ("touch", "what"),
    [
        (anothers_open_fill, "NO_CHAIN"),
        (anothers_deal_recorded, "RECORDED"),
        (a_name_in_a_token, "FOREIGN_FIELD"),
        (a_reason_in_a_fill, "FOREIGN_FIELD"),
        (a_new_field_in_a_settlement, "FOREIGN_FIELD"),
        (an_unknown_state, "FOREIGN_TYPE"),
        (an_unknown_command, "FOREIGN_TYPE"),
        (an_unreadable_transaction, "UNDECODED"),
        (a_table_of_another_role, "TABLE"),
        (a_foreign_attachment, "ATTACHMENT"),
    ],
    ids=lambda one: getattr(one, "__name__", one),
)
def test_sight_of_a_custodian_when_its_store_is_touched_then_that_fault(
    touch: Callable[[Json], None], what: str
) -> None:
    content = document()
    touch(content)
    assert what in whats(sight(content).faults)


def test_sight_of_the_notary_when_it_has_references_only_then_no_fault() -> None:
    found = sight(document([], tables=NOTARY_TABLES), name=N, role="notary")
    assert (found.faults, found.foreign_fills_visible) == ([], 0)


def test_sight_of_the_notary_when_a_table_has_another_column_then_fault() -> None:
    wide = table("NODE_NOTARY_COMMITTED_STATES", "TRANSACTION_ID", "AMOUNT")
    assert whats(sight(document([], tables=[wide]), name=N, role="notary").faults) == {"COLUMN"}


def test_sight_of_the_notary_when_its_vault_has_rows_then_fault() -> None:
    tables = [*NOTARY_TABLES, table("VAULT_STATES", "TRANSACTION_ID")]
    assert whats(sight(document([], tables=tables), name=N, role="notary").faults) == {"TABLE"}


def test_sight_of_the_notary_when_it_stores_a_transaction_then_fault() -> None:
    issue = transaction("T0", [command("CoinCommand.Issue", ISSUER)], inputs=[], outputs=[coin(A, "M")], recorded=False)
    assert whats(sight(document([issue], tables=NOTARY_TABLES), name=N, role="notary").faults) >= {"FOREIGN_TYPE"}


def test_sight_when_one_node_runs_two_roles_then_it_may_read_what_either_may() -> None:
    both = see("node", name=B, roles=("custodian", "coin"), store=store(), allowed=ALLOWED)
    assert both.faults == []
    content = document()
    content["tables"].append(table("COIN_STATEMENT_LINE", "LINE_ID"))
    assert whats(sight(content).faults) == {"TABLE"}
    assert see("node", name=B, roles=("custodian", "coin"), store=store(content), allowed=ALLOWED).faults == []


def test_flatten_when_lists_are_nested_then_elements_share_a_name() -> None:
    assert list(flatten({"a": [{"b": 1}, {"b": 2}], "c": None, "d": {"e": "x"}})) == [
        ("a[].b", "1"),
        ("a[].b", "2"),
        ("d.e", "x"),
    ]


def test_the_list_when_a_thing_is_foreign_then_a_sentence_says_why() -> None:
    roles = ALLOWED.roles.values()
    reasons = [entry.why for role in roles for entry in (*role.foreign.values(), *role.told.values())]
    reasons += [ALLOWED.attachments.why, *(entry.why for entry in ALLOWED.notary.values())]
    assert all(reason.endswith(".") for reason in reasons)


def test_the_list_when_it_is_misspelt_then_bad_file(tmp_path: Path) -> None:
    path = tmp_path / "allowed.yaml"
    path.write_text("roles: {}\nnotery: {}\n", encoding="utf-8")
    with pytest.raises(BadFile, match=r"allowed\.yaml"):
        load_allowed(path)
