"""PPO in one file, in CleanRL's style, on the native vector environment; torch is all it needs.

    pip install mec-moe-env torch
    python examples/cleanrl_ppo.py

A place to change the algorithm itself. The action is one masked categorical (`FlatActionVector`),
the observation holds what the baseline `guard` computes (`GateObservationVector`), and the
sub-environments start anew in the step in which they end. In half a minute of one core it learns to
route, though it does not beat the baseline whose numbers it is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from mec_moe_agents import evaluate, read_arguments
from mec_moe_agents.wrappers import GateObservationVector
from torch import Tensor, nn
from torch.distributions import Categorical
from torch.nn import functional

from mec_moe_env import OffloadingConfig, OffloadingVectorEnv
from mec_moe_env.wrappers import FlatActionVector

HELD_OUT_SEED = 100_000


@dataclass(frozen=True)
class Arguments:
    """Settings; every field is a command-line option."""

    servers: int = 4
    subcarriers: int = 4
    types: int = 2
    horizon: int = 100
    iterations: int = 80
    envs: int = 64
    steps: int = 64
    """Of every sub-environment in an iteration."""
    epochs: int = 10
    batch: int = 1024
    learning_rate: float = 1e-3
    discount: float = 0.9
    """A wrong server shows in the reward at most five slots later: a short view is enough."""
    trace_decay: float = 0.9
    """λ of the generalized advantage."""
    clip: float = 0.2
    entropy: float = 0.0
    gradient_norm: float = 0.5
    episodes: int = 20
    """Of the evaluation."""
    seed: int = 0


def layers(inputs: int, outputs: int, scale: float) -> nn.Sequential:
    """Build a network with two hidden layers; `scale` is that of the first outputs."""
    sizes = (inputs, 64, 64, outputs)
    net = nn.Sequential()
    for size, following in pairwise(sizes):
        linear = nn.Linear(size, following)
        nn.init.orthogonal_(linear.weight, 2**0.5 if following == 64 else scale)
        nn.init.zeros_(linear.bias)
        net.extend([linear, nn.Tanh()])
    return net[:-1]


class Policy(nn.Module):
    """An actor over the possible actions, and a critic."""

    def __init__(self, inputs: int, actions: int) -> None:
        super().__init__()
        self.actor, self.critic = layers(inputs, actions, 0.01), layers(inputs, 1, 1.0)

    def forward(self, inputs: Tensor, mask: Tensor) -> tuple[Categorical, Tensor]:
        """Return the distribution of actions and the values, (n,)."""
        logits = self.actor(inputs).masked_fill(~mask, -1e8)
        return Categorical(logits=logits), self.critic(inputs).squeeze(-1)


def to_inputs(observation: Mapping[str, Any]) -> Tensor:
    """Join the entries of a batch of observations, (n, inputs)."""
    return torch.from_numpy(np.concatenate(list(observation.values()), axis=1))


def make_env(config: OffloadingConfig, envs: int) -> FlatActionVector:
    """Build sub-environments that restart in the step in which they end."""
    native = OffloadingVectorEnv(envs, config, autoreset_mode="same_step")
    return FlatActionVector(GateObservationVector(native, gate="guard"))


def advantages(rewards: Tensor, values: Tensor, ends: Tensor, settings: Arguments) -> Tensor:
    """Return generalized advantages, (steps, n); `values` has one row more than the others."""
    result, following = torch.zeros_like(rewards), torch.zeros(rewards.shape[1])
    for t in reversed(range(len(rewards))):
        goes_on = 1.0 - ends[t]
        surprise = rewards[t] + settings.discount * goes_on * values[t + 1] - values[t]
        following = surprise + settings.discount * settings.trace_decay * goes_on * following
        result[t] = following
    return result


def improve(policy: Policy, optimiser: torch.optim.Optimizer, data: Any, s: Arguments) -> None:
    """Take some epochs of clipped steps on the data of an iteration."""
    for _ in range(s.epochs):
        for chosen in torch.randperm(len(data[0])).split(s.batch):
            inputs, masks, actions, old, advantage, targets = (part[chosen] for part in data)
            distribution, values = policy(inputs, masks)
            ratio = (distribution.log_prob(actions) - old).exp()
            advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
            clipped = ratio.clamp(1 - s.clip, 1 + s.clip)
            gain = torch.minimum(ratio * advantage, clipped * advantage).mean()
            loss = 0.5 * functional.mse_loss(values, targets) - gain
            loss = loss - s.entropy * distribution.entropy().mean()
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(policy.parameters(), s.gradient_norm)
            optimiser.step()


def train(config: OffloadingConfig, settings: Arguments) -> Policy:
    """Collect and improve in turns, and print how it goes."""
    env = make_env(config, settings.envs)
    observation, info = env.reset(seed=settings.seed)
    inputs, mask = to_inputs(observation), torch.from_numpy(info["action_mask"])
    policy = Policy(inputs.shape[1], mask.shape[1])
    optimiser = torch.optim.Adam(policy.parameters(), settings.learning_rate, eps=1e-5)
    for iteration in range(1, settings.iterations + 1):
        rollout = []
        for _ in range(settings.steps):
            with torch.no_grad():
                distribution, value = policy(inputs, mask)
                action = distribution.sample()
            observation, reward, terminated, _, info = env.step(action.numpy())
            seen = (inputs, mask, action, distribution.log_prob(action), value)
            outcome = (torch.from_numpy(reward).float(), torch.from_numpy(terminated).float())
            rollout.append((*seen, *outcome))
            inputs, mask = to_inputs(observation), torch.from_numpy(info["action_mask"])
        *seen, values, rewards, ends = (torch.stack(part) for part in zip(*rollout, strict=True))
        with torch.no_grad():
            following = policy(inputs, mask)[1][None]
        advantage = advantages(rewards, torch.cat([values, following]), ends, settings)
        data = [part.flatten(0, 1) for part in (*seen, advantage, advantage + values)]
        improve(policy, optimiser, data, settings)
        if iteration % 5 == 0 or iteration == settings.iterations:
            steps = iteration * settings.envs * settings.steps
            print(f"{steps:8} steps, mean reward {rewards.mean():7.3f}", flush=True)
    return policy


def mean_return(policy: Policy, config: OffloadingConfig, episodes: int) -> float:
    """Return the mean return of the likeliest actions, one episode for each held-out seed."""
    env, total = make_env(config, episodes), np.zeros(episodes)
    observation, info = env.reset(seed=HELD_OUT_SEED)
    for _ in range(config.horizon):
        with torch.no_grad():
            mask = torch.from_numpy(info["action_mask"])
            action = policy(to_inputs(observation), mask)[0].probs.argmax(dim=1)
        observation, reward, _, _, info = env.step(action.numpy())
        total += reward
    return float(total.mean())


def main(settings: Arguments) -> None:
    """Train, then evaluate beside baselines on the same seeds."""
    torch.set_num_threads(1)
    torch.manual_seed(settings.seed)
    config = OffloadingConfig(
        num_servers=settings.servers,
        num_subcarriers=settings.subcarriers,
        num_types=settings.types,
        horizon=settings.horizon,
    )
    policy = train(config, settings)
    seeds = range(HELD_OUT_SEED, HELD_OUT_SEED + settings.episodes)
    for name in ("reject-all", "guard"):
        print(
            f"{name:10} mean return {evaluate(name, config, seeds).metrics['return'].mean():8.2f}"
        )
    print(f"{'PPO':10} mean return {mean_return(policy, config, settings.episodes):8.2f}")


if __name__ == "__main__":
    main(read_arguments(Arguments, __doc__))
