"""A day of trading, made of the seed: files, who gets them, and in which round.

Most of it settles sooner or later. Some sellers and buyers get their units and coins late, one of each never gets all;
some routes come late; some amounts in trust are wrong; some fills are busted, sent twice, or settle tomorrow.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random

OPENING = datetime(2026, 7, 1, 14, 50, tzinfo=UTC)
"""Ten minutes before midnight in Tokyo, so that tomorrow's fills come due within the run."""
TODAY, TOMORROW = date(2026, 7, 1), date(2026, 7, 2)
CUSTODIANS = ("Custodian A", "Custodian B")
SECURITIES = ("ZA101", "ZA102")
INVESTORS = 3
FILL_ROUNDS = 14
Line = dict[str, object]


@dataclass(frozen=True, slots=True)
class File:
    """A file that an outside system drops into an organisation's inbox at the start of a round."""

    round: int
    organisation: str
    name: str
    content: bytes


@dataclass(slots=True)
class Day:
    """All files, and the lines of the bank that holds the trust account."""

    files: list[File] = field(default_factory=list)
    bank: list[Line] = field(default_factory=list)
    fill_ids: list[str] = field(default_factory=list)


def make_day(random: Random, *, fills: int) -> Day:
    """The day of a seed, with so many fills."""
    return _Maker(random).make(fills)


