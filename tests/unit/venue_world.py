"""A venue for tests: two securities, three brokers, a market that is open, and short ways to speak to it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from ippon.venue.calendar import Hours
from ippon.venue.listing import Security
from ippon.venue.market import Market, Rules
from ippon.venue.orders import CancelOrder, NewOrder, ReplaceOrder
from ippon.venue.settings import VenueSettings, load_settings
from ippon.venue.words import Phase

DAY = date(2026, 7, 1)
PHASES = list(Hours().of(DAY))
PRE_OPEN, MORNING, LUNCH, MIDDAY_CALL, AFTERNOON, LAST_CALL, CLOSE = (at for at, _ in PHASES)
BROKERS = {"BR-A1": "Custodian A", "BR-A2": "Custodian A", "BR-B1": "Custodian B"}
INVESTORS = {"BR-A1": ["INV-1", "INV-2"], "BR-A2": ["INV-3"], "BR-B1": ["INV-4", "INV-5"]}
ZA101 = Security("ZA101", "IPPON", 100_00, 1, 100_000_00, 85_000_00, 115_000_00, ("Invented Warehouse", "架空倉庫"))
ZB202 = Security("ZB202", "IPPON", 25, 4, 1_000_00, 850_00, 1_150_00)
SECURITIES_CSV = """\
security_code,platform_code,tick,lot,reference_price,lowest_price,highest_price,name_ja
ZA101,IPPON,100.00,1,100000.00,85000.00,115000.00,架空倉庫
ZB202,IPPON,0.25,4,1000.00,850.00,1150.00,
"""
BROKERS_CSV = "broker,custodian\nBR-A1,Custodian A\nBR-A2,Custodian A\nBR-B1,Custodian B\n"


def market(phase: Phase = Phase.CONTINUOUS, **rules: Any) -> Market:
    made = Market(day=DAY, securities=(ZA101, ZB202), brokers=BROKERS, rules=Rules(**rules))
    made.enter(phase, MORNING)
    return made


def new(client_order_id: str, side: str, quantity: int = 10, price: int = 1_000_00, **changes: Any) -> NewOrder:
    """An order for ZB202; price in sen."""
    broker = changes.pop("broker", "BR-A1" if side == "BUY" else "BR-B1")
    values = {"investor_id": "INV-1" if side == "BUY" else "INV-4", "security": "ZB202", "platform_code": "IPPON"}
    values |= changes
    return NewOrder(broker, client_order_id, side == "BUY", quantity=quantity, price=price, **values)


def cancel(client_order_id: str, original: str, broker: str = "BR-A1") -> CancelOrder:
    return CancelOrder(broker, client_order_id, original)


def replace(
    client_order_id: str, original: str, quantity: int, price: int = 1_000_00, broker: str = "BR-A1"
) -> ReplaceOrder:
    return ReplaceOrder(broker, client_order_id, original, quantity, price)


def venue_settings(folder: Path, **changes: Any) -> VenueSettings:
    """A venue's folder with its lists and configuration, as `ippon venue --config` takes it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "securities.csv").write_text(SECURITIES_CSV, encoding="utf-8")
    (folder / "brokers.csv").write_text(BROKERS_CSV, encoding="utf-8")
    content = {"securities_file": "securities.csv", "brokers_file": "brokers.csv", "exchange_inbox_dir": "inbox"}
    (folder / "venue.json").write_text(json.dumps(content | changes), encoding="utf-8")
    return load_settings(folder / "venue.json")
