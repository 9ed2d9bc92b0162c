"""How far the work is: a live bar on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from mec_moe_agents.cli.options import tell
from mec_moe_agents.evaluation.comparison import Listener


class CellProgress(Listener):
    """A bar that fills with the steps of the present cell; a line for each cell if disabled."""

    def __init__(self, bar: Progress, cells: int) -> None:
        self._bar = bar
        self._cells = cells
        self._done = 0
        self._task = bar.add_task("preparing", total=None, cells="")

    def found(self, cell: str) -> None:
        """Count a cell that was done before."""
        self._count(cell, "done before")

    def began(self, cell: str, steps: int) -> None:
        """Show an empty bar with the cell's name."""
        cells = f"{self._done + 1} of {self._cells}"
        self._bar.reset(self._task, total=steps, description=cell, cells=cells)

    def stepped(self, steps: int) -> None:
        """Fill the bar."""
        self._bar.advance(self._task, steps)

    def finished(self, cell: str, seconds: float) -> None:
        """Count the cell."""
        self._count(cell, f"{seconds:.1f} s")

    def _count(self, cell: str, what: str) -> None:
        self._done += 1
        if self._bar.disable:
            tell(f"[{self._done}/{self._cells}] {cell}: {what}")


@contextmanager
def progress_of(cells: int, *, live: bool = True) -> Iterator[Listener]:
    """Show on stderr how far a comparison is."""
    with shown_bar("{task.description:<14}", "{task.fields[cells]}", live=live) as bar:
        yield CellProgress(bar, cells)


@contextmanager
def shown_bar(before: str, *after: str, live: bool = True) -> Iterator[Progress]:
    """Show a bar with texts on both sides, which vanishes in the end.

    It is disabled where stderr is no terminal, or if it must not be live.
    """
    console = Console(stderr=True)
    # Names of agents have brackets, which are no markup.
    first, *others = (TextColumn(text, markup=False) for text in (before, *after))
    columns = (first, BarColumn(bar_width=None), *others)
    disabled = not live or not console.is_terminal
    bar = Progress(
        *columns, TimeRemainingColumn(), console=console, transient=True, disable=disabled
    )
    with nullcontext() if disabled else bar:
        yield bar
