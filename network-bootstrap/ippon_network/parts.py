"""What Gradle built: CorDapps, corda.jar, the bootstrapper, the bridge; and the Java to run them on."""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ippon_network.errors import PartsMissing
from ippon_network.settings import REPOSITORY, NetworkSettings


@dataclass(frozen=True, slots=True)
class Parts:
    """Paths of everything a network is made of."""

    cordapp_dir: Path
    corda_jar: Path
    bootstrapper_jar: Path
    bridge_jar: Path
    store_reader_jar: Path

    @classmethod
    def of(cls, settings: NetworkSettings) -> Parts:
        """Where Gradle's `networkParts` puts them."""
        tools = settings.build_dir / "tools"
        return cls(
            cordapp_dir=settings.build_dir / "cordapps",
            corda_jar=tools / "corda.jar",
            bootstrapper_jar=tools / "network-bootstrapper.jar",
            bridge_jar=settings.bridge_dir / "ippon-bridge.jar",
            store_reader_jar=settings.store_reader_dir / "ippon-store-reader.jar",
        )

    def cordapp(self, name: str) -> Path:
        """The jar of one CorDapp, by its short name."""
        return present(self.cordapp_dir / f"ippon-{name}.jar")


def present(path: Path) -> Path:
    """`path`, or PartsMissing with what to run."""
    if not path.is_file():
        raise PartsMissing(f"{path} is not there: run 'make build' (or 'toolchain/gradle.sh networkParts') first")
    return path


def file_hash(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tree_hash(folder: Path) -> str:
    """SHA-256 of all files under a folder, names included."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = (f"{path.relative_to(folder)} {file_hash(path)}\n" for path in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def java_home() -> Path:
    """A JDK 8's home, found or prepared by toolchain/jdk8.sh."""
    if home := os.environ.get("JAVA8_HOME"):
        return Path(home)
    found = subprocess.run([REPOSITORY / "toolchain" / "jdk8.sh"], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        raise PartsMissing(f"no JDK 8: {found.stderr.strip()}")
    return Path(found.stdout.strip())
