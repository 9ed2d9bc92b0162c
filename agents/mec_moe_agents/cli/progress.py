"""How far a comparison is: a live bar on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import sys
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from mec_moe_agents.evaluation.comparison import Listener


class Lines:
    """A context that needs no preparation: lines are printed as they come."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass


class Bar:
    """A context in which the bar of a subclass is shown."""

    _bar: Progress

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()


class PlainProgress(Lines, Listener):
    """One line on stderr for each finished cell, without control sequences."""

    def __init__(self, cells: int) -> None:
        self._cells = cells
        self._done = 0

    def found(self, cell: str) -> None:
        """Say that the cell was done before."""
        self._say(cell, "done before")

    def finished(self, cell: str, seconds: float) -> None:
        """Say how long the cell took."""
        self._say(cell, f"{seconds:.1f} s")

    def _say(self, cell: str, what: str) -> None:
        self._done += 1
        print(f"[{self._done}/{self._cells}] {cell}: {what}", file=sys.stderr, flush=True)


class LiveProgress(Bar, Listener):
    """A bar that fills with the steps of the present cell, and a count of cells."""

    def __init__(self, console: Console, cells: int) -> None:
        self._bar = Progress(
            TextColumn("{task.description:<14}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[cells]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._cells = cells
        self._done = 0
        self._task: TaskID = self._bar.add_task("preparing", total=None, cells="")

    def found(self, cell: str) -> None:
        """Count the cell."""
        self._done += 1

    def began(self, cell: str, steps: int) -> None:
        """Show an empty bar with the cell's name."""
        cells = f"agent {self._done + 1} of {self._cells}"
        self._bar.reset(self._task, total=steps, description=cell, cells=cells)

    def stepped(self, steps: int) -> None:
        """Fill the bar."""
        self._bar.advance(self._task, steps)

    def finished(self, cell: str, seconds: float) -> None:
        """Count the cell."""
        self._done += 1


def progress_of(cells: int, *, live: bool = True) -> PlainProgress | LiveProgress:
    """Return what shows the progress on stderr: a bar on a terminal, unless it must not be live."""
    errors = Console(stderr=True)
    return LiveProgress(errors, cells) if live and errors.is_terminal else PlainProgress(cells)
