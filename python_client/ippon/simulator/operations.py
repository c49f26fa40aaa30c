"""What each role's node can be asked to do (docs/node-operations.md)."""

from collections.abc import Mapping

from ippon.simulator.flows_doubt import ask_outcome, reclaim_coins
from ippon.simulator.flows_issuers import (
    expire_instruction,
    issue_coins,
    issue_security,
    record_statement,
    reject_instruction,
)
from ippon.simulator.flows_orders import (
    announce_funds,
    instruct_trust,
    redeem_coins,
    register_funds_route,
    register_investors,
    share_funds_routes,
    transfer_security,
)
from ippon.simulator.flows_settle import settle_fills
from ippon.simulator.flows_venue import bust_fill, notify_fill
from ippon.simulator.network import Operation

_CUSTODIAN: tuple[Operation, ...] = (
    *(register_investors, register_funds_route, share_funds_routes, instruct_trust, announce_funds),
    *(transfer_security, redeem_coins, settle_fills, ask_outcome, reclaim_coins),
)
_COIN: tuple[Operation, ...] = (record_statement, issue_coins, reject_instruction, expire_instruction, ask_outcome)
OPERATIONS: Mapping[str, Mapping[str, Operation]] = {
    "exchange": {one.__name__: one for one in (notify_fill, bust_fill)},
    "custodian": {one.__name__: one for one in _CUSTODIAN},
    "asset": {one.__name__: one for one in (issue_security, ask_outcome)},
    "coin": {one.__name__: one for one in _COIN},
}
"""By role and name."""
