"""The py4j door: one method, `call(method, json)`, on the gateway's entry point; the same JSON as over HTTP."""

from typing import Any, Protocol

from py4j.java_gateway import GatewayParameters, JavaGateway
from py4j.protocol import Py4JAuthenticationError, Py4JError, Py4JJavaError, Py4JNetworkError

from ippon.errors import BridgeDown, Internal, NoToken
from ippon.node.envelope import checked_wait, decode, encode, known, read, read_finished, read_flag, read_integer
from ippon.node.protocol import MAX_WAIT_MILLIS, Finished, FlowState, Health, Json, NodeInfo, Page, Started
from ippon.node.token import Token


class EntryPoint(Protocol):
    """The JVM object behind the gateway."""

    def call(self, method: str, json: str) -> str:
        """Answers of docs/node-operations.md, or `{"error": …}`."""
        ...


class Py4jNode:
    """A `Node` behind the bridge's py4j door.

    Args:
        host: where the gateway listens; loopback unless told otherwise.
        port: its port.
        token: the gateway's authentication token.
        timeout_seconds: longest time without an answer, beside the longest wait that a call may ask for.
        entry_point: what to call in place of a gateway (tests).
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int,
        token: Token,
        timeout_seconds: float = 30.0,
        entry_point: EntryPoint | None = None,
    ) -> None:
        self._where = f"{host}:{port}"
        self._gateway: Any = None
        if entry_point is None:
            parameters = GatewayParameters(
                address=host,
                port=port,
                auth_token=token.reveal(),
                # One figure for all calls: py4j sets it on the socket when it is opened.
                read_timeout=timeout_seconds + MAX_WAIT_MILLIS / 1000,
                auto_convert=False,
            )
            self._gateway = JavaGateway(gateway_parameters=parameters)
            entry_point = self._gateway.entry_point
        self._entry_point: EntryPoint = entry_point

    def close(self) -> None:
        """Let the connections go."""
        if self._gateway is not None:
            self._gateway.close()

    def health(self) -> Health:
        """See `Node`."""
        return read(Health, self._call("health"), where=self._where)

    def node(self) -> NodeInfo:
        """See `Node`."""
        return read(NodeInfo, self._call("node"), where=self._where)

    def start(self, operation: str, client_id: str, arguments: Json) -> Started:
        """See `Node`."""
        answer = self._call("start", operation=known(operation), client_id=client_id, arguments=dict(arguments))
        return read(Started, answer, where=self._where)

    def result(self, client_id: str, wait_millis: int = 0) -> FlowState:
        """See `Node`."""
        answer = self._call("result", client_id=client_id, wait_millis=checked_wait(wait_millis))
        return read(FlowState, answer, where=self._where)

    def forget(self, client_id: str) -> bool:
        """See `Node`."""
        return read_flag(self._call("forget", client_id=client_id), "removed", where=self._where)

    def finished(self) -> list[Finished]:
        """See `Node`."""
        return read_finished(self._call("finished"), where=self._where)

    def query(self, name: str, arguments: Json) -> Page:
        """See `Node`."""
        return read(Page, self._call("query", name=known(name), arguments=dict(arguments)), where=self._where)

    def wait(self, after: int, wait_millis: int) -> int:
        """See `Node`."""
        answer = self._call("wait", after=after, wait_millis=checked_wait(wait_millis))
        return read_integer(answer, "sequence", where=self._where)

    def kill(self, run_id: str) -> bool:
        """See `Node`."""
        return read_flag(self._call("kill", run_id=run_id), "killed", where=self._where)

    def _call(self, method: str, **arguments: object) -> dict[str, Any]:
        text = encode(arguments)
        try:
            answer = self._entry_point.call(method, text)
        except Py4JAuthenticationError as problem:
            raise NoToken("The gateway does not take our token.", where=self._where) from problem
        except Py4JNetworkError as problem:
            raise BridgeDown(
                f"The bridge at {self._where} cannot be reached; is it running?", where=self._where
            ) from problem
        except Py4JJavaError as problem:
            # The JVM's own text may hold anything; its class is enough to look it up in the bridge's log.
            name = str(problem.java_exception.getClass().getName())
            raise Internal(f"The bridge failed in {method}: {name}", where=self._where) from problem
        except (Py4JError, OSError) as problem:
            raise BridgeDown(f"The gateway at {self._where} broke off.", where=self._where) from problem
        return decode(answer, where=self._where)
