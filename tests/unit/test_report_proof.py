"""The proof as a program: what it reads, when it reads it, and what it says."""

import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ippon.errors import BadFile
from ippon.report import proof
from ippon.report.capture import Source, capture
from ippon.report.invariants import prove
from ippon.report.snapshot import Snapshot, organisation_of
from unit.demo_fakes import FakeClock
from unit.report_nodes import VaultNode, sources_of
from unit.report_world import World, honest_day
from unit.tamper_ledger import one_yen_short
from unit.tamper_money import statement_line_smaller


def bank(folder: Path, world: World) -> list[Path]:
    path = folder / "statement-1.json"
    path.write_text(json.dumps({"account": "TRUST-0001", "lines": world.statement}), encoding="utf-8")
    return [path]


def take(
    sources: dict[str, tuple[Source, VaultNode]], statements: list[Path], clock: FakeClock | None = None
) -> Snapshot:
    clock = clock or FakeClock()
    return capture(
        [source for source, _ in sources.values()],
        lambda: statements,
        quiet_timeout_seconds=10,
        monotonic=clock.monotonic,
        sleep=clock.sleep,
        now=lambda: datetime(2026, 7, 1, 6, 0, tzinfo=UTC),
    )


def test_what_is_read_proves_the_same_as_the_vaults(tmp_path: Path) -> None:
    world = honest_day()
    taken = take(sources_of(world), bank(tmp_path, world))
    assert taken.quiet
    assert taken.taken_at == "2026-07-01T06:00:00.000Z"
    assert prove(taken) == prove(world.snapshot())
    assert taken.statements[0].file == "statement-1.json"


def test_only_vaults_are_read_and_every_node_is_asked_for_every_transaction(tmp_path: Path) -> None:
    world = honest_day()
    sources = sources_of(world)
    take(sources, bank(tmp_path, world))
    for _, node in sources.values():
        assert {name for name, _ in node.asked} == {"pending", "states", "transactions"}
        ids = {one for name, arguments in node.asked if name == "transactions" for one in arguments["transaction_ids"]}
        assert ids == set(world.transactions)


def test_it_waits_until_nothing_is_pending(tmp_path: Path) -> None:
    world, clock = honest_day(), FakeClock()
    sources = sources_of(world)
    busy = sources["custodian-b"][1]
    busy.pending = ["SETTLING"]

    def done(_: str) -> None:
        busy.pending = [] if clock.seconds >= 3 else ["SETTLING"]

    busy.on_query = done
    assert take(sources, bank(tmp_path, world), clock).quiet
    assert 3 <= clock.seconds < 5


def test_a_signature_that_its_proposer_gave_up_keeps_nobody_waiting(tmp_path: Path) -> None:
    world, clock = honest_day(), FakeClock()
    sources = sources_of(world)
    sources["coin"][1].pending = ["DROPPED"]
    assert take(sources, bank(tmp_path, world), clock).quiet
    assert clock.seconds == 0


def test_it_reads_again_when_something_moved_meanwhile(tmp_path: Path) -> None:
    world, clock = honest_day(), FakeClock()
    sources = sources_of(world)
    coin = sources["coin"][1]
    late = coin.vault.states.pop()

    def arrive(name: str) -> None:
        if name == "transactions" and late not in coin.vault.states:
            coin.vault.states.append(late)

    coin.on_query = arrive
    taken = take(sources, bank(tmp_path, world), clock)
    assert taken.quiet
    assert late in taken.nodes["coin"].states
    assert [name for name, _ in coin.asked].count("transactions") == 2
    assert clock.seconds == 0.5


def test_a_network_that_never_rests_is_read_all_the_same_and_said_so(tmp_path: Path) -> None:
    world, clock = honest_day(), FakeClock()
    sources = sources_of(world)
    sources["coin"][1].pending = ["SIGNED"]
    taken = take(sources, bank(tmp_path, world), clock)
    assert not taken.quiet
    assert clock.seconds == 10
    assert all(one.passed for one in prove(taken))


@pytest.mark.parametrize("text", ["", "{}", '{"account": "X", "lines": [{"line_id": "1"}]}', "\xff"])
def test_a_broken_statement_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "statement-9.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(BadFile, match=r"statement-9\.json is no statement"):
        take(sources_of(honest_day()), [path])


def test_a_snapshot_is_kept_for_its_owners_eyes_and_comes_back_the_same(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "snapshot.json"
    snapshot = honest_day().snapshot()
    snapshot.save(path)
    snapshot.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Snapshot.load(path) == snapshot


def nothing(_: Snapshot) -> str:
    return ""


@pytest.mark.parametrize(
    ("tamper", "failing"), [(nothing, []), (statement_line_smaller, ["I1"]), (one_yen_short, ["I1", "I5", "I6"])]
)
def test_the_program_proves_a_saved_snapshot(
    tmp_path: Path, tamper: Callable[[Snapshot], str], failing: list[str]
) -> None:
    path = tmp_path / "snapshot.json"
    snapshot = honest_day().snapshot()
    culprit = tamper(snapshot)
    snapshot.save(path)
    told = CliRunner().invoke(proof.app, ["--snapshot", str(path), "--json"])
    content = json.loads(told.stdout)
    failed = [one["code"] for one in content["invariants"] if not one["passed"]]
    assert set(failing) <= set(failed)
    assert content["passed"] is (not failing)
    assert told.exit_code == (1 if failing else 0)
    table = CliRunner().invoke(proof.app, ["--snapshot", str(path)]).stdout
    assert table.count("PASS") == 6 - len(failed)
    assert culprit in table.replace("\n", "")


def test_an_organisation_is_found_in_both_forms() -> None:
    for name in ("Custodian A", "O=Custodian A, L=Tokyo, C=JP", "C=JP,L=Tokyo,O=Custodian A"):
        assert organisation_of(name) == "Custodian A"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{}", "is no snapshot: taken_at: Field required"),
        ("[", "is no snapshot: the whole: Invalid JSON"),
        (None, "cannot be read"),
    ],
)
def test_no_proof_is_told_apart_from_a_failed_one(tmp_path: Path, content: str | None, said: str) -> None:
    path = tmp_path / "snapshot.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    done = CliRunner().invoke(proof.app, ["--snapshot", str(path)])
    assert done.exit_code == 2
    assert said in done.stderr
    assert "pydantic" not in done.stderr
