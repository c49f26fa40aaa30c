"""Who sees what after day-1 (I9): databases, logs and agents' stores are searched for what may not be there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ippon.demo.agents import Agents
from ippon.errors import IpponError
from ippon.local import LocalNetwork, Right
from ippon.model import DeskState
from ippon.node import HttpNode
from ippon.report.allowed import load_allowed
from ippon.report.sight import NodeSight
from ippon.report.stored import Store
from ippon.report.visible import read_node, sight_of
from network.canaries import (
    EXCHANGE,
    OWNER,
    PERSONAL,
    SECRET_FILES,
    A,
    B,
    Canary,
    business_canaries,
    executions,
    files_with,
    order_canaries,
    places,
    plant_names,
    refused_order_canaries,
    secrets,
)
from network.conftest import Day

NODES = ("notary", "exchange", "asset", "coin", "custodian-a", "custodian-b")
SALT = "EXCHANGE_FILL.SALT"


@dataclass(frozen=True)
class Evidence:
    """What every node's database holds after the day, and in which tables each text was found."""

    stores: dict[str, Store]
    sights: dict[str, NodeSight]
    found: dict[str, dict[str, set[str]]]
    canaries: list[Canary]
    salts: list[str]


@pytest.fixture(scope="module")
def evidence(day: Day, local: LocalNetwork, agents: Agents, node: Callable[[str, Right], HttpNode]) -> Evidence:
    receipts = plant_names(local, agents)
    assert all(one.status == "refused" or {row.status for row in one.rows} == {"refused"} for one in receipts)
    for entry in ({"investor_id": PERSONAL[0]}, {"investor_id": "CANARY-2", "address": PERSONAL[1]}):
        with pytest.raises(IpponError):
            node(OWNER, "agent").start("register_investors", "test:privacy:names", {"investors": [entry]})
    network = local.network
    salts = [salt for salt in read_node(network, EXCHANGE, values=[SALT]).values[SALT] if salt]
    canaries = [*order_canaries(day), *refused_order_canaries(day), *business_canaries(day)]
    wanted = [*(one.text for one in canaries), *salts, *secrets(local), *PERSONAL]
    stores = {key: read_node(network, key, wanted=wanted) for key in network.topology.nodes}
    allowed = load_allowed()
    return Evidence(
        stores,
        {key: sight_of(network, key, store, allowed=allowed) for key, store in stores.items()},
        {key: places(store, wanted) for key, store in stores.items()},
        canaries,
        salts,
    )


@pytest.mark.parametrize("key", NODES)
def test_a_node_when_the_day_is_over_holds_nothing_outside_the_allow_list(evidence: Evidence, key: str) -> None:
    assert evidence.sights[key].faults == []


@pytest.mark.parametrize("key", NODES)
def test_a_text_when_the_day_is_over_is_where_it_must_be_and_nowhere_else(evidence: Evidence, key: str) -> None:
    wrong = {}
    for canary in evidence.canaries:
        tables = evidence.found[key][canary.text]
        if canary.misplaced(key, tables):
            wrong[canary.text] = sorted(tables)
    assert wrong == {}


def test_a_salt_when_the_day_is_over_is_at_the_venue_and_the_fills_custodians_only(evidence: Evidence) -> None:
    assert evidence.salts
    for key in NODES:
        here = [salt for salt in evidence.salts if evidence.found[key][salt]]
        assert len(here) == {EXCHANGE: len(evidence.salts)}.get(key, _own_fills(evidence, key)), key
        assert {table for salt in here for table in evidence.found[key][salt]} <= {
            "EXCHANGE_FILL",
            "CUSTODIAN_FILL_ORDER",
        }


@pytest.mark.parametrize("key", NODES)
def test_secrets_and_names_when_planted_are_in_no_database(evidence: Evidence, local: LocalNetwork, key: str) -> None:
    hidden = [*secrets(local), *PERSONAL]
    assert len(hidden) > 30
    assert [number for number, text in enumerate(hidden) if evidence.found[key][text]] == []


def test_the_exchange_node_when_fills_settled_stores_no_settlement(evidence: Evidence, day: Day) -> None:
    sight = evidence.sights[EXCHANGE]
    assert set(sight.own) == {"FillCommand.Notify", "FillCommand.Bust"}
    assert (sight.foreign, sight.only_stored, sight.foreign_fills_visible) == ({}, 0, 0)
    settled = {fill.transaction_id for fill in day.played.report.fills if fill.outcome == DeskState.SETTLED}
    stored = {transaction.id for transaction in evidence.stores[EXCHANGE].transactions}
    assert settled
    assert stored
    assert not settled & stored


