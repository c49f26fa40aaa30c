"""The mutated tree, compiled once, and the JVM that runs single tests of it."""

from __future__ import annotations

import base64
import os
import queue
import re
import shutil
import subprocess
import threading
import tomllib
from dataclasses import dataclass
from pathlib import Path

from mutation.sites import Site, rewrite

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
TREE = ROOT / "build" / "mutants" / "tree"
# What two builds at once would do to this machine; others take the same lock.
GRADLE = ["flock", "/tmp/gradle.lock", str(ROOT / "toolchain" / "gradle.sh")]  # noqa: S108
# A JVM that starts its network for its first test has to answer by then.
START_SECONDS = 300.0

TASKS = """
configure([project(':contracts-kotlin'), project(':cordapps:core'), project(':cordapps:custodian')]) {
    task mutantClasspath {
        dependsOn jar, testClasses
        doLast { new File(buildDir, 'mutant.classpath').text = test.classpath.asPath }
    }
}
"""


def sources() -> list[Path]:
    """The Kotlin files whose checks are looked at."""
    roots = [ROOT / "contracts-kotlin", *sorted((ROOT / "cordapps").iterdir())]
    return sorted(file for root in roots for file in (root / "src" / "main").rglob("*.kt"))


def prepare() -> list[Site]:
    """Copies the tree, rewrites its checks and compiles it; returns the sites."""
    TREE.mkdir(parents=True, exist_ok=True)
    for name in ("contracts-kotlin", "cordapps"):
        _copy(ROOT / name, TREE / name)
    # The tests' liars are not looked at, only needed.
    _copy(ROOT / "liars", TREE / "liars", whole=True)
    for name in ("build.gradle", "gradle.properties"):
        shutil.copy2(ROOT / name, TREE / name)
    settings = (ROOT / "settings.gradle").read_text()
    (TREE / "settings.gradle").write_text(settings.replace("include 'bridge'\n", ""))
    (TREE / "build.gradle").write_text((ROOT / "build.gradle").read_text() + TASKS)
    extras = tomllib.loads((HERE / "sites.toml").read_text())
    sites: list[Site] = []
    for file in sources():
        text, found = rewrite(str(file.relative_to(ROOT)), file.read_text(), extras.pop(file.stem, {}))
        _write(TREE / file.relative_to(ROOT), text)
        sites += found
    if extras:
        raise ValueError(f"sites.toml names files that are not there: {sorted(extras)}")
    _write(TREE / "contracts-kotlin/src/main/kotlin/org/ippon/contracts/Switch.kt", (HERE / "Switch.kt").read_text())
    for module in ("contracts-kotlin", "cordapps/core", "cordapps/custodian"):
        _write(TREE / module / "src/test/kotlin/org/ippon/test/mutation/Driver.kt", (HERE / "Driver.kt").read_text())
    subprocess.run([*GRADLE, "-q", "-p", str(TREE), "mutantClasspath"], check=True, cwd=ROOT)
    return sites


def _copy(source: Path, target: Path, *, whole: bool = False) -> None:
    """Makes the sources of `target` those of `source`, but for the Kotlin that is rewritten unless `whole`.

    What is the same is not touched, as compiling takes a minute.
    """
    wanted = {
        f.relative_to(source) for f in source.rglob("*") if f.is_file() and "src" in f.parts and "build" not in f.parts
    }
    for file in target.rglob("src/**/*"):
        if file.is_file() and file.relative_to(target) not in wanted and file.name not in ("Switch.kt", "Driver.kt"):
            file.unlink()
    for name in wanted:
        if whole or "src/main/kotlin" not in str(name):
            _write(target / name, (source / name).read_bytes())


def _write(path: Path, content: str | bytes) -> None:
    data = content.encode() if isinstance(content, str) else content
    if path.exists() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@dataclass(frozen=True)
class Answer:
    """How one test went; `hits` are the checks that failed on the way. `colour`: green, red or hung."""

    colour: str
    millis: int
    hits: tuple[str, ...]
    why: str


class Worker:
    """One JVM on the test classpath of `module`; started when first needed, and again after it was stopped."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.starts = 0
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[str] = queue.Queue()

    def tests(self, test_class: str) -> list[str]:
        """The names of a test class's tests."""
        answer = self._ask(f"list\t{test_class}", START_SECONDS)
        if answer is None:
            raise RuntimeError(f"the JVM did not list {test_class}: see {self._log()}")
        return [name for name in answer.split("\t") if name]

    def run(self, test: str, mutant: str, limit_seconds: float) -> Answer:
        """Runs one test, `class#name`, with one check switched off, or none. A JVM that hangs is ended."""
        test_class, name = test.split("#", 1)
        # The first test of a JVM starts the network.
        limit = limit_seconds if self._process else START_SECONDS
        answer = self._ask(f"run\t{test_class}\t{name}\t{mutant}", limit)
        if answer is None:
            self.stop()
            return Answer("hung", int(limit * 1000), (), f"no answer in {limit:.0f} s")
        colour, millis, hits, why = answer.split("\t")
        found = tuple(hit for hit in hits.split(",") if hit)
        return Answer(colour, int(millis), found, base64.b64decode(why).decode())

    def stop(self) -> None:
        """Ends this worker's own JVM."""
        if self._process:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _log(self) -> Path:
        return TREE.parent / f"{self.module.replace('/', '-')}.log"

    def _ask(self, line: str, limit_seconds: float) -> str | None:
        process = self._process or self._start()
        assert process.stdin is not None  # noqa: S101
        process.stdin.write(line + "\n")
        process.stdin.flush()
        try:
            return self._answers.get(timeout=limit_seconds)
        except queue.Empty:
            return None

    def _start(self) -> subprocess.Popen[str]:
        self.starts += 1
        run_in = TREE / self.module / "build" / "test-run"
        run_in.mkdir(parents=True, exist_ok=True)
        java = Path(subprocess.check_output([str(ROOT / "toolchain" / "jdk8.sh")], text=True).strip()) / "bin" / "java"
        classpath = (TREE / self.module / "build" / "mutant.classpath").read_text()
        command = [
            "nice",
            "-n",
            "10",
            str(java),
            "-Xmx1500m",
            _agent(),
            "-cp",
            classpath,
            "org.ippon.test.mutation.DriverKt",
        ]
        with self._log().open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=run_in,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=dict(os.environ),
            )
        self._answers = queue.Queue()
        threading.Thread(target=_listen, args=(process, self._answers), daemon=True).start()
        self._process = process
        return process


def _listen(process: subprocess.Popen[str], answers: queue.Queue[str]) -> None:
    assert process.stdout is not None  # noqa: S101
    for line in process.stdout:
        if line.startswith("@@"):
            answers.put(line[2:].rstrip("\n"))


def _agent() -> str:
    """Quasar's agent with the packages that build.gradle's tests leave out."""
    text = (ROOT / "build.gradle").read_text()
    part = text[text.index("def skipped =") : text.index('jvmArgs "-javaagent')]
    skipped = "".join(re.findall(r"'([^']*)'", part))
    jar = next((TREE / "build" / "node-libs").glob("quasar-core-*.jar"))
    return f"-javaagent:{jar}=x({skipped})"
