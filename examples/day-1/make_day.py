"""Writes the files of day-1 from the tables below. Run it after changing a table: `python examples/day-1/make_day.py`.

The files are what counts and are committed; this only keeps order files, fills and statements in step with each other.
Money is integer yen, quantities are integer units.
"""

import csv
import json
from decimal import Decimal
from pathlib import Path

HERE = Path(__file__).parent
DAY = "2026-07-01"
# 08:30 and 12:10 of that day in Tokyo.
MORNING, NOON = "2026-06-30T23:30:00.000Z", "2026-07-01T03:10:00.000Z"
PLATFORM = "IPPON"
REGISTRAR = "Asset Registrar"
CUSTODIANS = {"A": "Custodian A", "B": "Custodian B"}
FOLDERS = {"A": "custodian-a", "B": "custodian-b"}

# code, ISIN, name, Japanese name. XF is the ISIN prefix kept for numbers somebody assigned for internal use.
SECURITIES = [
    ("ZA101", "XF0IPPON0014", "Invented Warehouse ST No. 1", "架空倉庫ST第1号"),
    ("ZB202", "XF0IPPON0022", "Invented Bond ST No. 2", "架空社債ST第2号"),
    ("ZC303", "XF0IPPON0030", "Invented Hotel ST No. 3", "架空ホテルST第3号"),
]

# investor (the first letter tells the custodian) -> coin investor id, when it is another one.
INVESTORS = dict.fromkeys([*(f"A{n:02}" for n in range(1, 8)), *(f"B{n:02}" for n in range(1, 9))], "")
INVESTORS |= {"A03": "COIN-A03", "B03": "COIN-B03"}
BANK_ROUTES = {"A07"}
NO_ROUTE = {"B08"}

POSITIONS = [
    ("ZA101", "A01", 100),
    ("ZA101", "A01", 50),
    ("ZA101", "B01", 100),
    ("ZA101", "B04", 12),
    ("ZB202", "A02", 5_000),
    ("ZB202", "B02", 5_000),
    ("ZC303", "A03", 400),
    ("ZC303", "B03", 400),
    ("ZC303", "B07", 150),
]

CASH_1 = [
    ("A01", 3_000_000),
    ("A02", 2_000_000),
    ("A03", 2_500_000),
    ("B01", 300_000),
    ("B02", 2_200_000),
    ("B03", 500_000),
    ("B04", 99_855),
    ("B05", 50_000),
    ("B06", 100_000),
]
CASH_2 = [("A05", 350_000), ("B05", 151_400), ("B06", 200_000)]
# More is instructed than the bank received.
INSTRUCTIONS = [("A06", 500_000, 450_000)]
# Money in the trust account that no instruction names.
UNCLAIMED = [("B", 12_345)]

TRANSFERS = [("ZC303", 60, "B07", "A04")]

# seller, buyer, security, quantity, unit price
FILLS = [
    ("A01", "B02", "ZA101", 10, "100500.00"),
    ("B01", "A02", "ZA101", 5, "100600.00"),
    ("A02", "B03", "ZB202", 400, "1000.25"),
    ("B02", "A03", "ZB202", 800, "1000.50"),
    ("A03", "B01", "ZC303", 20, "9980.50"),
    ("B03", "A01", "ZC303", 40, "9975.00"),
    ("A01", "A02", "ZA101", 3, "100550.00"),
    ("B01", "B02", "ZA101", 4, "100450.00"),
    ("A02", "A03", "ZB202", 200, "1001.00"),
    ("B04", "A03", "ZA101", 12, "100400.00"),
    ("A03", "B04", "ZC303", 10, "9985.50"),
    ("B02", "A01", "ZB202", 1_200, "999.75"),
    ("A02", "B01", "ZB202", 100, "1000.00"),
    ("B03", "A02", "ZC303", 50, "9970.00"),
    ("A01", "B05", "ZA101", 2, "100700.00"),
    ("B01", "A05", "ZA101", 3, "100650.00"),
    ("B02", "B06", "ZB202", 300, "1000.00"),
    ("A04", "B02", "ZC303", 60, "9982.00"),
    ("A02", "B08", "ZB202", 40, "1000.00"),
    ("B01", "A07", "ZA101", 1, "100500.00"),
    ("B02", "A01", "ZA101", 6, "100480.00"),
]
# A wrong row and the fill before which it stands in the file: (before, what, changed columns or a fill of its own).
BAD_OWN = [
    (6, 101, ("A02", "B99", "ZB202", 20, "1000.00"), {}),
    (9, 102, ("A02", "B03", "ZB202", 5, "1000.00"), {"amount": "5001"}),
    (12, 103, ("B02", "A01", "ZB202", 2, "1000.33"), {"amount": "2001"}),
    (15, 104, ("B03", "A01", "ZC303", 2, "9975.00"), {"platform_code": "NOSUCH"}),
]
SENT_TWICE = (10, 3)  # before fill 10, the row of fill 3 again
OTHER_CONTENT = (14, 5, 30)  # before fill 14, the id of fill 5 again for 30 units
BUSTS = [(19, "Entered against a closed account"), (1, "Sent by mistake: it has settled")]


