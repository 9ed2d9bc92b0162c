"""A task stream of one's own: concept drift.

    pip install mec-moe-env
    python examples/custom_tasks.py

The ground truth of each type turns steadily, by `turn` degrees over an episode. The error of every
past task is that of the model which its server has now, so that drift makes even a specialist
forget. The table shows how the lead of `guard`, which keeps types apart, over rejecting everything
melts: at a quarter turn it has lost most of it, and at half a turn a model that never learns is
better, for the past and the present contradict each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from mec_moe_agents import evaluate, read_arguments
from numpy.typing import NDArray

from mec_moe_env import OffloadingConfig
from mec_moe_env.tasks import Evaluator, TaskBatch, identity_evaluator

Floats = NDArray[np.float64]
AGENTS = ("random", "gating", "profile", "guard", "reject-all")


@dataclass
class Episode:
    """What an episode keeps: of each of N types two orthogonal truths and a signal, (N, d)."""

    now: Floats
    later: Floats
    signals: Floats
    met: NDArray[np.int64]
    """Tasks of each type so far, (N,)."""


@dataclass(frozen=True)
class DriftingTasks:
    """Linear tasks whose ground truths turn from `now` to `later` and on; see `TaskStream`."""

    types: int
    features: int
    step: float
    """Radians from one task of a type to its next."""
    noise: float = 0.1

    @property
    def sum_bound(self) -> float:
        """Bound on |Σ_i X_i| per feature; generous."""
        return 4.0 * self.features**0.5

    @property
    def evaluator(self) -> Evaluator:
        """Squared distance to the task's own ground truth."""
        return identity_evaluator(self.types)

    def start_episode(self, rng: np.random.Generator) -> Episode:
        """Draw truths of length one and signals of length √d."""
        bases = [np.linalg.qr(rng.normal(size=(self.features, 2)))[0] for _ in range(self.types)]
        now, later = np.moveaxis(np.stack(bases), 2, 0)
        signals = np.linalg.qr(rng.normal(size=(self.features, self.types)))[0].T
        met = np.zeros(self.types, np.int64)
        return Episode(now, later, self.features**0.5 * signals, met)

    def draw(
        self, rng: np.random.Generator, episode: Episode, types: NDArray[np.int64], out: TaskBatch
    ) -> None:
        """Write one task for each entry of `types`: a signal and noise, labelled by the truth."""
        for row, n in enumerate(types):
            angle = self.step * episode.met[n]
            episode.met[n] += 1
            truth = np.cos(angle) * episode.now[n] + np.sin(angle) * episode.later[n]
            samples = rng.normal(0.0, self.noise, out.features[row].shape)
            samples[:, 0] = rng.uniform(0.5, 1.0) * episode.signals[n]
            out.features[row] = samples
            out.labels[row] = truth @ samples
            # The error |w - truth|² as the evaluator wants it: wᵀw - 2·linear·w + constant.
            out.linear[row], out.constant[row] = truth, truth @ truth


@dataclass(frozen=True)
class Arguments:
    """Settings; every field is a command-line option."""

    turns: str = "0,45,90,180,360"
    """Degrees over an episode, separated by commas."""
    seeds: int = 20
    first_seed: int = 100_000
    horizon: int = 200


def main(settings: Arguments) -> None:
    """Print the final error of some baselines under more and more drift."""
    base = OffloadingConfig(horizon=settings.horizon)
    seeds = range(settings.first_seed, settings.first_seed + settings.seeds)
    print("final generalization error\n   turn " + "".join(f"{name:>12}" for name in AGENTS))
    for turn in settings.turns.split(","):
        step = np.deg2rad(float(turn)) * base.num_types / settings.horizon
        config = base.override(tasks=DriftingTasks(base.num_types, base.feature_dim, step))
        errors = (
            evaluate(name, config, seeds).metrics["generalization_error"].mean() for name in AGENTS
        )
        print(f"{turn:>6}° " + "".join(f"{error:12.3f}" for error in errors))


if __name__ == "__main__":
    main(read_arguments(Arguments, __doc__))
