"""Plays a script: drops a step's files, waits until what must be so is so, and goes on.

A wait ends early when nothing can come of it any more (a fill that had to settle was refused): the day goes on, and
the comparison with what was expected says so. A wait that is over its limit stops the day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Protocol

from ippon.demo.floor import Floor, Holding
from ippon.demo.run import Run
from ippon.demo.script import Script, Step
from ippon.model import InstructionStatus
from ippon.report.day import StepRow

POLL_SECONDS = 0.25
MAX_SHOWN = 5


class Listener(Protocol):
    """Who is told how the day goes on."""

    def step_begun(self, number: int, step: Step) -> None:
        """A step's files have been dropped."""
        ...

    def waiting(self, number: int, unmet: Sequence[str]) -> None:
        """What the step still waits for, in sentences."""
        ...

    def step_ended(self, number: int, seconds: float, *, stopped: bool) -> None:
        """All is as it must be, or (`stopped`) the limit is over."""
        ...


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """A file of the script as it was sent: `member`'s inbox, under this run's name."""

    source: str
    member: str
    name: str


@dataclass
class Played:
    """What was done; `stopped` says in a sentence why the day was not played to its end."""

    dropped: list[Dropped] = field(default_factory=list)
    steps: list[StepRow] = field(default_factory=list)
    before: list[Holding] = field(default_factory=list)
    stopped: str | None = None


@dataclass(frozen=True)
class Unmet:
    """One thing that is not so yet; `hopeless` when it never will be."""

    sentence: str
    hopeless: bool = False


class Player:
    """Plays one script on one floor."""

    def __init__(
        self,
        *,
        script: Script,
        folder: Path,
        run: Run,
        floor: Floor,
        listener: Listener,
        monotonic: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._script = script
        self._folder = folder
        self._run = run
        self._floor = floor
        self._listener = listener
        self._monotonic = monotonic
        self._sleep = sleep

    def play(self) -> Played:
        """Play the day; returns also when it had to be stopped."""
        played = Played()
        for number, step in enumerate(self._script.steps):
            begun = self._monotonic()
            if step.opens_trading:
                played.before = self._floor.holdings()
            files = [self._drop(name) for name in step.drop]
            played.dropped += files
            self._listener.step_begun(number, step)
            played.stopped = self._await(number, step, files)
            seconds = self._monotonic() - begun
            played.steps.append(StepRow(title=step.title, title_ja=step.title_ja, seconds=seconds))
            self._listener.step_ended(number, seconds, stopped=played.stopped is not None)
            if played.stopped:
                break
        return played

    def _drop(self, source: str) -> Dropped:
        path = PurePosixPath(source)
        file = Dropped(source=source, member=path.parts[0], name=self._run.file_name(path.name))
        content = self._run.rewrite(path.name, (self._folder / source).read_bytes())
        self._floor.drop(file.member, file.name, content)
        return file

    def _await(self, number: int, step: Step, files: Sequence[Dropped]) -> str | None:
        """None when there is nothing left to wait for, else why the day stops."""
        deadline = self._monotonic() + self._script.step_timeout_seconds
        while True:
            unmet = [one.sentence for one in self._unmet(step, files) if not one.hopeless]
            if not unmet:
                return None
            self._listener.waiting(number, unmet)
            trouble = self._floor.trouble()
            if trouble:
                return f"'{step.title}' stopped: {trouble}"
            if self._monotonic() >= deadline:
                more = f"; and {len(unmet) - MAX_SHOWN} more" if len(unmet) > MAX_SHOWN else ""
                seconds = self._script.step_timeout_seconds
                return f"'{step.title}' was given {seconds} s and still waits: {'; '.join(unmet[:MAX_SHOWN])}{more}"
            self._sleep(POLL_SECONDS)

    def _unmet(self, step: Step, files: Sequence[Dropped]) -> Iterator[Unmet]:
        if step.until.rows:
            yield from self._unread(files)
        for member, wanted in step.until.instructions.items():
            stands = self._floor.instructions(member, [self._run.id(name) for name in wanted])
            for name, status in wanted.items():
                seen = stands.get(self._run.id(name))
                if seen is not status:
                    sentence = f"{name} must be {status}, is {seen or 'not on the ledger'}"
                    yield Unmet(sentence, hopeless=seen not in (None, InstructionStatus.OPEN))
        if step.until.fills:
            yield from self._unsettled(step)

    def _unread(self, files: Sequence[Dropped]) -> Iterator[Unmet]:
        for file in files:
            stand = self._floor.receipt(file.member, file.name)
            if stand is None:
                yield Unmet(f"{file.member}'s agent has not read {file.name}")
            elif stand.pending:
                yield Unmet(f"{stand.pending} of {len(stand.rows)} rows of {file.name} are not decided")

    def _unsettled(self, step: Step) -> Iterator[Unmet]:
        fills = self._floor.fills()
        for name, state in step.until.fills.items():
            fill = fills.get(self._run.id(name))
            if fill is None:
                yield Unmet(f"{name} must be {state}, is not on the desk")
            elif fill.state is not state:
                because = f" ({fill.reason})" if fill.reason else ""
                yield Unmet(f"{name} must be {state}, is {fill.state}{because}", hopeless=fill.state.ended)
