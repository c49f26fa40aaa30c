"""A venue with a FIX door on this machine, and a broker that speaks FIX by bytes of its own: it knows no engine."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

from ippon.venue.fix.gateway import Gateway, serve
from ippon.venue.process import VenueProcess
from ippon.venue.settings import VenueSettings, load_settings
from unit.venue_world import MORNING, venue_settings

TIMEOUT_SECONDS = 20.0
PASSWORD = "not-a-secret"
Fields = list[tuple[int, str]]


def fix_settings(folder: Path, **changes: Any) -> VenueSettings:
    """Two brokers and a drop copy, on a port that is free."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    venue_settings(folder, idle_poll_millis=5)
    password = folder / "password"
    password.write_text(PASSWORD)
    password.chmod(0o600)
    peers: list[dict[str, str]] = [
        {"comp_id": "ALPHA", "broker": "BR-A1", "password_file": "password"},
        {"comp_id": "BR-B1", "password_file": "password"},
        {"comp_id": "COPY", "kind": "drop-copy", "password_file": "password"},
    ]
    content = json.loads((folder / "venue.json").read_text())
    content |= {"idle_poll_millis": 5, "fix": {"port": port, "peers": peers, **changes}}
    (folder / "venue.json").write_text(json.dumps(content))
    return load_settings(folder / "venue.json")


class Venue:
    """A running venue."""

    def __init__(self, settings: VenueSettings) -> None:
        assert settings.fix is not None
        self.fix = settings.fix
        self.process = VenueProcess(settings, now_millis=lambda: MORNING)
        self.gateway = Gateway(self.process, self.fix, now_millis=lambda: MORNING)
        self.stop = threading.Event()

    async def client(self, comp_id: str = "ALPHA", *, first: int = 1, expected: int = 1) -> Client:
        """A broker that has logged on."""
        client = await Client.connect(self.fix.port, comp_id, first=first, expected=expected)
        await client.logon()
        return client


@asynccontextmanager
async def running(settings: VenueSettings) -> AsyncIterator[Venue]:
    venue, up = Venue(settings), asyncio.Event()
    task = asyncio.create_task(
        serve(venue.process, venue.gateway, venue.fix, stop=venue.stop, ready=up.set),
    )
    try:
        await asyncio.wait_for(up.wait(), TIMEOUT_SECONDS)
        yield venue
    finally:
        for client in Client.all:
            await client.close()
        Client.all.clear()
        venue.stop.set()
        await asyncio.wait_for(task, TIMEOUT_SECONDS)
        venue.process.close()


def play(scene: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scene, 3 * TIMEOUT_SECONDS))


class Client:
    """Bytes out, fields in. Keeps its own sequence numbers; answers nothing by itself."""

    all: ClassVar[list[Client]] = []

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, comp_id: str, first: int) -> None:
        self._reader, self._writer = reader, writer
        self.comp_id = comp_id
        self.next = first
        self.expected = 1
        self._buffer = b""
        self.all.append(self)

    @classmethod
    async def connect(cls, port: int, comp_id: str, *, first: int = 1, expected: int = 1) -> Client:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        client = cls(reader, writer, comp_id, first)
        client.expected = expected
        return client

    async def logon(self, password: str = PASSWORD, heartbeat: int = 30) -> dict[int, str]:
        await self.send("A", [(98, "0"), (108, str(heartbeat)), (553, self.comp_id), (554, password)])
        return await self.receive("A")

    async def send(self, msg_type: str, fields: Fields, *, number: int | None = None, dup: bool = False) -> int:
        number = number or self.next
        header: Fields = [(35, msg_type), (49, self.comp_id), (56, "VENUE"), (34, str(number))]
        header += [(43, "Y"), (122, "20260701-00:00:00")] if dup else []
        await self.raw(framed([*header, (52, "20260701-00:00:00"), *fields]))
        self.next = max(self.next, number + 1)
        return number

    async def raw(self, content: bytes) -> None:
        self._writer.write(content)
        await self._writer.drain()

    async def next_message(self) -> Fields:
        """The next message, whole; checks BodyLength and CheckSum."""
        while True:
            end = self._buffer.find(b"\x0110=")
            if end >= 0 and len(self._buffer) >= end + 8:
                whole, self._buffer = self._buffer[: end + 8], self._buffer[end + 8 :]
                parts = [part.partition(b"=") for part in whole.split(b"\x01")[:-1]]
                assert framed([(int(tag), text.decode("latin-1")) for tag, _, text in parts[2:-1]]) == whole
                return [(int(tag), text.decode("latin-1")) for tag, _, text in parts]
            got = await asyncio.wait_for(self._reader.read(4096), TIMEOUT_SECONDS)
            if not got:
                raise EOFError
            self._buffer += got

    async def receive(self, *types: str) -> dict[int, str]:
        """The next message that is no heartbeat; of one of these types. Of a tag that stands twice, the last value."""
        while True:
            fields = await self.next_message()
            message = dict(fields)
            if message[35] != "0":
                assert message[35] in types, fields
                if 43 not in message:
                    self.expected = int(message[34]) + 1
                return message

    async def order(self, client_order_id: str, side: str = "1", quantity: str = "4", **changes: str) -> int:
        """A NewOrderSingle for ZB202 at 1000.00."""
        return await self.send("D", order_fields(client_order_id, side, quantity, **changes))

    async def close(self) -> None:
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()


def order_fields(client_order_id: str, side: str = "1", quantity: str = "4", **changes: str) -> Fields:
    """Changes by tag: `t44="1000.25"`; an empty text leaves the tag out."""
    fields = {11: client_order_id, 1: "INV-1" if side == "1" else "INV-4", 55: "ZB202", 543: "IPPON", 54: side}
    fields |= {60: "20260701-00:15:00.123", 38: quantity, 40: "2", 44: "1000.00", 59: "0"}
    fields |= {int(tag[1:]): text for tag, text in changes.items()}
    return [(tag, text) for tag, text in fields.items() if text]


def framed(fields: Fields) -> bytes:
    """With BeginString, BodyLength and CheckSum."""
    body = b"".join(f"{tag}={text}\x01".encode("latin-1") for tag, text in fields)
    head = f"8=FIX.4.4\x019={len(body)}\x01".encode()
    return head + body + f"10={sum(head + body) % 256:03}\x01".encode()
