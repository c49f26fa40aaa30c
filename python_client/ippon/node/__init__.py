"""An organisation's node, through its bridge: one protocol, two doors (HTTP and py4j)."""

from ippon.node.calls import await_node, rows, start_and_wait
from ippon.node.http import HttpNode
from ippon.node.protocol import (
    MAX_PAGE_SIZE,
    MAX_WAIT_MILLIS,
    Finished,
    FlowState,
    Health,
    Json,
    Node,
    NodeInfo,
    Page,
    Started,
)
from ippon.node.py4j import Py4jNode
from ippon.node.token import Token, read_token

__all__ = [
    "MAX_PAGE_SIZE",
    "MAX_WAIT_MILLIS",
    "Finished",
    "FlowState",
    "Health",
    "HttpNode",
    "Json",
    "Node",
    "NodeInfo",
    "Page",
    "Py4jNode",
    "Started",
    "Token",
    "await_node",
    "read_token",
    "rows",
    "start_and_wait",
]
