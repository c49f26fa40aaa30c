"""Shows that every check of the contracts and flows has a test that turns red when only that check is removed.

Usage: toolchain/mutants.py [--only SUBSTRING] [--fresh]

The sources are copied to build/mutants/tree, every check is rewritten so that a system property switches it off, and
all is compiled once. All tests run unmutated, which tells for each check the tests in which it fails. Then, check by
check, it is switched off and those tests run, what killed it before, the untried and those that see few checks fail
first, until one is red. That one must be green again without the mutant, else its JVM, whose tests share one network,
is started anew.

mutation/sites.toml names checks that are not found by their looks; mutation/shadowed.toml the survivors that are
accepted, with the reason. The run fails when a survivor is not in that list, when one in the list is killed, or when a
test is red unmutated. What was found is kept in build/mutants/results.json as long as the check's file and the test
that killed it stay as they are.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
import tomllib
from collections import Counter
from typing import Any

from mutation.sites import Site
from mutation.state import State, Verdict
from mutation.worker import HERE, ROOT, TREE, Worker, prepare

CONTRACTS, FLOWS = "contracts-kotlin", ("cordapps/core", "cordapps/custodian")
# The slowest test takes half a minute, one that waits in vain a minute.
TEST_LIMIT_SECONDS = 150.0
# More tests than these are counted, not named.
MOST_NAMED = 3


def say(text: str) -> None:
    """A line on the screen at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Hunt:
    """One run of the tool."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.workers = {module: Worker(module) for module in (CONTRACTS, *FLOWS)}
        self.tests: dict[str, str] = {}
        self.hits: dict[str, list[str]] = {}
        self.red: list[str] = []

    def unmutated(self) -> None:
        """Runs every test as it is, and notes which checks fail in it."""
        for module, worker in self.workers.items():
            found = {test: module for name in _classes(module) for test in (f"{name}#{t}" for t in worker.tests(name))}
            self.tests.update(found)
            for test in found:
                answer = self.state.run(module, test)
                if answer is None or answer.colour != "green":
                    answer = worker.run(test, "", TEST_LIMIT_SECONDS)
                    say(f"  {answer.colour:5} {answer.millis:6} ms  {test}")
                    self.state.keep_run(module, test, answer)
                if answer.colour != "green":
                    self.red.append(f"{test}: {answer.why}")
                self.hits[test] = list(answer.hits)
            self.state.save()

    def judge(self, site: Site) -> Verdict:
        """What becomes of the tests when only this check is off."""
        known = self.state.verdict(site, self._own(site))
        if known:
            return known
        seen = [test for test in self._own(site) if site.id in self.hits[test]]
        started = time.monotonic()
        killer, survived = self.state.before(site)
        for test in sorted(seen, key=lambda test: (test != killer, test in survived, len(self.hits[test]), test)):
            worker = self.workers[self.tests[test]]
            answer = worker.run(test, site.id, TEST_LIMIT_SECONDS)
            if answer.colour == "green":
                continue
            name = "HUNG" if answer.colour == "hung" else "KILLED"
            self._recover(worker, test)
            verdict = self.state.keep_verdict(site, name, test, answer.why, self._own(site))
            break
        else:
            name = "SURVIVED" if seen else "UNSEEN"
            verdict = self.state.keep_verdict(site, name, "\n".join(seen), "", self._own(site))
        took = f"{verdict.name:8} {time.monotonic() - started:5.1f} s"
        say(f"  {took}  {site.id}  [{site.text[:70]}]  {_short(verdict.by)}")
        return verdict

    def _own(self, site: Site) -> dict[str, str]:
        modules = (CONTRACTS,) if site.path.startswith(CONTRACTS) else FLOWS
        return {test: module for test, module in self.tests.items() if module in modules}

    def _recover(self, worker: Worker, test: str) -> None:
        # Contracts keep nothing between tests. A second try: on a busy machine a test may fail by itself.
        if worker.module == CONTRACTS or any(
            worker.run(test, "", TEST_LIMIT_SECONDS).colour == "green" for _ in range(2)
        ):
            return
        say(f"  the network is unwell after this: a new JVM ({worker.module})")
        worker.stop()

    def stop(self) -> None:
        """Ends the JVMs."""
        for worker in self.workers.values():
            worker.stop()


def _classes(module: str) -> list[str]:
    root = ROOT / module / "src/test/kotlin"
    return [str(file.relative_to(root))[:-3].replace("/", ".") for file in sorted(root.rglob("*Test.kt"))]


def _short(tests: str) -> str:
    if tests.count("#") > MOST_NAMED:
        return f"{tests.count('#')} tests"
    return re.sub(r"org\.ippon\.test\.\w+\.", "", tests).replace("\n", "; ")


def complaints(sites: list[Site], verdicts: dict[str, Verdict], shadowed: dict[str, Any]) -> list[str]:
    """What is wrong with the outcome, judged by the list of accepted survivors."""
    text = {site.id: site.text for site in sites}
    wrong = [f"shadowed.toml lists {name}, which is no check" for name in shadowed if name not in text]
    for name, verdict in verdicts.items():
        listed = shadowed.get(name)
        if listed is None and not verdict.dead:
            wrong.append(f"{verdict.name} {name}: {text[name]}")
        elif listed is not None and verdict.dead:
            wrong.append(f"shadowed.toml lists {name}, but {_short(verdict.by)} kills it")
        elif listed is not None and listed["text"] != text[name]:
            wrong.append(f"shadowed.toml says {listed['text']!r} of {name}, which is {text[name]!r}")
    return wrong


def report(sites: list[Site], verdicts: dict[str, Verdict], shadowed: dict[str, Any]) -> None:
    """Writes the table to build/mutants/table.md and the sums to the screen."""
    lines = ["| check | text | verdict | by |", "|---|---|---|---|"]
    for site in sites:
        if site.id in verdicts:
            verdict, listed = verdicts[site.id], shadowed.get(site.id, {})
            why = listed.get("by", _short(verdict.by))
            text = site.text.replace("|", "\\|")
            lines.append(f"| {site.id} | `{text}` | {listed.get('kind', verdict.name)} | {why} |")
    (TREE.parent / "table.md").write_text("\n".join(lines) + "\n")
    for part in ("contracts-kotlin", "cordapps"):
        names = [site.id for site in sites if site.path.startswith(part) and site.id in verdicts]
        sums = Counter(shadowed.get(name, {}).get("kind", verdicts[name].name) for name in names)
        say(f"{part}: {len(names)} checks: " + ", ".join(f"{count} {word}" for word, count in sorted(sums.items())))


def main() -> int:
    """Runs the whole; 0 when every check is killed or accepted."""
    parser = argparse.ArgumentParser(
        description="switches off one check after the other and runs the tests that see it fail"
    )
    parser.add_argument("--only", default="", help="only the checks whose id contains this")
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs found")
    arguments = parser.parse_args()
    sites = prepare()
    wanted = [site for site in sites if arguments.only in site.id]
    shadowed = tomllib.loads((HERE / "shadowed.toml").read_text())
    hunt = Hunt(State(arguments.fresh))
    try:
        hunt.unmutated()
        verdicts = {site.id: hunt.judge(site) for site in wanted}
    finally:
        hunt.state.save()
        hunt.stop()
    report(wanted, verdicts, shadowed)
    wrong = [*hunt.red, *complaints(sites, verdicts, shadowed)]
    for line in wrong:
        say(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
