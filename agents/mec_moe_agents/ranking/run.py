"""Running all cells of a ranking, one after the other or some at a time."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mec_moe_agents.evaluation.cell import Cell, CellStore
from mec_moe_agents.evaluation.comparison import Listener, compare
from mec_moe_agents.evaluation.episodes import Episodes
from mec_moe_agents.ranking.contest import Contest


@dataclass(frozen=True)
class ScenarioListener:
    """Tells a listener the scenario beside the agent."""

    listener: Listener
    scenario: str

    def found(self, agent: str) -> None:
        """Pass it on."""
        self.listener.found(f"{self.scenario} {agent}")

    def began(self, agent: str, steps: int) -> None:
        """Pass it on."""
        self.listener.began(f"{self.scenario} {agent}", steps)

    def stepped(self, steps: int) -> None:
        """Pass it on."""
        self.listener.stepped(steps)

    def finished(self, agent: str, seconds: float) -> None:
        """Pass it on."""
        self.listener.finished(f"{self.scenario} {agent}", seconds)


class Silence:
    """Tells nobody."""

    def found(self, agent: str) -> None:
        """Say nothing."""

    def began(self, agent: str, steps: int) -> None:
        """Say nothing."""

    def stepped(self, steps: int) -> None:
        """Say nothing."""

    def finished(self, agent: str, seconds: float) -> None:
        """Say nothing."""


def run_contests(
    contests: Sequence[Contest],
    seeds: Sequence[int],
    folder: Path,
    code: str,
    listener: Listener,
    jobs: int = 1,
) -> Mapping[str, Mapping[str, Episodes]]:
    """Run every agent of every contest on all seeds, or find that it was done before.

    Args:
        contests: what to run.
        seeds: the same for every agent.
        folder: where finished cells are kept.
        code: identity of the code; cells of other code are not found.
        listener: told about the progress.
        jobs: cells that run at the same time; the results do not depend on it.

    Returns:
        The episodes by scenario and agent.

    Raises:
        OSError: a finished cell cannot be stored.
        ImportError: more than one job, and joblib is not installed.
    """
    if jobs > 1:
        _run_apart(contests, seeds, folder, code, listener, jobs)
        listener = Silence()
    return {
        contest.scenario: compare(
            contest.config,
            contest.runners,
            seeds,
            CellStore(folder),
            code,
            ScenarioListener(listener, contest.scenario),
        )
        for contest in contests
    }


def _run_apart(
    contests: Sequence[Contest],
    seeds: Sequence[int],
    folder: Path,
    code: str,
    listener: Listener,
    jobs: int,
) -> None:
    """Store what is missing, each cell in a process of its own."""
    from joblib import Parallel, delayed

    missing = []
    for contest in contests:
        for agent in contest.runners:
            cell = Cell(contest.config, agent, {}, tuple(seeds), code)
            if CellStore(folder).load(cell) is None:
                missing.append((contest, agent))
            else:
                ScenarioListener(listener, contest.scenario).found(agent)
    me = os.getpid()
    work = (
        delayed(_run_cell)(contest, agent, seeds, folder, code, me) for contest, agent in missing
    )
    for scenario, agent, seconds in Parallel(n_jobs=jobs, return_as="generator_unordered")(work):
        ScenarioListener(listener, scenario).finished(agent, seconds)


def _run_cell(
    contest: Contest, agent: str, seeds: Sequence[int], folder: Path, code: str, parent: int
) -> tuple[str, str, float]:
    if os.getpid() != parent:
        # A terminal interrupts all its processes: the parent reports that, and ends the others.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    begin = time.perf_counter()
    compare(contest.config, [agent], seeds, CellStore(folder), code, Silence())
    return contest.scenario, agent, time.perf_counter() - begin
