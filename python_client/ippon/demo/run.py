"""A run of a day: its ids carry a prefix and its dates are today's, so that a network can be played on again."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

TOKYO = ZoneInfo("Asia/Tokyo")
TRUST_PREFIX = "TI-"
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"

# As they stand in files of every kind; one list, since a column means the same in all of them.
ID_COLUMNS = frozenset(
    {
        *("execution_id", "reverses", "trade_id", "order_id", "sell_order_id", "buy_order_id"),
        *("investor_id", "coin_investor_id", "seller_investor_id", "buyer_investor_id"),
        *("from_investor_id", "to_investor_id", "issue_id", "transfer_id", "redemption_id"),
        *("instruction_id", "line_id", "reference"),
    }
)
DATE_COLUMNS = frozenset({"trade_date", "settle_date", "value_date"})
TIME_COLUMNS = frozenset({"executed_at", "received_at"})


@dataclass(frozen=True)
class Run:
    """`name` makes the prefix; `script_day` is the day that the files tell of, `now` the moment (UTC) of playing it."""

    name: str
    script_day: date
    session_ends: time
    now: datetime

    @classmethod
    def at(cls, now: datetime, *, script_day: date, session_ends: time) -> Run:
        """A run named by its UTC second in base 36."""
        return cls(name=base36(int(now.timestamp())), script_day=script_day, session_ends=session_ends, now=now)

    @property
    def day(self) -> date:
        """The run's day in Tokyo."""
        return self.now.astimezone(TOKYO).date()

    @property
    def prefix(self) -> str:
        """What every id of the run begins with."""
        return f"r{self.name}-"

    def id(self, text: str) -> str:
        """An id of the files as this run has it; an agent's `TI-<line>` names the run's line."""
        if not text:
            return text
        if text.startswith(TRUST_PREFIX):
            return TRUST_PREFIX + self.prefix + text.removeprefix(TRUST_PREFIX)
        return self.prefix + text

    def file_name(self, name: str) -> str:
        """`fills-1.csv` as `fills-r<run>-1.csv`: an agent reads each name once."""
        kind, dash, rest = name.partition("-")
        return f"{kind}-{self.prefix}{rest}" if dash else f"{self.prefix}{name}"

    def date(self, text: str) -> str:
        """A date of the files, as far from the run's day as it was from the script's."""
        return (self.day + (date.fromisoformat(text) - self.script_day)).isoformat()

    def time(self, text: str) -> str:
        """A time of the files on the run's day, in the same order as the others.

        Before the session's end the script's day so far is squeezed into today so far: nothing may lie in the future.
        """
        moment = datetime.fromisoformat(text).astimezone(TOKYO)
        midnight = datetime.combine(self.day, time(), TOKYO)
        since_midnight = moment - datetime.combine(self.script_day, time(), TOKYO)
        session = timedelta(hours=self.session_ends.hour, minutes=self.session_ends.minute)
        elapsed = self.now.astimezone(TOKYO) - midnight
        if elapsed < session and timedelta() <= since_midnight:
            since_midnight = since_midnight * (elapsed / session)
        moved = (midnight + since_midnight).astimezone(UTC)
        return moved.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def rewrite(self, name: str, content: bytes) -> bytes:
        """The file as this run sends it: ids, dates and times by column name in CSV, by key in JSON."""
        text = content.decode("utf-8")
        if name.endswith(".json"):
            changed = json.dumps(self._rewrite_json(json.loads(text)), indent=2, ensure_ascii=False) + "\n"
        else:
            changed = self._rewrite_csv(text)
        return changed.encode("utf-8")

    def _change_for(self, column: str) -> Callable[[str], str] | None:
        if column in ID_COLUMNS:
            return self.id
        if column in DATE_COLUMNS:
            return self.date
        return self.time if column in TIME_COLUMNS else None

    def _rewrite_csv(self, text: str) -> str:
        header, *lines = list(csv.reader(io.StringIO(text)))
        changes = [self._change_for(column) for column in header]
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header)
        for line in lines:
            # A row with too few or too many cells is the agent's to refuse.
            padded = changes + [None] * max(0, len(line) - len(changes))
            writer.writerow([change(cell) if change else cell for change, cell in zip(padded, line, strict=False)])
        return out.getvalue()

    def _rewrite_json(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._rewrite_json(one) for one in value]
        if not isinstance(value, dict):
            return value
        changed = {}
        for key, one in value.items():
            change = self._change_for(key)
            changed[key] = change(one) if change and isinstance(one, str) else self._rewrite_json(one)
        return changed


def base36(number: int) -> str:
    """A number, zero or more, in 0-9a-z."""
    digits = ""
    while True:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
        if number == 0:
            return digits
