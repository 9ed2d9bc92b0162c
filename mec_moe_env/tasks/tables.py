"""What compiled code draws tasks from."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from mec_moe_env.streams import NormalScratch, scratch_for
from mec_moe_env.tasks.stream import Floats, Integers, Judge


class SyntheticTables(NamedTuple):
    """Tasks of Li & Duan 2024, Definition 1; what the types of each episode are is drawn here."""

    truth_scale: float
    jitter: float
    noise_scale: float
    models: Floats
    """Ground truths w_n, (n, N, d); n = 0 while tasks come from elsewhere."""
    signals: Floats
    """Feature signals v_n, (n, N, d), norm √d; orthogonal while there are dimensions."""


class ImageTables(NamedTuple):
    """Tasks made of images, the same in all sub-environments."""

    bank: Floats
    """Training images of one type after the other, (b, d); b = 0 while there are none."""
    labels: Floats
    """Their labels ±1, (b,)."""
    starts: Integers
    """Where each type begins in the bank, and where the last one ends, (N + 1,)."""
    linear: Floats
    """b of each type, (N, d)."""


class TaskTables(NamedTuple):
    """One of both kinds; where both are empty, Python code writes the tasks."""

    synthetic: SyntheticTables
    images: ImageTables


class TaskSource(Protocol):
    """Tasks of many sub-environments at once: what the simulator draws from."""

    @property
    def sum_bound(self) -> float:
        """Bound on |Σ_i X_i| per feature, for the observation space."""

    @property
    def judge(self) -> Judge:
        """How models are judged."""

    @property
    def tables(self) -> TaskTables:
        """What compiled code draws from."""


class TaskScratch(NamedTuple):
    """Room for a thread to draw in."""

    numbers: NormalScratch
    chosen: Integers
    """(k,)."""


def no_synthetic_tasks() -> SyntheticTables:
    """Return tables of no sub-environment."""
    return SyntheticTables(0.0, 0.0, 0.0, np.empty((0, 0, 0)), np.empty((0, 0, 0)))


def no_images() -> ImageTables:
    """Return tables without images."""
    return ImageTables(np.empty((0, 0)), np.empty(0), np.zeros(1, np.int64), np.empty((0, 0)))


def no_tables() -> TaskTables:
    """Return tables for tasks that Python code writes."""
    return TaskTables(no_synthetic_tasks(), no_images())


def make_task_scratch(num_types: int, feature_dim: int, samples_per_task: int) -> TaskScratch:
    """Return room for the truths of an episode's types and for one task."""
    count = feature_dim * max(2 * num_types, samples_per_task - 1)
    return TaskScratch(scratch_for(count), np.empty(samples_per_task, np.int64))
