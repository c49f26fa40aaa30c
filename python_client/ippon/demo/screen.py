"""Shows a day being played: a live list of steps on a terminal, a line per event elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from ippon.demo.script import Script, Step

MAX_SHOWN = 6
_REFRESH_PER_SECOND = 8


class Screen:
    """A `Listener` that draws. Use as a context manager."""

    def __init__(self, script: Script, console: Console, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._script = script
        self._console = console
        self._monotonic = monotonic
        self._seconds: dict[int, float] = {}
        self._current: int | None = None
        self._begun = 0.0
        self._stopped = False
        self._unmet: Sequence[str] = ()
        self._spinner = Spinner("dots")
        # Last, since it draws at once.
        self._live = Live(console=console, refresh_per_second=_REFRESH_PER_SECOND, get_renderable=self.picture)

    def __enter__(self) -> Screen:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def step_begun(self, number: int, step: Step) -> None:
        """See `Listener`."""
        self._current, self._begun, self._unmet = number, self._monotonic(), ()
        self._say(f"[{number + 1}/{len(self._script.steps)}] {step.title} …")

    def waiting(self, number: int, unmet: Sequence[str]) -> None:  # noqa: ARG002
        """See `Listener`."""
        self._unmet = list(unmet)

    def step_ended(self, number: int, seconds: float, *, stopped: bool) -> None:
        """See `Listener`."""
        self._seconds[number], self._current, self._unmet, self._stopped = seconds, None, (), stopped
        self._say(f"[{number + 1}/{len(self._script.steps)}] {'stopped' if stopped else 'done'} in {seconds:.1f} s")

    def _say(self, line: str) -> None:
        if not self._console.is_terminal:
            self._console.print(line, markup=False, highlight=False)

    def picture(self) -> RenderableType:
        """The steps as they stand, and what the current one waits for."""
        table = Table.grid(padding=(0, 1))
        for number, step in enumerate(self._script.steps):
            table.add_row(*self._row(number, step))
        shown = [Text(f"     … {one}", style="dim") for one in self._unmet[:MAX_SHOWN]]
        if len(self._unmet) > MAX_SHOWN:
            shown.append(Text(f"     … and {len(self._unmet) - MAX_SHOWN} more", style="dim"))
        return Group(table, *shown)

    def _row(self, number: int, step: Step) -> tuple[RenderableType, Text, Text]:
        title = Text(step.title)
        if number == self._current:
            return self._spinner, title, Text(f"{self._monotonic() - self._begun:.0f} s", style="cyan")
        if number not in self._seconds:
            return Text("·", style="dim"), Text(step.title, style="dim"), Text("")
        failed = self._stopped and number == max(self._seconds)
        mark = Text("✗", style="bold red") if failed else Text("✓", style="green")
        return mark, title, Text(f"{self._seconds[number]:.1f} s", style="dim")
