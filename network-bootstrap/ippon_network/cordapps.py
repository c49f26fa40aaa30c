"""What a CorDapp's jar says of itself: its version, and who has signed it."""

from __future__ import annotations

import re
import subprocess
import zipfile
from pathlib import Path

from ippon_network.errors import PartsMissing

_VERSION = re.compile(r"^Cordapp-(?:Contract|Workflow)-Version: *(\d+) *$", re.MULTILINE)
_FINGERPRINT = re.compile(r"SHA256: *([0-9A-F:]+)")
_TIMEOUT_SECONDS = 60.0


def cordapp_version(jar: Path) -> int:
    """The version in the jar's manifest. Raises: PartsMissing when it has none."""
    try:
        with zipfile.ZipFile(jar) as archive:
            found = _VERSION.search(archive.read("META-INF/MANIFEST.MF").decode("utf-8").replace("\r\n", "\n"))
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise PartsMissing(f"{jar} is no CorDapp: {error}") from error
    if found is None:
        raise PartsMissing(f"{jar} is no CorDapp: its manifest names no version")
    return int(found[1])


def signers(jar: Path, *, java: Path) -> frozenset[str]:
    """SHA-256 fingerprints of the certificates that have signed the jar; none when it is not signed."""
    shown = subprocess.run(
        [java.with_name("keytool"), "-printcert", "-jarfile", jar],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    return frozenset(_FINGERPRINT.findall(shown.stdout))