def custodian(investor: str) -> str:
    """The organisation that keeps an investor."""
    return CUSTODIANS[investor[0]]


def investor_id(investor: str) -> str:
    """The opaque id in the files."""
    return f"INV-{investor}"


def fill_row(number: int, fill: tuple[str, str, str, int, str]) -> dict[str, str]:
    """One line of the venue's fills file."""
    seller, buyer, security, quantity, price = fill
    hour, minute = divmod(9 * 60 + 5 + number % 100 * 7, 60)
    return {
        "execution_id": f"EX-{number:04}",
        "trade_id": f"TR-{number:04}",
        "sell_order_id": f"OS-{number:04}",
        "buy_order_id": f"OB-{number:04}",
        "platform_code": PLATFORM,
        "security_code": security,
        "quantity": str(quantity),
        "unit_price": price,
        "amount": str(int(Decimal(price) * quantity)),
        "seller_custodian": custodian(seller),
        "seller_investor_id": investor_id(seller),
        "buyer_custodian": custodian(buyer),
        "buyer_investor_id": investor_id(buyer),
        "trade_date": DAY,
        "executed_at": f"{DAY}T{hour - 9:02}:{minute:02}:00.000Z",
        "settle_date": DAY,
        "token_transaction_id": "",
        "reverses": "",
        "reversal_reason": "",
    }


def order_rows(fill: dict[str, str]) -> list[dict[str, str]]:
    """The two orders that a fill matched."""
    return [
        {
            "order_id": fill[f"{side.lower()}_order_id"],
            "side": side,
            "custodian": fill[f"{who}_custodian"],
            "investor_id": fill[f"{who}_investor_id"],
            **{name: fill[name] for name in ("security_code", "quantity", "unit_price")},
            # An order for another platform would not have come to this venue; the fill alone is wrong.
            "platform_code": PLATFORM,
        }
        for side, who in (("SELL", "seller"), ("BUY", "buyer"))
    ]


def venue_files() -> None:
    """Orders, fills (wrong rows among them) and busts."""
    good = {number: fill_row(number, fill) for number, fill in enumerate(FILLS, start=1)}
    own = {number: fill_row(number, fill) | changed for _, number, fill, changed in BAD_OWN}
    orders = [row for fill in [*good.values(), *own.values()] for row in order_rows(fill)]
    other = good[OTHER_CONTENT[1]] | {"quantity": str(OTHER_CONTENT[2])}
    other["amount"] = str(int(Decimal(other["unit_price"]) * OTHER_CONTENT[2]))
    before = {place: own[number] for place, number, _, _ in BAD_OWN}
    before |= {SENT_TWICE[0]: good[SENT_TWICE[1]], OTHER_CONTENT[0]: other}
    fills = [row for number, fill in good.items() for row in ([before[number]] if number in before else []) + [fill]]
    write_csv("exchange/orders-1.csv", orders)
    write_csv("exchange/fills-1.csv", fills)
    busts = [{"execution_id": f"EX-{number:04}", "reason": reason} for number, reason in BUSTS]
    write_csv("exchange/busts-1.csv", busts)


def cash_rows(lines: list[tuple[str, int]], first: int, at: str) -> list[dict[str, str]]:
    """Cash lines as the broker's bank sends them to the custodian."""
    return [
        {"line_id": f"CL-{n:04}", "received_at": at, "investor_id": investor_id(who), "amount": str(yen)}
        for n, (who, yen) in enumerate(lines, start=first)
    ]


