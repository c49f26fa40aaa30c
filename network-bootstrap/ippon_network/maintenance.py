"""What whoever keeps a node does to it while it runs: runs of `org.ippon.bridge.maintain` in the bridge's jar."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ippon_network.errors import MaintenanceFailed

_MAIN = "org.ippon.bridge.maintain.Maintain"
_JVM = ("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_SPARE_SECONDS = 180.0

Json = dict[str, Any]


class Maintenance:
    """Drains one node, clears it, and has it learn what it has lost. The node must run; its bridge need not."""

    def __init__(self, *, java: Path, bridge_jar: Path, config: Path) -> None:
        """`config` holds the login of the node's maintainer."""
        self._command: list[str | Path] = [java, *_JVM, "-cp", bridge_jar, _MAIN, "--config", config]

    def status(self) -> Json:
        """`draining`, the flows `running`, the node's `cordapps` with their versions."""
        return self._run("status")

    def drain(self, *, seconds: int) -> Json:
        """Let no new flow in, and wait for those under way; what still runs after `seconds` is in `running`."""
        return self._run("drain", str(seconds), seconds=seconds)

    def resume(self) -> Json:
        """Let flows in again."""
        return self._run("resume")

    def kill(self, run_id: str) -> Json:
        """End one flow, one that hangs or stands in the hospital."""
        return self._run("kill", run_id)

    def clear(self, *, seconds: int) -> Json:
        """End what a restored backup had under way, after `seconds` to end by itself."""
        return self._run("clear", str(seconds), seconds=seconds)

    def recover(self, *, since: datetime | None, seconds: int, members: int) -> Json:
        """Ask every other member, `seconds` each at most, for what this node has lost: `recovered`, `unanswered`."""
        moment = [since.astimezone(UTC).isoformat().replace("+00:00", "Z")] if since else []
        return self._run("recover", str(seconds), *moment, seconds=seconds * max(1, members))

    def _run(self, *words: str, seconds: float = 0) -> Json:
        try:
            done = subprocess.run(
                [*self._command, *words],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=seconds + _SPARE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise MaintenanceFailed(f"'{words[0]}' took more than {error.timeout:.0f} s") from error
        answer = _answer(done.stdout)
        if done.returncode != 0 or "error" in answer:
            problem = answer.get("error") or {"message": done.stderr.strip()[-2_000:]}
            raise MaintenanceFailed(
                f"'{words[0]}' failed: {problem.get('code', '')} {problem['message']}".replace("  ", " ")
            )
        return answer


def _answer(text: str) -> Json:
    lines = text.strip().splitlines()
    try:
        found = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
