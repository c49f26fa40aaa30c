"""Starting an agent: what `ippon agent run --config FILE` does."""

import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from types import FrameType
from typing import TextIO

import structlog

from ippon.agent.agent import Agent
from ippon.agent.runner import Waker, run
from ippon.agent.settings import AgentSettings, HttpBridge
from ippon.agent.store import Store
from ippon.agent.tools import Log, SystemClock, Tools
from ippon.errors import BadSettings
from ippon.node import HttpNode, Node, Py4jNode, Token, read_token

SIGNALS = (signal.SIGTERM, signal.SIGINT)


def run_agent(settings: AgentSettings) -> int:
    """Run an agent until SIGTERM or SIGINT; the process's exit code.

    Raises: BadSettings, StoreError before anything is started.
    """
    with ExitStack() as stack:
        log = open_log(stack.enter_context(_log_stream(settings.log_file)))
        stop = threading.Event()
        store = Store.open(settings.store_url)
        stack.callback(store.close)
        node, watching = (stack.enter_context(_closing(open_node(settings))) for _ in range(2))
        operator = stack.enter_context(_closing(open_operator(settings)))
        if node is None or watching is None:
            raise BadSettings("The agent has no node.")
        tools = Tools(
            settings=settings,
            store=store,
            node=node,
            operator=operator,
            clock=SystemClock(),
            random=Random(secrets.randbits(64)),  # noqa: S311
            worker=settings.worker or f"{socket.gethostname()[:40]}:{os.getpid()}",
            log=log,
        )
        agent = Agent(tools)
        waker = Waker(watching, wait_millis=settings.timers.wait_millis, stop=stop, log=log)
        stack.enter_context(_pid_file(settings.pid_file))
        stack.enter_context(_stopping(stop, waker))
        who = {"pid": os.getpid(), "organisation": settings.organisation, "role": settings.role.value}
        log.info("started", **who)
        idle_seconds = settings.timers.idle_poll_millis / 1000
        run(agent, waker, idle_seconds=idle_seconds, stop=stop, log=log, ready=lambda: log.info("ready", **who))
        log.info("stopped", **who)
    return 0


def open_node(settings: AgentSettings) -> HttpNode | Py4jNode:
    """A client of the agent's own node, with the agent's token."""
    bridge = settings.bridge
    token = read_token(bridge.agent_token_file)
    if isinstance(bridge, HttpBridge):
        return _http(bridge, token)
    return Py4jNode(host=bridge.host, port=bridge.port, token=token, timeout_seconds=bridge.timeout_seconds)


def open_operator(settings: AgentSettings) -> HttpNode | Py4jNode | None:
    """A client with the operator's token; None when the settings name none."""
    bridge = settings.bridge
    if bridge.operator_token_file is None:
        return None
    token = read_token(bridge.operator_token_file)
    if isinstance(bridge, HttpBridge):
        return _http(bridge, token)
    if bridge.operator_port is None:
        raise BadSettings("bridge.operator_port must be given with operator_token_file: a gateway has one token.")
    return Py4jNode(host=bridge.host, port=bridge.operator_port, token=token, timeout_seconds=bridge.timeout_seconds)


def _http(bridge: HttpBridge, token: Token) -> HttpNode:
    return HttpNode(url=bridge.url, token=token, ca_file=bridge.ca_file, timeout_seconds=bridge.timeout_seconds)


def open_log(stream: TextIO) -> Log:
    """JSON lines on a stream."""
    log: Log = structlog.wrap_logger(
        structlog.WriteLogger(stream),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ],
    )
    return log


@contextmanager
def _log_stream(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stderr
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8", buffering=1) as stream:
        yield stream


@contextmanager
def _closing(node: HttpNode | Py4jNode | None) -> Iterator[Node | None]:
    try:
        yield node
    finally:
        if node is not None:
            node.close()


@contextmanager
def _pid_file(path: Path | None) -> Iterator[None]:
    if path is None:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{os.getpid()}\n", encoding="ascii")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def _stopping(stop: threading.Event, waker: Waker) -> Iterator[None]:
    def tell(_: int, __: FrameType | None) -> None:
        stop.set()
        waker.poke()

    before = {number: signal.signal(number, tell) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