class _Maker:
    def __init__(self, random: Random) -> None:
        self._random = random
        self._day = Day()
        self._names: dict[tuple[str, str], int] = {}
        self._lines = 0
        self._gathered: dict[tuple[int, str, str], list[Mapping[str, object]]] = {}
        self._statements: dict[int, list[Line]] = {}

    def make(self, count: int) -> Day:
        fills = [self._fill(number) for number in range(count)]
        self._day.fill_ids = [str(fill["execution_id"]) for fill in fills]
        for custodian in CUSTODIANS:
            self._investors(custodian)
            self._routes(custodian)
        self._units(fills)
        self._coins(fills)
        self._fills(fills)
        self._orders(fills)
        self._busts(fills)
        self._sundry()
        for (begin, organisation, kind), rows in self._gathered.items():
            self._drop(begin, organisation, kind, rows)
        for begin, lines in self._statements.items():
            content = json.dumps({"account": "TRUST", "lines": lines}).encode()
            self._day.files.append(File(begin, "Issuer", self._name("Issuer", "statement", "json"), content))
        self._day.files.sort(key=lambda file: file.round)
        return self._day

    # ---- who

    def _people(self, custodian: str) -> list[str]:
        return [f"IN-{custodian[-1]}{number}" for number in range(INVESTORS)]

    def _investors(self, custodian: str) -> None:
        rows = [
            {"investor_id": one, "coin_investor_id": one.replace("IN", "CO") if number % 2 else one}
            for number, one in enumerate(self._people(custodian))
        ]
        self._drop(0, custodian, "investors", rows)

    def _routes(self, custodian: str) -> None:
        late, by_bank = self._random.randrange(INVESTORS), self._random.randrange(INVESTORS)
        for number, one in enumerate(self._people(custodian)):
            row = {"investor_id": one, "institution_code": "SC01", "method": "COIN"}
            if number == by_bank:
                self._gather(0, custodian, "routes", [{**row, "method": "BANK"}])
            begin = self._random.randrange(6, 18) if number in (late, by_bank) else 0
            self._gather(begin, custodian, "routes", [row])

    # ---- what

    def _fill(self, number: int) -> Line:
        random = self._random
        seller, buyer = random.choice(CUSTODIANS), random.choice(CUSTODIANS)
        sellers, buyers = self._people(seller), self._people(buyer)
        selling = random.choice(sellers)
        buying = random.choice([one for one in buyers if one != selling])
        quantity, price = random.randrange(1, 30), random.choice((980, 1000, 1250))
        executed = OPENING + timedelta(milliseconds=number * 37)
        return {
            **{"execution_id": f"EX-{number:04}", "trade_id": f"T-{number:04}"},
            **{"sell_order_id": f"S-{number:04}", "buy_order_id": f"B-{number:04}"},
            **{"platform_code": "IPPON", "security_code": random.choice(SECURITIES)},
            **{"quantity": quantity, "unit_price": f"{price}.00", "amount": quantity * price},
            **{"seller_custodian": seller, "seller_investor_id": selling},
            **{"buyer_custodian": buyer, "buyer_investor_id": buying, "trade_date": TODAY},
            **{"executed_at": executed.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"},
            **{"settle_date": TOMORROW if random.random() < 0.1 else TODAY},
        }

    def _fills(self, fills: list[Line]) -> None:
        random, left = self._random, list(fills)
        while left:
            size = random.choice((1, 10, 40, 100))
            part, left = left[:size], left[size:]
            begin = random.randrange(2, FILL_ROUNDS)
            name = self._drop(begin, "Exchange", "fills", part)
            if random.random() < 0.2:  # the very same file once more
                self._day.files.append(File(begin + random.randrange(4), "Exchange", name, _csv(part)))
            if random.random() < 0.5:  # the same rows in another file, and one of them changed, or that one alone
                changed = {**part[0], "quantity": 1, "amount": int(str(part[0]["unit_price"])[:-3])}
                again = random.choice((part[:3], []))
                self._drop(begin + random.randrange(1, 4), "Exchange", "fills", [*again, changed])

    def _orders(self, fills: list[Line]) -> None:
        rows = []
        for fill in self._random.sample(fills, k=len(fills) // 4):
            for side, name in (("SELL", "seller"), ("BUY", "buyer")):
                rows.append(
                    {
                        "order_id": fill[f"{side.lower()}_order_id"],
                        "side": side,
                        "custodian": fill[f"{name}_custodian"],
                        "investor_id": fill[f"{name}_investor_id"],
                        **{key: fill[key] for key in ("security_code", "quantity", "unit_price", "platform_code")},
                    }
                )
        if rows:
            self._drop(self._random.randrange(4), "Exchange", "orders", rows)

    def _busts(self, fills: list[Line]) -> None:
        for fill in self._random.sample(fills, k=(len(fills) + 20) // 40):
            row = {"execution_id": fill["execution_id"], "reason": "traded in error"}
            self._gather(self._random.randrange(2, 20), "Exchange", "busts", [row])

    # ---- with what

    def _units(self, fills: list[Line]) -> None:
        needed = _totals(fills, "seller", "quantity")
        keys = sorted(needed)
        never = self._random.choice(keys) if keys else None
        for number, key in enumerate(keys):
            custodian, investor, security = key
            first = needed[key] * self._random.randrange(3, 10) // 10
            rest = needed[key] - first - (needed[key] // 8 if key == never else 0)
            # Not at once: units for an investor whom his custodian does not know yet are refused for good.
            for part, units, begin in ((0, first, self._random.randrange(3)), (1, rest, self._random.randrange(8, 20))):
                if units > 0:
                    row = {"issue_id": f"PO-{number}-{part}", "security_code": security, "custodian": custodian}
                    self._gather(begin, "Registrar", "positions", [{**row, "investor_id": investor, "units": units}])

    def _coins(self, fills: list[Line]) -> None:
        needed = _totals(fills, "buyer", "amount")
        people = sorted({key[:2] for key in needed})
        never = self._random.choice(people) if people else None
        for custodian, investor in people:
            total = sum(size for key, size in needed.items() if key[:2] == (custodian, investor))
            first = total * self._random.randrange(3, 10) // 10
            self._cash(self._random.randrange(3), custodian, investor, first)
            if (custodian, investor) != never:
                self._cash(self._random.randrange(8, 20), custodian, investor, total - first)
        if people:
            custodian, investor = self._random.choice(people)
            self._cash(self._random.randrange(12), custodian, investor, 5_000, received=4_000)

    def _cash(self, begin: int, custodian: str, investor: str, amount: int, *, received: int | None = None) -> None:
        """A line of the broker's bank; the trust account's own bank shows it a little earlier or later."""
        if amount <= 0:
            return
        self._lines += 1
        name = f"CL-{self._lines:03}"
        cash = {"line_id": name, "received_at": "2026-07-01T14:00:00.000Z", "investor_id": investor, "amount": amount}
        self._gather(begin, custodian, "cash", [cash])
        line = {"line_id": f"BK-{self._lines:03}", "value_date": str(TODAY), "amount": received or amount}
        line |= {"reference": f"TI-{name}", "custodian": custodian}
        self._day.bank.append(line)
        self._statements.setdefault(begin + self._random.randrange(3), []).append(line)

    def _sundry(self) -> None:
        for custodian, other in (CUSTODIANS, CUSTODIANS[::-1]):
            giver, taker = self._people(custodian)[0], self._people(other)[1]
            transfer: Line = {"transfer_id": f"TR-{custodian[-1]}", "security_code": "ZA101", "units": 2}
            transfer |= {"from_investor_id": giver, "to_custodian": other, "to_investor_id": taker}
            self._drop(self._random.randrange(10, 20), custodian, "transfers", [transfer])
            redemption = {"redemption_id": f"RE-{custodian[-1]}", "investor_id": giver, "amount": 500}
            self._drop(self._random.randrange(10, 20), custodian, "redemptions", [redemption])

    # ---- files

    def _drop(self, begin: int, organisation: str, kind: str, rows: Iterable[Mapping[str, object]]) -> str:
        name = self._name(organisation, kind, "csv")
        self._day.files.append(File(begin, organisation, name, _csv(rows)))
        return name

    def _gather(self, begin: int, organisation: str, kind: str, rows: Iterable[Mapping[str, object]]) -> None:
        """Rows of one kind that come in the same round come in one file."""
        self._gathered.setdefault((begin, organisation, kind), []).extend(rows)

    def _name(self, organisation: str, kind: str, suffix: str) -> str:
        number = self._names[organisation, kind] = self._names.get((organisation, kind), 0) + 1
        return f"{kind}-{number:03}.{suffix}"


def _totals(fills: list[Line], side: str, size: str) -> dict[tuple[str, str, str], int]:
    totals: dict[tuple[str, str, str], int] = {}
    for fill in fills:
        key = (str(fill[f"{side}_custodian"]), str(fill[f"{side}_investor_id"]), str(fill["security_code"]))
        totals[key] = totals.get(key, 0) + int(str(fill[size]))
    return totals


def _csv(rows: Iterable[Mapping[str, object]]) -> bytes:
    listed = list(rows)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(listed[0])
    writer.writerows(row.values() for row in listed)
    return text.getvalue().encode()
