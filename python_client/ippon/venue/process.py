"""The venue as a process: requests from folders, a pipe or FIX into the day's floor, until it is told to stop."""

import fcntl
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from ippon.errors import StoreError
from ippon.venue.calendar import tokyo_day
from ippon.venue.drops import write_whole
from ippon.venue.floor import Floor
from ippon.venue.intake import Intake
from ippon.venue.listing import load_brokers, load_securities
from ippon.venue.orders import Message
from ippon.venue.reports import Report
from ippon.venue.settings import VenueSettings

Listener = Callable[[Floor, Sequence[Report]], None]
OVER = "over"
"""A file in the folder of a day that has been ended."""


class VenueProcess:
    """Holds the floor of the present day; a new day gets a new one. Not for several threads at once."""

    def __init__(self, settings: VenueSettings, *, now_millis: Callable[[], int]) -> None:
        self.settings = settings
        self._now_millis = now_millis
        self.securities = load_securities(settings.securities_file)
        self.brokers = load_brokers(settings.brokers_file)
        self._intake = Intake(settings.orders_dir, list(self.brokers))
        self._intake.prepare()
        self._listeners: list[Listener] = []
        self._restored: list[tuple[Floor, list[Report]]] = []
        today = tokyo_day(now_millis())
        for earlier in self._unfinished(today):
            self._floor = self._open(earlier)
            self._end_day()
        self._floor = self._open(today)

    @property
    def floor(self) -> Floor:
        """Today's."""
        return self._floor

    def listen(self, listener: Listener) -> None:
        """Have all reports told, in their order; at once those that the journals have made again."""
        for floor, reports in self._restored:
            listener(floor, reports)
        self._listeners.append(listener)

    def take(self, messages: Sequence[Message]) -> list[Report]:
        """Take requests now."""
        now = self._now_millis()
        self._turn(now)
        return self._tell(self._floor.take([(now, message) for message in messages]))

    def step(self) -> int:
        """Do what is due: phases, files; how many files."""
        now = self._now_millis()
        self._turn(now)
        self._tell(self._floor.advance(now))
        return self._intake.take(self.take)

    def close(self) -> None:
        """Let the files go; the day goes on at the next start."""
        self._floor.close()

    def _turn(self, now: int) -> None:
        day = tokyo_day(now)
        if day > self._floor.day:
            self._end_day()
            self._floor = self._open(day)

    def _open(self, day: date) -> Floor:
        floor = Floor(settings=self.settings, day=day, securities=self.securities, brokers=self.brokers)
        _, reports = floor.restore(self._now_millis())
        self._remember(floor, reports)
        for listener in self._listeners:
            listener(floor, reports)
        return floor

    def _remember(self, floor: Floor, reports: list[Report]) -> None:
        """For listeners that come later: they come before the first request, or miss what was before."""
        if not self._listeners:
            self._restored.append((floor, reports))

    def _end_day(self) -> None:
        reports = self._tell(self._floor.finish())
        self._remember(self._floor, reports)
        self._floor.close()
        write_whole(self.settings.state_dir / self._floor.day.isoformat() / OVER, b"")

    def _unfinished(self, today: date) -> list[date]:
        """Days before today in whose middle a process ended."""
        folders = [path.parent for path in self.settings.state_dir.glob("*/journal.csv")]
        names = sorted(folder.name for folder in folders if not (folder / OVER).exists())
        return [date.fromisoformat(name) for name in names if name < today.isoformat()]

    def _tell(self, reports: list[Report]) -> list[Report]:
        if reports:
            for listener in self._listeners:
                listener(self._floor, reports)
        return reports


@contextmanager
def only_one(state_dir: Path) -> Iterator[None]:
    """Hold a venue's folder; StoreError when another process has it."""
    state_dir.mkdir(parents=True, exist_ok=True)
    with (state_dir / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            raise StoreError(f"Another venue works in {state_dir}: stop it first.") from problem
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def run(process: VenueProcess, *, stop: threading.Event) -> None:
    """Step until told to stop."""
    pause = process.settings.idle_poll_millis / 1000
    while not stop.is_set():
        if not process.step():
            stop.wait(pause)
