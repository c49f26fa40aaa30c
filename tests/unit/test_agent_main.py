"""The agent as a process: settings, log, signals, a real HTTP door before a model node, and its waking."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ippon.agent import view
from ippon.agent.agent import Pace
from ippon.agent.inbox import drop, wait_receipt
from ippon.agent.runner import Waker
from ippon.agent.settings import AgentSettings, load_settings
from ippon.agent.store import Store
from ippon.errors import BadSettings, BridgeDown, IpponError
from ippon.model import Role
from ippon.node import Node
from unit.agent_ledger import Ledger
from unit.agent_world import NOON, ModelNode, QuietLog, StillClock
from unit.node_door import Answer, Request, answer, open_door

RUN = "import sys; from pathlib import Path; from ippon.agent.main import run_agent; "
RUN += "from ippon.agent.settings import load_settings; raise SystemExit(run_agent(load_settings(Path(sys.argv[1]))))"
TOKEN = "very-secret-token"


def door_of(node: ModelNode) -> Callable[[Request], Answer]:
    """HTTP for a model node."""

    def serve(request: Request) -> Answer:
        assert request.token == f"Bearer {TOKEN}"
        path, _, query = request.path.partition("?")
        parts = path.removeprefix("/v1/").split("/")
        try:
            match request.method, parts:
                case "GET", ["node"]:
                    return 200, node.node().model_dump_json().encode()
                case "GET", ["changes"]:
                    after = int(query.partition("after=")[2].partition("&")[0])
                    if node.ledger.sequence == after:
                        time.sleep(0.05)
                    return answer(sequence=node.ledger.sequence)
                case "GET", ["flows"]:
                    return answer(flows=[flow.model_dump() for flow in node.finished()])
                case "POST", ["flows", operation]:
                    started = node.start(operation, request.body["client_id"], request.body["arguments"])
                    return answer(**started.model_dump())
                case "GET", ["flows", client_id]:
                    return 200, node.result(client_id).model_dump_json().encode()
                case "DELETE", ["flows", client_id]:
                    return answer(removed=node.forget(client_id))
                case _, ["queries", name]:
                    return 200, node.query(name, request.body).model_dump_json().encode()
            return answer(404, error={"code": "NO_SUCH_OPERATION", "message": request.path})
        except IpponError as problem:
            return answer(400, error=problem.to_wire())

    return serve


@pytest.fixture
def config(tmp_path: Path) -> Path:
    token = tmp_path / "agent.token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    return write(tmp_path, url="http://127.0.0.1:1")


def write(folder: Path, *, url: str, **changes: Any) -> Path:
    content = {
        "organisation": "Registrar",
        "role": "asset",
        "bridge": {"kind": "http", "url": url, "agent_token_file": "agent.token"},
        "store_url": "sqlite:///agent.sqlite",
        "log_file": "agent.log",
        "pid_file": "agent.pid",
        **changes,
    }
    path = folder / "agent.json"
    path.write_text(json.dumps(content))
    return path


def test_paths_are_relative_to_the_file(config: Path) -> None:
    settings = load_settings(config)
    folder = config.parent
    assert settings.role is Role.ASSET
    assert settings.inbox_dir == folder / "inbox"
    assert settings.bridge.agent_token_file == folder / "agent.token"
    assert settings.store_url == f"sqlite:///{folder / 'agent.sqlite'}"


def test_the_environment_goes_before_the_file(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPPON_AGENT_TIMERS__RETRY_CAP_SECONDS", "77")
    monkeypatch.setenv("IPPON_AGENT_STORE_URL", "postgresql+psycopg://db/agent")
    settings = load_settings(config)
    assert settings.timers.retry_cap_seconds == 77
    assert settings.store_url == "postgresql+psycopg://db/agent"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"role": "king"}, "role"),
        ({"colour": "red"}, "colour"),
        ({"timers": {"retry_base_seconds": 0}}, "retry_base_seconds"),
        ({"timers": {"retry_base_seconds": 10, "retry_cap_seconds": 5}}, "retry_base_seconds"),
        ({"other_custodians": ["Registrar"]}, "other_custodians"),
        ({"bridge": {"kind": "smoke"}}, "bridge"),
    ],
)
def test_settings_that_cannot_be_used(tmp_path: Path, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(BadSettings, match=field):
        load_settings(write(tmp_path, url="http://127.0.0.1:1", **changes))


def test_no_settings(tmp_path: Path) -> None:
    for content in (None, "", "[]"):
        path = tmp_path / "agent.json"
        if content is not None:
            path.write_text(content)
        with pytest.raises(BadSettings):
            load_settings(path)


@pytest.fixture
def process(config: Path) -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []

    def start(url: str) -> subprocess.Popen[bytes]:
        path = write(config.parent, url=url)
        started.append(subprocess.Popen([sys.executable, "-c", RUN, str(path)], stderr=subprocess.PIPE))
        return started[-1]

    yield start
    for one in started:
        if one.poll() is None:
            one.kill()
        one.communicate()


def lines(config: Path) -> list[dict[str, Any]]:
    path = config.parent / "agent.log"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def wait_for(config: Path, event: str, times: int = 1) -> dict[str, Any]:
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        found = [line for line in lines(config) if line["event"] == event]
        if len(found) >= times:
            return found[-1]
        time.sleep(0.02)
    raise AssertionError(f"no {event} in {lines(config)}")


def test_an_agent_from_start_to_end(config: Path, process: Callable[[str], subprocess.Popen[bytes]]) -> None:
    node = ModelNode(Ledger(StillClock()), "Registrar")
    folder = config.parent
    with open_door(door_of(node)) as door:
        agent = process(door.url)
        ready = wait_for(config, "ready")
        assert (ready["pid"], ready["organisation"], ready["role"]) == (agent.pid, "Registrar", "asset")
        assert int((folder / "agent.pid").read_text()) == agent.pid
        content = b"issue_id,security_code,custodian,investor_id,units\nP-1,ZA101,Custodian A,INV-1,100\n"
        drop(inbox_dir=folder / "inbox", name="positions-1.csv", content=content)
        receipt = wait_receipt(receipts_dir=folder / "receipts", name="positions-1.csv", timeout_seconds=60)
        assert [row.status for row in receipt.rows] == ["accepted"]
        # Another process looks on while it runs.
        store = Store.open(load_settings(config).store_url)
        assert view.receipts(store)[0].rows == receipt.rows
        store.close()
        agent.send_signal(signal.SIGTERM)
        assert agent.wait(timeout=30) == 0
    assert [line["event"] for line in lines(config)][-1] == "stopped"
    assert not (folder / "agent.pid").exists()
    everything = (folder / "agent.log").read_text() + (agent.stderr.read().decode() if agent.stderr else "")
    assert TOKEN not in everything
    assert os.getpid() != ready["pid"]


def test_an_agent_whose_bridge_is_not_there_yet(
    config: Path, process: Callable[[str], subprocess.Popen[bytes]]
) -> None:
    agent = process("http://127.0.0.1:1")
    wait_for(config, "node_trouble")
    assert "ready" not in [line["event"] for line in lines(config)]
    agent.send_signal(signal.SIGTERM)
    assert agent.wait(timeout=30) == 0


class Moving(ModelNode):
    """A node whose sequence the test moves."""

    def __init__(self) -> None:
        super().__init__(Ledger(StillClock()), "Custodian A")
        self.moved = threading.Event()
        self.waits = 0

    def wait(self, after: int, wait_millis: int) -> int:  # noqa: ARG002
        self.waits += 1
        if self.down:
            raise BridgeDown("away")
        if self.ledger.sequence == after:
            self.moved.wait(0.02)
            self.moved.clear()
        return self.ledger.sequence


def watched(node: Node) -> tuple[Waker, threading.Event]:
    stop = threading.Event()
    waker = Waker(node, wait_millis=100, stop=stop, log=QuietLog())
    waker.start()
    return waker, stop


def test_a_move_wakes_and_quiet_does_not() -> None:
    node = Moving()
    waker, stop = watched(node)
    assert waker.wait(5)
    assert not waker.wait(0.1)
    node.ledger.sequence += 1
    node.moved.set()
    assert waker.wait(5)
    # A bridge that was started anew counts from another number.
    node.ledger.sequence = 5
    node.moved.set()
    assert waker.wait(5)
    stop.set()


def test_a_bridge_that_was_away_wakes_when_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ippon.agent.runner.REST_SECONDS", 0.05)
    node = Moving()
    waker, stop = watched(node)
    assert waker.wait(5)
    node.down = True
    time.sleep(0.1)
    waker.wait(0)
    node.down = False
    assert waker.wait(5)
    stop.set()


def test_asking_slows_down_while_nothing_is_new() -> None:
    clock, pace = StillClock(NOON), Pace()
    asked = 0
    for _ in range(200):  # twenty seconds
        if pace.may(clock.now()):
            pace.asked(clock.now(), new=False)
            asked += 1
        clock.forward(0.1)
    assert asked < 20
    pace.asked(clock.now(), new=True)
    clock.forward(0.06)
    assert pace.may(clock.now())


def test_a_config_as_the_docs_show_it() -> None:
    example = {
        "organisation": "Custodian A",
        "role": "custodian",
        "bridge": {
            "kind": "py4j",
            "port": 25333,
            "agent_token_file": "a",
            "operator_port": 25334,
            "operator_token_file": "b",
        },
        "other_custodians": ["Custodian B"],
        "timers": {"retry_base_seconds": 3600, "retry_cap_seconds": 3600},
        "limits": {"max_fills_per_settlement": 50, "max_settlements_in_flight": 8, "max_starts_in_flight": 8},
    }
    settings = AgentSettings.model_validate(example)
    assert settings.limits.max_fills_per_settlement == 50
    assert settings.worker is None
