"""The HTTP door.

    node = HttpNode(url="http://127.0.0.1:10101", token=read_token(Path("agent.token")), timeout_seconds=30.0)

| option          | default | meaning                                                                    |
|-----------------|---------|----------------------------------------------------------------------------|
| url             |         | where the bridge listens                                                   |
| token           | None    | bearer token; only `health` works without                                  |
| ca_file         | None    | PEM file of the certificates to trust for https; None: those of certifi    |
| timeout_seconds | 30.0    | longest time without an answer, beside the wait that a call itself asks for |
| connect_seconds | 3.05    | longest time to connect                                                    |
| connect_tries   | 2       | further tries to connect; never a second try of a request that was sent    |
"""

from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from ippon.errors import BadAnswer, BadSettings, BridgeDown, BridgeTimeout, IpponError
from ippon.node.envelope import (
    checked_wait,
    decode,
    encode,
    known,
    read,
    read_finished,
    read_flag,
    read_integer,
)
from ippon.node.protocol import Finished, FlowState, Health, Json, NodeInfo, Page, Started
from ippon.node.token import Token

MAX_ANSWER_BYTES = 64 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024


class HttpNode:
    """A `Node` behind the bridge's HTTP door. Not to be shared between threads."""

    def __init__(
        self,
        *,
        url: str,
        token: Token | None = None,
        ca_file: Path | None = None,
        timeout_seconds: float = 30.0,
        connect_seconds: float = 3.05,
        connect_tries: int = 2,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise BadSettings(f"The bridge's URL must be like http://127.0.0.1:10101, but is '{url}'.")
        self._base = url.rstrip("/")
        self._where = parts.netloc.rpartition("@")[2]
        self._timeout_seconds = timeout_seconds
        self._connect_seconds = connect_seconds
        self._session = requests.Session()
        # No proxy and no .netrc of the environment: the token goes to the bridge and to nobody else.
        self._session.trust_env = False
        if ca_file is not None:
            if not ca_file.is_file():
                raise BadSettings(f"There is no certificate in {ca_file}, which the settings call ca_file.")
            self._session.verify = str(ca_file)
        adapter = HTTPAdapter(max_retries=_connect_only(connect_tries))
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        if token is not None:
            self._session.headers["Authorization"] = f"Bearer {token.reveal()}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the connections go."""
        self._session.close()

    def health(self) -> Health:
        """See `Node`."""
        return read(Health, self._call("GET", "/health"), where=self._where)

    def node(self) -> NodeInfo:
        """See `Node`."""
        return read(NodeInfo, self._call("GET", "/v1/node"), where=self._where)

    def start(self, operation: str, client_id: str, arguments: Json) -> Started:
        """See `Node`."""
        body = {"client_id": client_id, "arguments": arguments}
        return read(Started, self._call("POST", f"/v1/flows/{known(operation)}", body=body), where=self._where)

    def result(self, client_id: str, wait_millis: int = 0) -> FlowState:
        """See `Node`."""
        path = f"/v1/flows/{_part(client_id)}"
        answer = self._call("GET", path, query={"wait_millis": checked_wait(wait_millis)}, wait_millis=wait_millis)
        return read(FlowState, answer, where=self._where)

    def forget(self, client_id: str) -> bool:
        """See `Node`."""
        return read_flag(self._call("DELETE", f"/v1/flows/{_part(client_id)}"), "removed", where=self._where)

    def finished(self) -> list[Finished]:
        """See `Node`."""
        return read_finished(self._call("GET", "/v1/flows"), where=self._where)

    def query(self, name: str, arguments: Json) -> Page:
        """See `Node`."""
        return read(Page, self._call("POST", f"/v1/queries/{known(name)}", body=dict(arguments)), where=self._where)

    def wait(self, after: int, wait_millis: int) -> int:
        """See `Node`."""
        query = {"after": after, "wait_millis": checked_wait(wait_millis)}
        answer = self._call("GET", "/v1/changes", query=query, wait_millis=wait_millis)
        return read_integer(answer, "sequence", where=self._where)

    def kill(self, run_id: str) -> bool:
        """See `Node`."""
        return read_flag(self._call("POST", "/v1/operator/kill", body={"run_id": run_id}), "killed", where=self._where)

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, int] | None = None,
        body: dict[str, Any] | None = None,
        wait_millis: int = 0,
    ) -> dict[str, Any]:
        data = None if body is None else encode(body).encode()
        headers = {} if data is None else {"Content-Type": "application/json"}
        try:
            with self._session.request(
                method,
                self._base + path,
                params=query,
                data=data,
                headers=headers,
                timeout=(self._connect_seconds, self._timeout_seconds + wait_millis / 1000),
                allow_redirects=False,
                stream=True,
            ) as response:
                return self._answer(response)
        except (requests.ReadTimeout, requests.ConnectTimeout) as problem:
            raise BridgeTimeout(
                f"The bridge at {self._where} did not answer {method} {path} in time.", where=self._where
            ) from problem
        except requests.RequestException as problem:
            raise _broken(problem, self._where) from problem

    def _answer(self, response: requests.Response) -> dict[str, Any]:
        content = bytearray()
        for chunk in response.iter_content(_CHUNK_BYTES):
            content += chunk
            if len(content) > MAX_ANSWER_BYTES:
                raise BadAnswer(f"The answer is larger than {MAX_ANSWER_BYTES} bytes.", where=self._where)
        answer = decode(bytes(content), where=self._where)
        # A bridge that is up but has no node says so with 503 and no error.
        if response.status_code != 200 and "status" not in answer:
            raise BadAnswer(f"The door answers {response.status_code} without an error.", where=self._where)
        return answer


def _connect_only(tries: int) -> Retry:
    return Retry(
        total=None, connect=tries, read=0, redirect=0, status=0, other=0, backoff_factor=0.1, raise_on_status=False
    )


def _broken(problem: requests.RequestException, where: str) -> IpponError:
    # requests wraps a timeout in the middle of a body into ConnectionError.
    if "timed out" in str(problem).lower():
        return BridgeTimeout(f"The bridge at {where} stopped in the middle of an answer.", where=where)
    if isinstance(problem, requests.exceptions.SSLError):
        return BridgeDown(
            f"The bridge at {where} does not show a certificate that is trusted here; does ca_file name its own?",
            where=where,
        )
    return BridgeDown(
        f"The bridge at {where} cannot be reached ({type(problem).__name__}); is it running?", where=where
    )


def _part(text: str) -> str:
    return quote(text, safe=":")
