"""Whether a submission's actions bring the returns that it claims: nobody's code is run.

A replay proves returns, feasibility and on which episodes. It does not prove that the actions were
chosen without looking ahead: causality is the author's claim.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mec_moe_agents.environments import environment_of
from mec_moe_agents.evaluation.rollout import Episodes
from mec_moe_agents.suite.actions import find_fault
from mec_moe_agents.suite.machine import processor
from mec_moe_agents.suite.play import Recording, replay
from mec_moe_agents.suite.submission import Submission
from mec_moe_agents.suite.tasks import Split, Task, find_task
from mec_moe_env import __version__
from mec_moe_env.core.buffers import Flags, Floats

TOLERANCE = 1e-6
"""Relative, for another kind of processor than the writer's."""


@dataclass(frozen=True)
class Verification:
    """What came of a submission."""

    problems: tuple[str, ...]
    """Why it is rejected; none if it is accepted."""
    exact: bool = False
    """Whether rewards had to be equal bit for bit: the same kind of processor wrote the file."""
    notes: tuple[str, ...] = ()
    """What differs and need not be equal."""
    task: Task | None = None
    split: Split | None = None
    episodes: Episodes | None = None
    """As replayed; None where no replay was possible."""

    @property
    def accepted(self) -> bool:
        """Whether the submission's returns are proved."""
        return not self.problems


def verify(submission: Submission, *, threads: int = 1) -> Verification:
    """Hold a submission against the frozen suite and replay it.

    Args:
        submission: as read.
        threads: of the environment; the result does not depend on them.
    """
    manifest, damaged = submission.manifest, []
    if not submission.intact:
        damaged.append("content: the file was changed after it was written, its checksum differs")
    try:
        task = find_task(manifest.task)
        split = task.split(manifest.split)
        if split.episodes is None:
            raise ValueError(f"split {split.name!r} has no last seed, so that none can be verified")
        manifest.claims.check_unseen(split)
    except ValueError as error:
        return Verification((*damaged, str(error)))
    differences = [*damaged, *manifest.differences(task, split)]
    fault = _find_misfit(submission, split)
    if fault is not None:
        return Verification((*differences, fault), task=task, split=split)
    if len(differences) > len(damaged):
        # Other episodes than the suite's: their returns would say nothing.
        return Verification(tuple(differences), task=task, split=split)
    exact = manifest.processor == processor()
    played = replay(submission.actions, split.config, split.seeds, threads=threads)
    wrong = find_difference(submission, played, exact=exact)
    problems = differences if wrong is None else [*differences, wrong]
    return Verification(
        tuple(problems), exact, tuple(_notes(submission, exact)), task, split, played.episodes
    )


def _find_misfit(submission: Submission, split: Split) -> str | None:
    """Say why the actions cannot be played."""
    shape = len(split.seeds), split.config.steps
    if submission.actions.shape[:2] != shape:
        return f"actions: episodes and steps are {submission.actions.shape[:2]}, expected {shape}"
    env = environment_of(split.config).vector(1, split.config)
    nvec = env.single_action_space.nvec
    if find_fault(submission.actions, nvec) is None:
        return None
    for row, seed in enumerate(split.seeds):
        for step in range(split.config.steps):
            fault = find_fault(submission.actions[row, step], nvec)
            if fault is not None:
                return f"seed {seed}, step {step}: {fault}"
    return None


def find_difference(submission: Submission, played: Recording, *, exact: bool) -> str | None:
    """Name the first episode and step whose reward is not what the submission says."""
    seeds = played.episodes.seeds
    differs = _differs(submission.rewards, played.rewards, exact=exact)
    if differs.any():
        row, step = np.argwhere(differs)[0].tolist()
        ours, theirs = submission.rewards[row, step], played.rewards[row, step]
        return (
            f"seed {seeds[row]}, step {step}: the reward is {ours} in the file, {theirs} replayed; "
            f"{np.count_nonzero(differs.any(axis=1))} of {len(seeds)} episodes differ"
        )
    differs = _differs(
        submission.returns[:, np.newaxis], played.returns[:, np.newaxis], exact=exact
    )
    if differs.any():
        row = int(np.argmax(differs[:, 0]))
        ours, theirs = submission.returns[row], played.returns[row]
        return f"seed {seeds[row]}: the return is {ours} in the file, {theirs} replayed"
    return None


def _differs(ours: Floats, theirs: Floats, *, exact: bool) -> Flags:
    """Compare (n, T) numbers; without exactness, relative to an episode's mean size."""
    if exact:
        return ~np.equal(ours, theirs)
    scale = np.maximum(np.abs(theirs), np.abs(theirs).mean(axis=1, keepdims=True))
    near: Flags = np.abs(ours - theirs) <= TOLERANCE * scale
    return ~near


def _notes(submission: Submission, exact: bool) -> list[str]:
    package = submission.manifest.package
    notes = [] if exact else ["another kind of processor wrote it: compared within 1e-6"]
    if package != __version__:
        notes.append(f"written with mec-moe-env {package}, replayed with {__version__}")
    return notes
