"""A wire that breaks: passes what a client says on to a door, and hangs up before the answer comes back."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

MAX_BYTES = 65_536
ANSWER_SECONDS = 30.0


@contextmanager
def cut_after(port: int, marker: bytes) -> Iterator[int]:
    """A port on loopback behind which is `port`; what answers a request with `marker` in it is lost.

    The door has answered by then, so whatever was asked for has been done.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stop = threading.Event()
        thread = threading.Thread(target=_serve, args=(listener, port, marker, stop), daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            stop.set()
            with suppress(OSError):
                socket.create_connection(listener.getsockname(), timeout=1).close()
            thread.join(timeout=ANSWER_SECONDS)


def _serve(listener: socket.socket, port: int, marker: bytes, stop: threading.Event) -> None:
    threads = []
    while True:
        client, _ = listener.accept()
        if stop.is_set():
            client.close()
            break
        thread = threading.Thread(target=_pass_on, args=(client, port, marker), daemon=True)
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join(timeout=ANSWER_SECONDS)


def _pass_on(client: socket.socket, port: int, marker: bytes) -> None:
    with client, socket.create_connection(("127.0.0.1", port)) as door, suppress(OSError):
        client.settimeout(ANSWER_SECONDS)
        door.settimeout(ANSWER_SECONDS)
        seen = b""
        back = threading.Thread(target=_answers, args=(door, client, lambda: marker in seen), daemon=True)
        back.start()
        while asked := client.recv(MAX_BYTES):
            seen += asked
            door.sendall(asked)
        door.shutdown(socket.SHUT_WR)
        back.join(timeout=ANSWER_SECONDS)


def _answers(door: socket.socket, client: socket.socket, lost) -> None:  # type: ignore[no-untyped-def]
    with suppress(OSError):
        while answer := door.recv(MAX_BYTES):
            if lost():
                client.shutdown(socket.SHUT_RDWR)
                return
            client.sendall(answer)
