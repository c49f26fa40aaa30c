"""A trading day as it goes by: the phases of the hours, each at its time, between the requests of the brokers."""

from collections import deque
from collections.abc import Iterable

from ippon.venue.market import Market
from ippon.venue.orders import Event, Message
from ippon.venue.words import Phase


class TradingDay:
    """A market and its hours. Time never goes back: a request that says so is taken at the time that it is."""

    def __init__(self, market: Market, phases: Iterable[tuple[int, Phase]]) -> None:
        self.market = market
        self.now_millis = 0
        self._due = deque(phases)

    @property
    def next_phase_millis(self) -> int | None:
        """When the next phase begins; None after the last."""
        return self._due[0][0] if self._due else None

    def advance(self, at_millis: int) -> list[Event]:
        """Begin every phase that is due, each at its own time."""
        if at_millis > self.now_millis:
            self.now_millis = at_millis
        events: list[Event] = []
        while self._due and self._due[0][0] <= self.now_millis:
            at, phase = self._due.popleft()
            events += self.market.enter(phase, at)
        return events

    def submit(self, message: Message, at_millis: int) -> list[Event]:
        """What was due before, and what came of the request."""
        due = self._due
        if (due and due[0][0] <= at_millis) or at_millis > self.now_millis:
            before = self.advance(at_millis)
            if before:
                return before + self.market.submit(message, self.now_millis)
        return self.market.submit(message, self.now_millis)

    def finish(self) -> list[Event]:
        """All phases that are left, at once."""
        last = self._due[-1][0] if self._due else self.now_millis
        return self.advance(last)