def test_registrar_and_coin_issuer_when_fills_settled_see_no_fill_but_what_they_signed_for(evidence: Evidence) -> None:
    for key in ("asset", "coin"):
        sight = evidence.sights[key]
        assert sight.own_fills == sight.own["FillCommand.Notify"] > 0
        assert sight.foreign_fills_visible == 0


@pytest.mark.parametrize(("key", "other"), [(A, B), (B, A)])
def test_a_custodian_when_the_day_is_over_reads_of_the_others_deals_the_chain_only(
    evidence: Evidence, day: Day, key: str, other: str
) -> None:
    store = evidence.stores[key]
    visible = {
        output.data["execution_id"]: transaction
        for transaction in store.transactions
        for output in transaction.outputs
        if output.type == "Fill"
    }
    mine = {one.execution_id for one in executions(day) if key in one.custodians}
    foreign = {name for name in visible if name.startswith(day.run.prefix)} - mine
    assert foreign <= {one.execution_id for one in executions(day) if one.custodians == {other}}
    assert mine <= set(visible)
    # Each is there because a settlement that this node stores consumed it, and none is recorded or in the vault.
    consumed = {ref.split(":")[0] for transaction in store.transactions for ref in transaction.inputs}
    for name in foreign:
        assert not visible[name].recorded
        assert visible[name].id in consumed


def test_a_custodian_when_tokens_came_from_deals_within_the_other_reads_these(evidence: Evidence) -> None:
    counts = {key: evidence.sights[key].foreign_fills_visible for key in (A, B)}
    assert all(count > 0 for count in counts.values()), counts
    assert all(count < _own_fills(evidence, key) for key, count in counts.items()), counts


def test_the_notary_when_it_has_notarised_holds_references_parties_and_times_only(evidence: Evidence) -> None:
    store, sight = evidence.stores["notary"], evidence.sights["notary"]
    assert (store.transactions, store.attachments, sight.own_fills) == ((), (), 0)
    assert sight.tables["NODE_NOTARY_COMMITTED_STATES"] > 0
    assert sight.tables["NODE_NOTARY_REQUEST_LOG"] > 0
    business = [canary.text for canary in evidence.canaries] + evidence.salts
    assert [text for text in business if evidence.found["notary"][text]] == []


def test_attachments_when_the_day_is_over_are_the_contracts_alone(evidence: Evidence) -> None:
    for key in NODES:
        attachments = evidence.stores[key].attachments
        assert {one.file_name for one in attachments} <= {"ippon contracts"}, key
        for one in attachments:
            assert all(name.startswith(("org/", "META-INF/", "migration/")) for name in one.entries), one.entries


def test_names_when_planted_are_in_no_file_but_the_one_that_brought_them(
    evidence: Evidence, local: LocalNetwork
) -> None:
    found = files_with(_all_files(local), PERSONAL)
    inbox = local.agents_dir / OWNER / "inbox"
    assert found
    assert [path for path in found if inbox not in Path(path).parents] == []


def test_secrets_when_the_day_is_over_are_in_no_file_but_their_own(evidence: Evidence, local: LocalNetwork) -> None:
    found = files_with(_all_files(local), secrets(local))
    assert {Path(path).name for path in found} == SECRET_FILES


@pytest.mark.parametrize("key", NODES)
def test_order_ids_when_the_day_is_over_are_on_no_other_organisations_disk(
    evidence: Evidence, local: LocalNetwork, day: Day, key: str
) -> None:
    others = [one.order_ids for one in executions(day) if key not in one.custodians | {EXCHANGE}]
    roots = {local.network.folder(key).root, local.agents_dir / key}
    paths = [path for path in _all_files(local) if roots & set(path.parents)]
    assert paths or key == "notary"
    assert files_with(paths, [text for ids in others for text in ids]) == {}


@pytest.mark.parametrize("key", NODES)
def test_what_stays_with_some_when_the_day_is_over_is_in_no_other_log_or_agents_store(
    evidence: Evidence, local: LocalNetwork, key: str
) -> None:
    node, agent = local.network.folder(key).root, local.agents_dir / key
    kept = [*node.rglob("*.log"), *agent.rglob("*.log"), *agent.glob("agent.sqlite*")]
    assert kept
    assert files_with(kept, [one.text for one in evidence.canaries if key not in one.anywhere | one.agents]) == {}


def _own_fills(evidence: Evidence, key: str) -> int:
    return evidence.sights[key].own_fills if key in (A, B) else 0


def _all_files(local: LocalNetwork) -> Iterator[Path]:
    """Every file of the network but programs: databases, journals, logs, consoles, agents' stores and folders."""
    for path in local.network.directory.rglob("*"):
        if path.is_file() and path.suffix not in {".jar", ".class"} and ".cache" not in path.parts:
            yield path
