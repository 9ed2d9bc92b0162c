"""A learned scheduler as an agent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mec_moe_agents.agent import Observation, with_batch_axis
from mec_moe_agents.learned.decisions import Decisions
from mec_moe_agents.learned.network import Network
from mec_moe_agents.random_rows import UniformRows, row_seeds
from mec_moe_env import OffloadingConfig


class LearnedState(NamedTuple):
    """State of the agent over a batch of sub-environments."""

    decisions: Decisions
    uniforms: UniformRows
    """For the choices of a policy that samples."""


class LearnedAgent:
    """Decides the tasks of a slot in their order, each by the network's best or sampled choice.

    Args:
        config: the environment's configuration; any M and S.
        weights: of the network, see `mec_moe_agents.learned.weights.load`.
        seed: of the samples when `deterministic` is false; row i draws from seed + i.

    Raises:
        ValueError: an array of the weights is missing or does not fit.
    """

    def __init__(
        self,
        config: OffloadingConfig,
        weights: Mapping[str, NDArray[np.float32]],
        seed: int | Sequence[int] = 0,
    ) -> None:
        self.config = config
        self._network = Network(weights)
        self._seed = seed

    def predict(
        self,
        observation: Observation,
        state: LearnedState | None = None,
        episode_start: ArrayLike | None = None,
        deterministic: bool = True,
    ) -> tuple[NDArray[np.int64], LearnedState]:
        """Choose the actions of a batch of slots, or of one.

        Args:
            observation: entries of shape (n, size), or (size,) for a single environment.
            state: what the previous call returned, updated in place; None starts afresh.
            episode_start: (n,) booleans; rows where it is true start a new episode.
            deterministic: take the most probable choice rather than a sample.

        Returns:
            Flat actions, (n, U·D·2) or (U·D·2,), and the state for the next call.

        Raises:
            ValueError: the state belongs to another batch size, or an entry has a wrong size.
        """
        batched, single = with_batch_axis(observation)
        state = self._begin(state, len(next(iter(batched.values()))), episode_start)
        decisions = state.decisions
        decisions.begin(batched)
        for task in range(self.config.num_tasks):
            logits = self._network.logits(decisions.features(task))
            noise = 0.0 if deterministic else gumbel(state.uniforms.draw())
            decisions.choose(task, np.argmax(logits + noise, axis=1))
        action = decisions.action
        return (action[0] if single else action), state

    def _begin(
        self, state: LearnedState | None, batch: int, episode_start: ArrayLike | None
    ) -> LearnedState:
        if state is None:
            seeds = row_seeds(self._seed, batch)
            uniforms = UniformRows(seeds, self.config.num_servers + 1)
            return LearnedState(Decisions(self.config, batch), uniforms)
        if state.decisions.batch != batch:
            raise ValueError(
                f"the state has {state.decisions.batch} rows, but the observation {batch}"
            )
        if episode_start is not None:
            rows = np.broadcast_to(np.asarray(episode_start, dtype=np.bool_), (batch,))
            if rows.any():
                state.decisions.forget(rows)
        return state


def gumbel(uniforms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn U[0, 1) numbers into Gumbel noise: the largest of logits + noise is a sample."""
    noise: NDArray[np.float64] = -np.log(-np.log(np.maximum(uniforms, 1e-300)))
    return noise
