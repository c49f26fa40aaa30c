"""A day's report with a row of every kind, for tests and for looking at."""

from datetime import UTC, date, datetime, timedelta

from ippon.report.day import AttemptRow, BalanceRow, DayReport, FillReport, RefusedRow, StepRow
from ippon.report.invariants import prove
from unit.report_world import honest_day

STARTED = datetime(2026, 7, 1, 6, 0, tzinfo=UTC)


def fill_report(number: int, outcome: str = "settled", **changes: object) -> FillReport:
    settled = outcome == "settled"
    content = {
        "execution_id": f"rt1-EX-{number:04}",
        "security_code": "ZA101",
        "quantity": 1_000 + number,
        "unit_price": "1000.25",
        "amount": 1_000_250,
        "seller": "rt1-INV-A01 at Custodian A",
        "buyer": "rt1-INV-B02 at Custodian B",
        "outcome": outcome,
        "expected": outcome,
        "tries": 1,
        "attempts": [AttemptRow(number=1, cause="received", outcome="SETTLED" if settled else "WAITING", seconds=0.8)],
        "seconds": 1.25 if settled else None,
        "transaction_id": f"{number:X}" * 64 if settled else None,
    }
    return FillReport.model_validate(content | changes)


def sample_report() -> DayReport:
    short = AttemptRow(number=1, cause="received", outcome="WAITING", reason="CMON", missing=151_400, seconds=0.4)
    woken = AttemptRow(number=2, cause="announcement", outcome="SETTLED", seconds=0.9)
    return DayReport(
        name="day-1",
        run="t1",
        day=date(2026, 7, 1),
        started_at=STARTED,
        ended_at=STARTED + timedelta(seconds=42),
        directory="/srv/ippon/build/network",
        fills=[
            fill_report(1),
            fill_report(2, attempts=[short, woken], tries=2, seconds=9.5),
            fill_report(3, "waiting", reason="CONF", cause="ROUTE_BANK"),
            fill_report(4, "busted"),
        ],
        refused=[
            RefusedRow(
                file="exchange/fills-1.csv",
                line=7,
                id="rt1-EX-0101",
                status="refused",
                field="buyer_investor_id",
                code="UNKNOWN_INVESTOR",
                reason="Custodian B keeps no investor rt1-INV-B99.",
            ),
            RefusedRow(file="exchange/fills-1.csv", line=13, id="rt1-EX-0003", status="duplicate"),
        ],
        balances=[
            BalanceRow(
                custodian="Custodian A", investor_id="rt1-INV-A01", asset="COINS", before=3_000_000, after=1_999_750
            ),
            BalanceRow(custodian="Custodian A", investor_id="rt1-INV-A01", asset="ZA101", before=150, after=150),
        ],
        steps=[StepRow(title="Investors and funds routes", title_ja="投資家と資金決済情報", seconds=3.25)],
        proof=prove(honest_day().snapshot()),
        quiet=True,
        snapshot="build/day-1/snapshot.json",
        memory_bytes=3_500 * 2**20,
    )
