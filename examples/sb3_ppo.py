"""Stable-Baselines3's PPO on the scalar environment, where the best plan is known.

    pip install 'mec-moe-env[rl]'
    python examples/sb3_ppo.py

The `toy` scenario has four slots and an optimum of -3.8, found by enumeration: one task is worth
rejecting, which no baseline sees beforehand and `greedy-oracle` does. PPO finds it in a thousand
episodes, ten seconds. On a scenario of real size, `--scenario default`, so few steps are not
enough; `maskable_ppo.py` shows what helps.
"""

from __future__ import annotations

from dataclasses import dataclass

import gymnasium as gym
import torch
from mec_moe_agents import make_agent, read_arguments
from stable_baselines3 import PPO
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

ID = "mec_moe_env:mec_moe/Offloading-v0"
HELD_OUT_SEED = 100_000


@dataclass(frozen=True)
class Arguments:
    """Settings; every field is a command-line option."""

    scenario: str = "toy"
    steps: int = 4_096
    episodes: int = 5
    """Of the evaluation, the same for everybody."""
    seed: int = 0


def main(settings: Arguments) -> None:
    """Train, then evaluate beside the baselines."""
    torch.set_num_threads(1)
    env = gym.make(ID, scenario=settings.scenario)
    # Without the bonus for entropy some seeds settle on a plan that rejects too much.
    model = PPO(
        "MultiInputPolicy",
        env,
        learning_rate=1e-3,
        n_steps=256,
        batch_size=64,
        gamma=1.0,
        ent_coef=0.1,
        seed=settings.seed,
    )
    model.learn(settings.steps)

    held_out = DummyVecEnv([lambda: Monitor(gym.make(ID, scenario=settings.scenario))])
    names = ("random", "gating", "nearest", "profile", "guard", "greedy-oracle")
    agents = {name: make_agent(name, held_out) for name in names} | {"PPO": model}
    for name, agent in agents.items():
        held_out.seed(HELD_OUT_SEED)
        mean, _ = evaluate_policy(agent, held_out, settings.episodes)
        print(f"{name:13} mean return {mean:8.2f}")


if __name__ == "__main__":
    main(read_arguments(Arguments, __doc__))
