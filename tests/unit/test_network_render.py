"""Configuration files as text, and the secrets in them."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import pytest

from ippon_network import render
from ippon_network.credentials import Credentials, write_private
from ippon_network.settings import REPOSITORY
from ippon_network.tls import DoorKeys
from ippon_network.topology import Topology, load_topology

KEYS = DoorKeys.beside(Path("coin/bridge/config.json"))


@pytest.fixture
def topology() -> Topology:
    return load_topology(REPOSITORY / "network-bootstrap" / "topology.yaml")


@pytest.fixture
def credentials() -> Credentials:
    return Credentials.make()


def test_node_conf_says_dev_mode_and_its_addresses(topology: Topology, credentials: Credentials) -> None:
    conf = render.node_conf(topology, "coin", credentials)

    assert 'myLegalName = "O=Coin Issuer, L=Tokyo, C=JP"' in conf
    assert "\ndevMode = true\n" in conf
    assert 'p2pAddress = "127.0.0.1:10230"' in conf
    assert 'messagingServerAddress = "127.0.0.1:10230"\nmessagingServerExternal = false\n' in conf
    assert 'adminAddress = "127.0.0.1:10232"' in conf
    assert "\nnotary\n" not in conf


def test_braces_stand_on_lines_of_their_own(topology: Topology, credentials: Credentials) -> None:
    for key in topology.nodes:
        for line in render.node_conf(topology, key, credentials).splitlines():
            if "{" in line or "}" in line:
                assert line.strip() in ("{", "}")


def test_the_notary_does_not_wait_to_fill_a_batch(topology: Topology, credentials: Credentials) -> None:
    conf = render.node_conf(topology, "notary", credentials)

    assert re.search(
        r"notary\n{\n    validating = false\n    extraConfig\n    {\n        batchTimeoutMs = 5\n    }\n}", conf
    )


def test_each_user_has_its_own_password_and_permissions(topology: Topology, credentials: Credentials) -> None:
    conf = render.node_conf(topology, "coin", credentials)

    passwords = re.findall(r'password = "([^"]+)"', conf)
    assert passwords == [
        getattr(credentials.passwords, user).get_secret_value()
        for user in ("bridge", "reader", "operator", "maintainer")
    ]
    assert len(set(passwords)) == 4
    operator = conf[conf.index('user = "operator"') :]
    assert '"InvokeRpc.killFlow"' in operator
    assert "org.ippon.coin.IssueCoins" not in operator
    draining = [user for user in conf.split("user = ")[1:] if "setFlowsDrainingModeEnabled" in user]
    assert [user.split('"')[1] for user in draining] == ["maintainer"]
    assert [user.split('"')[1] for user in conf.split("user = ")[1:] if "RecoverAsCoin" in user] == ["maintainer"]


def test_core_conf_is_json_with_the_anchors(topology: Topology) -> None:
    content = json.loads(render.core_conf(topology, "custodian-a"))

    assert content["notary"] == "O=Notary, L=Tokyo, C=JP"
    assert content["venues"] == ["O=Exchange, L=Tokyo, C=JP"]


def test_bridge_config_has_what_the_bridge_reads(topology: Topology, credentials: Credentials) -> None:
    config = json.loads(render.bridge_config(topology, "coin", credentials, KEYS))

    assert config == {
        "organisation": "coin",
        "rpc": {"host": "127.0.0.1", "port": 10231},
        "users": {
            user: {"name": user, "password": getattr(credentials.passwords, user).get_secret_value()}
            for user in ("bridge", "reader", "operator")
        },
        "http": {"host": "127.0.0.1", "port": 10235},
        "py4j": {"host": "127.0.0.1", "port": 10236},
        "tokens": {
            door: getattr(credentials.tokens, door).get_secret_value() for door in ("agent", "reader", "operator")
        },
        "py4j_token": credentials.py4j_token.get_secret_value(),
        "max_request_bytes": 1_048_576,
    }


def test_the_maintainer_has_a_file_of_its_own(topology: Topology, credentials: Credentials) -> None:
    config = json.loads(render.maintenance_config(topology, "coin", credentials))

    assert config == {
        "rpc": {"host": "127.0.0.1", "port": 10231},
        "user": {"name": "maintainer", "password": credentials.passwords.maintainer.get_secret_value()},
        "members": [
            *("O=Asset Registrar, L=Tokyo, C=JP", "O=Custodian A, L=Tokyo, C=JP", "O=Custodian B, L=Tokyo, C=JP"),
            "O=Exchange, L=Tokyo, C=JP",
        ],
        "recover": ["org.ippon.coin.RecoverAsCoin"],
    }
    assert config["user"]["password"] not in render.bridge_config(topology, "coin", credentials, KEYS)


def test_a_secret_that_an_older_file_lacks_is_made_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    made = Credentials.kept_in(path)
    content = json.loads(path.read_text())
    del content["passwords"]["maintainer"]
    path.write_text(json.dumps(content), encoding="utf-8")

    renewed = Credentials.kept_in(path)

    assert renewed.passwords.bridge == made.passwords.bridge
    assert Credentials.kept_in(path) == renewed


def test_bridge_config_when_the_topology_wants_tls_names_the_keystore(
    topology: Topology, credentials: Credentials
) -> None:
    wanted = topology.model_copy(update={"bridge": topology.bridge.model_copy(update={"tls": True})})

    config = json.loads(render.bridge_config(wanted, "coin", credentials, KEYS))

    assert config["tls"] == {"keystore": "coin/bridge/tls.p12", "password_file": "coin/bridge/tls.password"}


def test_secrets_are_made_once_and_for_the_owners_eyes(tmp_path: Path) -> None:
    path = tmp_path / "coin" / "secrets.json"

    made = Credentials.kept_in(path)

    assert Credentials.kept_in(path) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(made.passwords.bridge.get_secret_value()) >= 32


def test_secrets_do_not_show_in_a_repr(credentials: Credentials) -> None:
    shown = repr(credentials) + str(credentials) + str(credentials.model_dump())

    for secret in (credentials.passwords.bridge, credentials.tokens.agent, credentials.py4j_token):
        assert secret.get_secret_value() not in shown


def test_a_private_file_is_never_open_to_others(tmp_path: Path) -> None:
    path = tmp_path / "node.conf"
    path.write_text("old", encoding="utf-8")
    path.chmod(0o644)

    write_private(path, "new")

    assert path.read_text(encoding="utf-8") == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