def custodian_files(letter: str) -> None:
    """What one custodian's brokers and bank send."""
    folder, mine = FOLDERS[letter], [name for name in INVESTORS if name[0] == letter]
    routes = [name for name in mine if name not in NO_ROUTE]
    write_csv(
        f"{folder}/investors-1.csv",
        [{"investor_id": investor_id(name), "coin_investor_id": INVESTORS[name]} for name in mine],
    )
    write_csv(
        f"{folder}/routes-1.csv",
        [
            {
                "investor_id": investor_id(name),
                "institution_code": "BANK0001" if name in BANK_ROUTES else "COIN0001",
                "method": "BANK" if name in BANK_ROUTES else "COIN",
            }
            for name in routes
        ],
    )
    for number, rows in ((1, cash_rows(CASH_1, 1, MORNING)), (2, cash_rows(CASH_2, 101, NOON))):
        own = [row for row in rows if row["investor_id"].startswith(f"INV-{letter}")]
        write_csv(f"{folder}/cash-{number}.csv", own)


def moves() -> None:
    """The instruction that is too large, and the units delivered free of payment."""
    instructions = [
        {"instruction_id": f"IN-{n:04}", "investor_id": investor_id(who), "amount": str(wanted)}
        for n, (who, wanted, _) in enumerate(INSTRUCTIONS, start=1)
    ]
    write_csv("custodian-a/instructions-1.csv", instructions)
    transfers = [
        {
            "transfer_id": f"TF-{n:04}",
            "security_code": security,
            "units": str(units),
            "from_investor_id": investor_id(giver),
            "to_custodian": custodian(taker),
            "to_investor_id": investor_id(taker),
        }
        for n, (security, units, giver, taker) in enumerate(TRANSFERS, start=1)
    ]
    write_csv("custodian-b/transfers-1.csv", transfers)


def statements() -> None:
    """The trust account as the bank reports it, in the morning and after the top-ups."""
    first = [(f"TI-CL-{n:04}", who[0], yen) for n, (who, yen) in enumerate(CASH_1, start=1)]
    first += [(f"IN-{n:04}", who[0], received) for n, (who, _, received) in enumerate(INSTRUCTIONS, start=1)]
    first += [(f"UNCLAIMED-{n:04}", letter, yen) for n, (letter, yen) in enumerate(UNCLAIMED, start=1)]
    second = [(f"TI-CL-{n:04}", who[0], yen) for n, (who, yen) in enumerate(CASH_2, start=101)]
    write_statement("coin/statement-1.json", first, 1)
    write_statement("coin/statement-2.json", second, 101)


def write_statement(path: str, lines: list[tuple[str, str, int]], first: int) -> None:
    """One statement; amounts in yen."""
    rows = [
        {
            "line_id": f"ST-{n:04}",
            "value_date": DAY,
            "amount": yen,
            "reference": reference,
            "custodian": CUSTODIANS[letter],
        }
        for n, (reference, letter, yen) in enumerate(lines, start=first)
    ]
    (HERE / path).parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"account": "TRUST-0001", "lines": rows}, indent=2, ensure_ascii=False)
    (HERE / path).write_text(text + "\n", encoding="utf-8")


def write_csv(path: str, rows: list[dict[str, str]]) -> None:
    """A UTF-8 CSV file with a header line."""
    (HERE / path).parent.mkdir(parents=True, exist_ok=True)
    with (HERE / path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    """Write all files."""
    names = ("security_code", "isin", "name", "name_ja", "unit", "platform_code", "registrar")
    rows = [(code, isin, name, ja, "口", PLATFORM, REGISTRAR) for code, isin, name, ja in SECURITIES]
    write_csv("securities.csv", [dict(zip(names, row, strict=True)) for row in rows])
    positions = [
        {
            "issue_id": f"IS-{n:04}",
            "security_code": security,
            "custodian": custodian(who),
            "investor_id": investor_id(who),
            "units": str(units),
        }
        for n, (security, who, units) in enumerate(POSITIONS, start=1)
    ]
    write_csv("asset/positions-1.csv", positions)
    venue_files()
    for letter in CUSTODIANS:
        custodian_files(letter)
    moves()
    statements()


if __name__ == "__main__":
    main()
