"""Every baseline through Stable-Baselines3's `evaluate_policy`, on the same held-out seeds.

    pip install 'mec-moe-env[rl]'
    python examples/evaluate_baselines.py --scenario default

A baseline has the `predict` of a trained model, so that one function evaluates both. For paired
intervals, more measures and a picture use `mec-moe compare`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from mec_moe_agents import agent_names, make_agent, read_arguments
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecMonitor

from mec_moe_env.sb3 import make_vec_env


@dataclass(frozen=True)
class Arguments:
    """Settings; every field is a command-line option."""

    id: str = "mec_moe_env:mec_moe/Offloading-v0"
    scenario: str = "default"
    agents: str = "all"
    """Names separated by commas."""
    episodes: int = 20
    first_seed: int = 100_000


def main(settings: Arguments) -> None:
    """Evaluate them one by one and print them from best to worst."""
    env = VecMonitor(make_vec_env(settings.id, settings.episodes, scenario=settings.scenario))
    known = agent_names(env.get_attr("config")[0])
    scores = {}
    for name in known if settings.agents == "all" else settings.agents.split(","):
        # Whoever acts, an episode with the same seed brings the same tasks and channel.
        env.seed(settings.first_seed)
        returns, _ = evaluate_policy(
            make_agent(name, env), env, settings.episodes, return_episode_rewards=True
        )
        scores[name] = np.array(returns)
    for name, values in sorted(scores.items(), key=lambda item: -item[1].mean()):
        error = values.std(ddof=1) / np.sqrt(len(values))
        print(f"{name:14} mean return {values.mean():9.2f} ± {error:.2f} (s.e.)")


if __name__ == "__main__":
    main(read_arguments(Arguments, __doc__))
