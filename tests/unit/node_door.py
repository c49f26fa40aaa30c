"""A small HTTP door in a thread, which answers what the test has laid out."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Request:
    """What came in."""

    method: str
    path: str
    token: str | None
    body: Any


Answer = tuple[int, bytes]
Answerer = Callable[[Request], Answer]


def answer(code: int = 200, /, **content: object) -> Answer:
    return code, json.dumps(content).encode()


@dataclass
class Door:
    """The door: where it is, what it was asked, what it answers."""

    url: str
    requests: list[Request] = field(default_factory=list)
    answerer: Answerer = lambda _: answer()
    hang: threading.Event = field(default_factory=threading.Event)

    @property
    def last(self) -> Request:
        return self.requests[-1]


@contextmanager
def open_door(answerer: Answerer | None = None) -> Iterator[Door]:
    """A door on loopback."""
    door = Door("")
    if answerer is not None:
        door.answerer = answerer

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length)
            body = json.loads(raw) if raw else None
            request = Request(self.command, self.path, self.headers.get("Authorization"), body)
            door.requests.append(request)
            status, content = door.answerer(request)
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = _serve  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    door.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield door
    finally:
        door.hang.set()
        server.shutdown()
        server.server_close()
        thread.join()
