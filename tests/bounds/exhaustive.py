"""The best return of all plans of a small episode, each played in the real environment."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_moe_env import OffloadingConfig, OffloadingVectorEnv
from mec_moe_env.core.buffers import Floats, Integers
from mec_moe_env.tasks import Evaluator, TaskBatch


@dataclass(frozen=True)
class QuadraticTasks:
    """Tasks judged by quadratic forms of rank d − 1, as real data may be, with noisy labels."""

    types: int
    features: int
    seed: int

    @property
    def sum_bound(self) -> float:
        """Generous."""
        return 100.0

    @property
    def evaluator(self) -> Evaluator:
        """Second moments of fewer samples than features."""
        rng = np.random.default_rng(self.seed)
        samples = rng.standard_normal((self.types, self.features - 1, self.features))
        forms = np.einsum("nsf,nsg->nfg", samples, samples)
        return Evaluator(forms, np.empty((self.types, 0, 0)), np.empty((self.types, 0)))

    def start_episode(self, rng: np.random.Generator) -> Floats:
        """Draw a truth for each type."""
        return rng.standard_normal((self.types, self.features))

    def draw(
        self,
        rng: np.random.Generator,
        episode: Floats,
        types: NDArray[np.int64],
        out: TaskBatch,
    ) -> None:
        """Write tasks whose b differ a little within a type."""
        forms = self.evaluator.quadratic
        for index, n in enumerate(types):
            truth = episode[n] + 0.1 * rng.standard_normal(self.features)
            out.features[index] = rng.standard_normal(out.features[index].shape)
            noise = 0.3 * rng.standard_normal(out.labels.shape[1])
            out.labels[index] = out.features[index].T @ truth + noise
            out.linear[index] = forms[n] @ truth
            out.constant[index] = truth @ forms[n] @ truth + 0.2


def slot_actions(config: OffloadingConfig) -> Integers:
    """Return all that can be done in a slot, (count, 2·U·D); one server at most once."""
    U, D, _ = config.action_shape
    M, S = config.num_servers, config.num_subcarriers
    one = [(M, 0), *itertools.product(range(M), range(S))]
    tasks = list(itertools.combinations_with_replacement(one, D))
    return np.array(list(itertools.product(tasks, repeat=U))).reshape(-1, 2 * U * D)


def all_returns(config: OffloadingConfig, seed: int) -> Floats:
    """Return the return of every plan; what is dropped is dropped."""
    choices = slot_actions(config)
    plans = np.array(list(itertools.product(range(len(choices)), repeat=config.horizon)))
    env = OffloadingVectorEnv(len(plans), config)
    env.reset(seed=[seed] * len(plans))
    returns = np.zeros(len(plans))
    for slot in range(config.horizon):
        rewards: Any = env.step(choices[plans[:, slot]])[1]
        returns += rewards
    return returns
