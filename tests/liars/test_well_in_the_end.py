"""After all lies: what must always be true is true, over all vaults, the liars' included."""

from __future__ import annotations

from ippon.report.invariants import prove
from ippon.report.proof import take_snapshot
from ippon_network.settings import REPOSITORY
from liars.stage import ROLES, Stage


def test_every_invariant_holds_after_all_lies(stage: Stage) -> None:
    # Somebody is to have lied, or it proves nothing.
    assert stage.holdings()
    snapshot = take_snapshot(stage.local)
    assert snapshot.quiet
    assert [(one.code, one.violations) for one in prove(snapshot) if not one.passed] == []
    assert stage.unrest() == []


def test_the_liars_run_the_production_jars_with_their_own_beside_them(stage: Stage) -> None:
    for member in stage.local.members:
        installed = {jar.name: jar for jar in stage.local.network.folder(member.key).cordapps.glob("*.jar")}
        own = {name for name in installed if "liar" in name}
        assert own == ({f"ippon-liar-{ROLES[member.key]}.jar"} if member.key in ROLES else set())
        for name in installed.keys() - own:
            built = REPOSITORY / "build" / "cordapps" / name
            assert installed[name].read_bytes() == built.read_bytes(), f"{name} of {member.key}"


def test_production_has_no_jar_that_lies() -> None:
    assert not [path.name for path in (REPOSITORY / "build" / "cordapps").glob("*liar*")]
    assert "liar" not in (REPOSITORY / "network-bootstrap" / "topology.yaml").read_text(encoding="utf-8")
