"""TorchRL's PPO on the native vector environment, with masked actions; the optimum is known.

    pip install mec-moe-env torchrl
    python examples/torchrl_ppo.py

The mask is an entry of the observation, of TorchRL's specs therefore: `ActionMask` makes random
actions keep to it, `MaskedCategorical` the policy's. The best plan of the `toy` scenario's four
slots is found by enumeration; in half a minute of one core PPO learns it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from mec_moe_agents import read_arguments
from tensordict.nn import TensorDictModule
from torch import nn
from torchrl.collectors import Collector
from torchrl.envs import ActionMask, EnvBase, ExplorationType, GymWrapper, set_exploration_type
from torchrl.envs.transforms import TransformedEnv
from torchrl.modules import MaskedCategorical, ProbabilisticActor, ValueOperator
from torchrl.objectives import ClipPPOLoss
from torchrl.objectives.value import GAE

from mec_moe_env.wrappers import MaskedObservationVector

ID = "mec_moe_env:mec_moe/Offloading-toy-flat-v0"
SLOTS = 4
"""Of an episode."""
HELD_OUT_SEED = 100_000


@dataclass(frozen=True)
class Arguments:
    """Settings; every field is a command-line option."""

    iterations: int = 40
    envs: int = 16
    steps: int = 16
    """Of every sub-environment in an iteration."""
    epochs: int = 4
    batch: int = 64
    learning_rate: float = 3e-3
    entropy: float = 0.1
    """Without this bonus some seeds settle on a plan that rejects too much."""
    episodes: int = 5
    """Of the evaluation."""
    seed: int = 0


def make_env(envs: int) -> EnvBase:
    """Build sub-environments that TorchRL resets, observation and mask beside each other."""
    native = gym.make_vec(
        ID, envs, vectorization_mode="vector_entry_point", autoreset_mode="disabled"
    )
    masked = MaskedObservationVector(native, "observation", "action_mask", bool)
    return TransformedEnv(GymWrapper(masked, categorical_action_encoding=True), ActionMask())


def layers(inputs: int, outputs: int) -> nn.Sequential:
    """Build a network with two hidden layers."""
    return nn.Sequential(
        nn.Linear(inputs, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, outputs)
    )


def make_networks(env: EnvBase) -> tuple[ProbabilisticActor, ValueOperator]:
    """Build an actor over the possible actions, and a critic."""
    inputs = env.observation_spec["observation"].shape[-1]
    actions = env.observation_spec["action_mask"].shape[-1]
    scores = TensorDictModule(layers(inputs, actions), in_keys=["observation"], out_keys=["logits"])
    actor = ProbabilisticActor(
        scores,
        in_keys={"logits": "logits", "mask": "action_mask"},
        spec=env.action_spec,
        distribution_class=MaskedCategorical,
        return_log_prob=True,
    )
    return actor, ValueOperator(layers(inputs, 1), in_keys=["observation"])


def train(env: EnvBase, settings: Arguments) -> ProbabilisticActor:
    """Collect and improve in turns, and print how it goes."""
    actor, critic = make_networks(env)
    advantage = GAE(gamma=1.0, lmbda=0.95, value_network=critic)
    loss = ClipPPOLoss(actor, critic, entropy_coeff=settings.entropy)
    optimiser = torch.optim.Adam(loss.parameters(), settings.learning_rate)
    frames = settings.envs * settings.steps
    collector = Collector(
        env, actor, frames_per_batch=frames, total_frames=frames * settings.iterations
    )
    for iteration, data in enumerate(collector, 1):
        for _ in range(settings.epochs):
            with torch.no_grad():
                advantage(data)
            rows = data.reshape(-1)
            for chosen in torch.randperm(frames).split(settings.batch):
                losses = loss(rows[chosen])
                optimiser.zero_grad()
                sum(
                    losses[f"loss_{part}"] for part in ("objective", "critic", "entropy")
                ).backward()
                nn.utils.clip_grad_norm_(loss.parameters(), 0.5)
                optimiser.step()
        if iteration % 10 == 0 or iteration == settings.iterations:
            mean = data["next", "reward"].mean().item()
            print(f"{iteration * frames:6} steps, mean reward {mean:7.3f}", flush=True)
    return actor


def mean_return(actor: Any, env: EnvBase) -> float:
    """Return the mean return of the likeliest actions, one episode in each sub-environment."""
    env.set_seed(HELD_OUT_SEED)
    with torch.no_grad(), set_exploration_type(ExplorationType.DETERMINISTIC):
        episode = env.rollout(SLOTS, actor)
    return float(episode["next", "reward"].sum(dim=1).mean())


def optimum() -> float:
    """Return the toy's best return: that of the best point of its exact Pareto front."""
    env: Any = gym.make("mec_moe_env:mec_moe/MO-Offloading-v0", scenario="toy").unwrapped
    return float(np.max(env.pareto_front() @ env.reward_weights))


def main(settings: Arguments) -> None:
    """Train, then evaluate on seeds held out, beside the optimum."""
    torch.set_num_threads(1)
    torch.manual_seed(settings.seed)
    env = make_env(settings.envs)
    env.set_seed(settings.seed)
    actor = train(env, settings)
    print(f"{'PPO':8} mean return {mean_return(actor, make_env(settings.episodes)):6.2f}")
    print(f"{'optimum':8} mean return {optimum():6.2f}")


if __name__ == "__main__":
    main(read_arguments(Arguments, __doc__))
