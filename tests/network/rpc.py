"""Corda's own RPC client, in a JVM of the tests': what a stolen password of a node could do, with no bridge."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from py4j.java_gateway import GatewayParameters, JavaGateway, launch_gateway
from py4j.protocol import Py4JJavaError

from ippon_network import Network
from ippon_network.parts import java_home

# A stray wait for an answer would hang the test: what may be called is never called here.
_BY_THE_CLIENT = frozenset({"getProtocolVersion"})
_STARTERS = ("startFlowDynamic", "startTrackedFlowDynamic")
REFUSED = "net.corda.client.rpc.PermissionException"
_NO_ARGUMENTS: dict[str, Any] = {"boolean": False, "int": 0, "long": 0}


class Jvm:
    """A JVM with the bridge's jars: Corda's client, and the flows of every role."""

    def __init__(self, gateway: JavaGateway) -> None:
        self._gateway = gateway
        self._java = gateway.jvm

    @contextmanager
    def login(self, network: Network, member: str, user: str, *, password_of: str | None = None) -> Iterator[Login]:
        """A session of one RPC user at one node; `password_of` another one to try its password."""
        node = network.topology.node(member)
        secrets = json.loads(network.folder(password_of or member).secrets.read_text(encoding="utf-8"))
        address = self._java.net.corda.core.utilities.NetworkHostAndPort(network.topology.host, node.ports.rpc)
        client = self._java.net.corda.client.rpc.CordaRPCClient(address)
        connection = client.start(user, secrets["passwords"][user])
        try:
            yield Login(self._gateway, connection.getProxy())
        finally:
            connection.notifyServerAndClose()


class Login:
    """Tries things, and says who was refused."""

    def __init__(self, gateway: JavaGateway, proxy: Any) -> None:
        self._gateway = gateway
        self._proxy = proxy
        self._ops = gateway.jvm.java.lang.Class.forName("net.corda.core.messaging.CordaRPCOps")

    def methods(self) -> set[str]:
        """All of CordaRPCOps that go to the node, but for those that start flows."""
        names = {method.getName() for method in self._ops.getMethods()}
        return {name for name in names if not name.startswith(("startFlow", "startTrackedFlow"))} - _BY_THE_CLIENT

    def outcomes(self, name: str) -> set[str]:
        """What calling each method of this name with empty arguments comes to."""
        found = [method for method in self._ops.getMethods() if method.getName() == name]
        return {
            self._outcome(method, [_NO_ARGUMENTS.get(one.getName()) for one in method.getParameterTypes()])
            for method in found
        }

    def starting(self, flow: str) -> set[str]:
        """What starting a flow comes to, by each method that can."""
        kind = self._gateway.jvm.java.lang.Class.forName(flow)
        none = self._array([])
        outcomes = set()
        for method in self._ops.getMethods():
            if method.getName() in _STARTERS:
                outcomes.add(self._outcome(method, [kind, none]))
            elif method.getName() == "startFlowDynamicWithClientId":
                outcomes.add(self._outcome(method, [f"test:power:{flow}", kind, none]))
        return outcomes

    def _outcome(self, method: Any, arguments: list[Any]) -> str:
        try:
            method.invoke(self._proxy, self._array(arguments))
        except Py4JJavaError as error:
            cause = error.java_exception.getCause() or error.java_exception
            name = str(cause.getClass().getName())
            return name if name == REFUSED else f"{name}: {cause.getMessage()}"
        return "answered"

    def _array(self, values: list[Any]) -> Any:
        made = self._gateway.new_array(self._gateway.jvm.java.lang.Object, len(values))
        for index, value in enumerate(values):
            made[index] = value
        return made


@contextmanager
def jvm(libraries: Path) -> Iterator[Jvm]:
    """A JVM that dies with the tests."""
    port, token = launch_gateway(
        classpath=f"{libraries}/*",
        java_path=str(java_home() / "bin" / "java"),
        javaopts=["-Xmx256m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"],
        die_on_exit=True,
        enable_auth=True,
    )
    gateway = JavaGateway(gateway_parameters=GatewayParameters(port=port, auth_token=token, auto_convert=True))
    try:
        yield Jvm(gateway)
    finally:
        gateway.shutdown()


def flows_in(jars: list[Path]) -> set[str]:
    """Classes that an RPC user could start were he allowed to, found by the annotation in their bytes."""
    found = set()
    for jar in jars:
        with zipfile.ZipFile(jar) as content:
            for name in content.namelist():
                if name.endswith(".class") and b"Lnet/corda/core/flows/StartableByRPC;" in content.read(name):
                    found.add(name.removesuffix(".class").replace("/", "."))
    return found
