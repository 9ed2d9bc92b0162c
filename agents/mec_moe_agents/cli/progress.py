"""How far a comparison is: a live bar on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from mec_moe_agents.evaluation.comparison import Listener


class PlainProgress(Listener):
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


class LiveProgress(Listener):
    """A bar that fills with the steps of the present cell, and a count of cells."""

    def __init__(self, bar: Progress, cells: int) -> None:
        self._bar = bar
        self._cells = cells
        self._done = 0
        self._task = bar.add_task("preparing", total=None, cells="")

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


@contextmanager
def progress_of(cells: int, *, live: bool = True) -> Iterator[Listener]:
    """Show the progress on stderr: as a bar on a terminal, unless it must not be live."""
    errors = Console(stderr=True)
    if not live or not errors.is_terminal:
        yield PlainProgress(cells)
        return
    with new_bar(errors, "{task.description:<14}", "{task.fields[cells]}") as bar:
        yield LiveProgress(bar, cells)


def new_bar(console: Console, before: str, *after: str) -> Progress:
    """Return a bar with texts on both sides, which vanishes in the end."""
    columns = (TextColumn(before), BarColumn(bar_width=None), *map(TextColumn, after))
    return Progress(*columns, TimeRemainingColumn(), console=console, transient=True)
