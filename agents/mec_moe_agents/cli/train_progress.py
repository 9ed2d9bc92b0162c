"""How far a training run is: a live bar on a terminal, a line for each checkpoint elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from mec_moe_agents.cli.progress import Bar, Lines

if TYPE_CHECKING:
    from mec_moe_agents.learning.records import Progress as RunProgress

CHANGED = "note: the code or the packages changed since this run began; its numbers may, too"


class PlainTraining(Lines):
    """One line on stderr for each checkpoint, without control sequences."""

    def __init__(self) -> None:
        self.done = 0
        self._total = 0

    def began(self, done: int, total: int, same_code: bool) -> None:
        """Say where the run begins."""
        self.done, self._total = done, max(total, done)
        if not same_code:
            print(CHANGED, file=sys.stderr)
        if done:
            self._say(f"goes on at step {done:,}" if done < total else "trained before")

    def stepped(self, steps: int) -> None:
        """Count."""
        self.done += steps

    def evaluated(self, progress: RunProgress) -> None:
        """Say how good the policy is."""
        self._say(_describe(progress))

    def _say(self, what: str) -> None:
        print(f"[{self.done:,}/{self._total:,}] {what}", file=sys.stderr, flush=True)


class LiveTraining(Bar):
    """A bar that fills with the steps, beside it the speed and how good the policy is."""

    def __init__(self, console: Console) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._task: TaskID = self._bar.add_task("preparing", total=None, speed="")
        self.done = 0
        self._began_at = 0.0
        self._began_with = 0

    def began(self, done: int, total: int, same_code: bool) -> None:
        """Show how much is done."""
        if not same_code:
            self._bar.console.print(CHANGED)
        self.done = self._began_with = done
        self._began_at = time.perf_counter()
        self._bar.update(self._task, total=max(total, done), completed=done, description="training")

    def stepped(self, steps: int) -> None:
        """Fill the bar."""
        self.done += steps
        speed = (self.done - self._began_with) / (time.perf_counter() - self._began_at)
        self._bar.update(self._task, completed=self.done, speed=f"{speed:,.0f} steps/s")

    def evaluated(self, progress: RunProgress) -> None:
        """Show how good the policy is."""
        self._bar.update(self._task, completed=self.done, description=_describe(progress))


def _describe(progress: RunProgress) -> str:
    return (
        f"return {progress.evaluations[-1].mean_return:.4g} "
        f"(best {progress.best.mean_return:.4g} at step {progress.best.steps:,})"
    )
