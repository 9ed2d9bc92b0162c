"""Tianshou's DQN with masked actions.

    pip install mec-moe-env tianshou
    python examples/tianshou_dqn.py

Tianshou looks for the mask as `obs.mask`, beside `obs.obs`. It builds vector environments of its
own from scalar ones. DQN is compared with `greedy-oracle`, which finds the best plan of the `toy`
scenario.
"""

from __future__ import annotations

from dataclasses import dataclass

import gymnasium as gym
import numpy as np
import torch
from mec_moe_agents import evaluate, read_arguments
from tianshou.algorithm import DQN
from tianshou.algorithm.modelfree.dqn import DiscreteQLearningPolicy
from tianshou.algorithm.optim import AdamOptimizerFactory
from tianshou.data import Collector, CollectStats, VectorReplayBuffer
from tianshou.env import DummyVectorEnv
from tianshou.trainer import OffPolicyTrainerParams
from tianshou.utils.net.common import Net

from mec_moe_env import OFFLOADING_PRESETS
from mec_moe_env.wrappers import MaskedObservation

ID = "mec_moe_env:mec_moe/Offloading-toy-flat-v0"
HELD_OUT_SEED = 100_000


@dataclass(frozen=True)
class Arguments:
    """Settings; every field is a command-line option."""

    steps: int = 6_000
    envs: int = 8
    batch: int = 64
    learning_rate: float = 1e-3
    exploration: float = 0.3
    """Share of random actions while it learns."""
    episodes: int = 5
    """Of the evaluation."""
    seed: int = 0


def make_envs(count: int, seed: int) -> DummyVectorEnv:
    """Build scalar environments that show their masks."""

    def make() -> MaskedObservation:
        return MaskedObservation(gym.make(ID), "obs", "mask", "bool")

    envs = DummyVectorEnv([make] * count)
    envs.seed([seed + index for index in range(count)])
    return envs


def train(settings: Arguments) -> DiscreteQLearningPolicy:
    """Train with Tianshou's own trainer."""
    envs = make_envs(settings.envs, settings.seed)
    # Of the environments inside all wrappers: the flat id has the spaces that the network needs.
    space, actions = envs.observation_space[0], envs.action_space[0]
    policy = DiscreteQLearningPolicy(
        model=Net(state_shape=space.shape, action_shape=actions.n, hidden_sizes=[64, 64]),
        action_space=actions,
        eps_training=settings.exploration,
    )
    algorithm = DQN(
        policy=policy,
        optim=AdamOptimizerFactory(lr=settings.learning_rate),
        gamma=1.0,
        target_update_freq=200,
    )
    collector = Collector[CollectStats](
        policy, envs, VectorReplayBuffer(settings.steps, settings.envs), exploration_noise=True
    )
    params = OffPolicyTrainerParams(
        training_collector=collector,
        max_epochs=1,
        epoch_num_steps=settings.steps,
        collection_step_num_env_steps=settings.envs,
        batch_size=settings.batch,
        update_step_num_gradient_steps_per_sample=0.25,
        verbose=False,
        show_progress=False,
    )
    algorithm.run_training(params)
    return policy


def mean_return(policy: DiscreteQLearningPolicy, episodes: int) -> float:
    """Return the mean return of the actions of highest value, one episode in each environment."""
    collector = Collector[CollectStats](policy, make_envs(episodes, HELD_OUT_SEED))
    return float(collector.collect(n_episode=episodes, reset_before_collect=True).returns.mean())


def main(settings: Arguments) -> None:
    """Train, then evaluate on seeds held out, beside the best plan."""
    torch.set_num_threads(1)
    torch.manual_seed(settings.seed)
    np.random.seed(settings.seed)  # noqa: NPY002 — Tianshou explores with this one
    policy = train(settings)
    seeds = range(HELD_OUT_SEED, HELD_OUT_SEED + settings.episodes)
    best = evaluate("greedy-oracle", OFFLOADING_PRESETS["toy"], seeds).metrics["return"].mean()
    print(f"{'DQN':13} mean return {mean_return(policy, settings.episodes):6.2f}")
    print(f"{'greedy-oracle':13} mean return {best:6.2f}")


if __name__ == "__main__":
    main(read_arguments(Arguments, __doc__))
