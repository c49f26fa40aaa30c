"""What earlier runs found, kept in one JSON file, as long as what it was found about has not changed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mutation.sites import Site
from mutation.worker import ROOT, TREE, Answer, sources

FILE = TREE.parent / "results.json"


@dataclass(frozen=True)
class Verdict:
    """What became of one mutant.

    `name`: KILLED, HUNG (killed by time), SURVIVED (tests see the check fail and stay green without it), UNSEEN (in no
    test does it fail). `by`: the test that killed it, or those that saw it. `of`: what it was found about.
    """

    name: str
    by: str
    why: str
    of: str

    @property
    def dead(self) -> bool:
        """Whether a test turned red."""
        return self.name in ("KILLED", "HUNG")


def digest(*files: Path) -> str:
    """One hash of files' contents."""
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:16]


def test_file(module: str, test: str) -> Path:
    """Where a test, `class#name`, is written."""
    path = test.split("#")[0].replace(".", "/")
    return ROOT / module / "src/test/kotlin" / f"{path}.kt"


class State:
    """Verdicts and unmutated runs."""

    def __init__(self, fresh: bool) -> None:
        kept: dict[str, Any] = json.loads(FILE.read_text()) if FILE.exists() and not fresh else {}
        self._runs: dict[str, dict[str, Any]] = kept.get("runs", {})
        self._verdicts: dict[str, dict[str, str]] = kept.get("verdicts", {})
        self._main = digest(*sources())

    def save(self) -> None:
        """Writes all down."""
        content = json.dumps({"runs": self._runs, "verdicts": self._verdicts}, indent=1, ensure_ascii=False)
        fresh = FILE.with_suffix(".new")
        fresh.write_text(content)
        fresh.replace(FILE)

    def run(self, module: str, test: str) -> Answer | None:
        """The last unmutated run of a test, unless it or the code has changed since."""
        kept = self._runs.get(test)
        if kept is None or kept["of"] != self._main + digest(test_file(module, test)):
            return None
        return Answer(kept["colour"], kept["millis"], tuple(kept["hits"]), kept["why"])

    def keep_run(self, module: str, test: str, answer: Answer) -> None:
        """Keeps an unmutated run."""
        self._runs[test] = {**asdict(answer), "of": self._main + digest(test_file(module, test))}

    def verdict(self, site: Site, tests: dict[str, str]) -> Verdict | None:
        """What was found about a site, unless its file or its killer's has changed; `tests`: test → module."""
        kept = self._verdicts.get(site.id)
        if kept is None:
            return None
        verdict = Verdict(**kept)
        if verdict.dead and verdict.by not in tests:
            return None
        return verdict if verdict.of == self._of(site, verdict.by if verdict.dead else "", tests) else None

    def before(self, site: Site) -> tuple[str, list[str]]:
        """The test that killed a check before, and those that it has outlived, whatever has changed since."""
        kept = self._verdicts.get(site.id, {"name": "UNSEEN", "by": ""})
        tests = kept["by"].split("\n")
        return (tests[0], []) if kept["name"] == "KILLED" else ("", tests)

    def keep_verdict(self, site: Site, name: str, by: str, why: str, tests: dict[str, str]) -> Verdict:
        """Keeps what was found."""
        dead = name in ("KILLED", "HUNG")
        verdict = Verdict(name, by, why[:300], self._of(site, by if dead else "", tests))
        self._verdicts[site.id] = asdict(verdict)
        self.save()
        return verdict

    def _of(self, site: Site, killer: str, tests: dict[str, str]) -> str:
        killers = [killer] if killer else sorted(tests)
        files = sorted({test_file(tests[test], test) for test in killers})
        return site.text[:80] + digest(ROOT / site.path, *files)
