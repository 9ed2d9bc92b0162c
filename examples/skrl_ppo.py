"""skrl's PPO on the native vector environment, with masked actions.

    pip install mec-moe-env skrl
    python examples/skrl_ppo.py

skrl flattens what it sees; the policy takes observation and mask apart again. It is compared with
`greedy-oracle`, which finds the best plan of the `toy` scenario.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import torch
from mec_moe_agents import evaluate, read_arguments
from skrl.agents.torch.ppo import PPO, PPO_CFG
from skrl.envs.wrappers.torch import wrap_env
from skrl.memories.torch import RandomMemory
from skrl.models.torch import CategoricalMixin, DeterministicMixin, Model
from skrl.trainers.torch import SequentialTrainer
from skrl.utils import set_seed
from skrl.utils.spaces.torch import unflatten_tensorized_space
from torch import Tensor, nn

from mec_moe_env import OFFLOADING_PRESETS
from mec_moe_env.wrappers import MaskedObservationVector

ID = "mec_moe_env:mec_moe/Offloading-toy-flat-v0"
SLOTS = 4
"""Of an episode."""
HELD_OUT_SEED = 100_000


@dataclass(frozen=True)
class Arguments:
    """Settings; every field is a command-line option."""

    iterations: int = 80
    envs: int = 16
    steps: int = 16
    """Of every sub-environment in an iteration."""
    learning_rate: float = 3e-3
    entropy: float = 0.1
    episodes: int = 5
    """Of the evaluation."""
    seed: int = 0


def make_env(envs: int) -> MaskedObservationVector:
    """Build sub-environments that restart in the step in which they end."""
    native = gym.make_vec(
        ID, envs, vectorization_mode="vector_entry_point", autoreset_mode="same_step"
    )
    return MaskedObservationVector(native, "observation", "action_mask", "float32")


def layers(inputs: int, outputs: int) -> nn.Sequential:
    """Build a network with two hidden layers."""
    return nn.Sequential(
        nn.Linear(inputs, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, outputs)
    )


class Policy(CategoricalMixin, Model):
    """A categorical over the possible actions."""

    def __init__(self, env: Any) -> None:
        Model.__init__(self, observation_space=env.observation_space, action_space=env.action_space)
        CategoricalMixin.__init__(self)
        self.net = layers(env.observation_space["observation"].shape[0], env.action_space.n)

    def scores(self, observation: Tensor, mask: Tensor) -> Tensor:
        """Return the logits of all actions, (n, actions)."""
        return self.net(observation).masked_fill(mask == 0.0, -1e8)

    def compute(self, inputs: dict[str, Any], role: str = "") -> tuple[Tensor, dict[str, Any]]:
        """Return the logits, as skrl asks for them."""
        parts = unflatten_tensorized_space(self.observation_space, inputs["observations"])
        return self.scores(parts["observation"], parts["action_mask"]), {}


class Value(DeterministicMixin, Model):
    """A critic."""

    def __init__(self, env: Any) -> None:
        Model.__init__(self, observation_space=env.observation_space, action_space=env.action_space)
        DeterministicMixin.__init__(self)
        self.net = layers(self.num_observations, 1)

    def compute(self, inputs: dict[str, Any], role: str = "") -> tuple[Tensor, dict[str, Any]]:
        """Return the values, (n, 1)."""
        return self.net(inputs["observations"]), {}


def train(settings: Arguments) -> Policy:
    """Train with skrl's own trainer; nothing is written."""
    env = wrap_env(make_env(settings.envs), verbose=False)
    models = {"policy": Policy(env), "value": Value(env)}
    cfg = PPO_CFG(
        rollouts=settings.steps,
        learning_epochs=4,
        mini_batches=4,
        discount_factor=1.0,
        learning_rate=settings.learning_rate,
        entropy_loss_scale=settings.entropy,
        value_clip=0.0,
        value_loss_scale=0.5,
    )
    cfg.experiment.write_interval = cfg.experiment.checkpoint_interval = 0
    agent = PPO(
        models=models,
        memory=RandomMemory(memory_size=settings.steps, num_envs=settings.envs),
        observation_space=env.observation_space,
        action_space=env.action_space,
        cfg=cfg,
    )
    steps = {"timesteps": settings.iterations * settings.steps}
    quiet = {"headless": True, "disable_progressbar": True, "close_environment_at_exit": False}
    SequentialTrainer(env=env, agents=agent, cfg=steps | quiet).train()
    return models["policy"]


def mean_return(policy: Policy, episodes: int) -> float:
    """Return the mean return of the likeliest actions, one episode in each sub-environment."""
    env, total = make_env(episodes), 0.0
    seen, _ = env.reset(seed=HELD_OUT_SEED)
    for _ in range(SLOTS):
        with torch.no_grad():
            scores = policy.scores(*map(torch.from_numpy, seen.values()))
        seen, rewards, _, _, _ = env.step(scores.argmax(dim=1).numpy())
        total += rewards.mean()
    return total


def main(settings: Arguments) -> None:
    """Train, then evaluate on seeds held out, beside the best plan."""
    torch.set_num_threads(1)
    set_seed(settings.seed)
    policy = train(settings)
    seeds = range(HELD_OUT_SEED, HELD_OUT_SEED + settings.episodes)
    best = evaluate("greedy-oracle", OFFLOADING_PRESETS["toy"], seeds).metrics["return"].mean()
    print(f"{'PPO':13} mean return {mean_return(policy, settings.episodes):6.2f}")
    print(f"{'greedy-oracle':13} mean return {best:6.2f}")


if __name__ == "__main__":
    main(read_arguments(Arguments, __doc__))
