"""Base stations that learn apart, by one shared reward, on PettingZoo's parallel environment.

    pip install 'mec-moe-env[multiagent]'
    python examples/pettingzoo_stations.py

Every station sees its own tasks and what is busy, and has a Q-table of its own; the reward is the
whole network's. On `toy` the optimum of -3.80 is known. Learning apart ends near it, not always at
it: at -4.42, -4.22 and -4.22 with seeds 0, 1 and 2, where `guard`, which routes for all stations,
has -6.16. Tables need small scenarios with few picks in a slot: for others put a learner of your
library in place of `Station`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from mec_moe_agents import evaluate, read_arguments

from mec_moe_env import OFFLOADING_PRESETS, parallel_env
from mec_moe_env.wrappers import split_mask

Choice = tuple[int, ...]


@dataclass(frozen=True)
class Arguments:
    """Settings; every field is a command-line option."""

    scenario: str = "toy"
    episodes: int = 2000
    exploration: float = 0.2
    """Share of choices made by chance, falling to none."""
    learning_rate: float = 0.5
    seed: int = 0


class Station:
    """A Q-table over what a station sees."""

    def __init__(self, space: Any, settings: Arguments, seed: int) -> None:
        self.space, self.settings = space, settings
        self.rng = np.random.default_rng(seed)
        self.table: dict[bytes, dict[Choice, float]] = defaultdict(dict)

    def values(self, observation: dict[str, Any], info: dict[str, Any]) -> dict[Choice, float]:
        """Return the value of every possible choice; a new one's is 0, better than any."""
        parts = split_mask(self.space, info["action_mask"])
        seen = np.concatenate(list(observation.values())).tobytes()
        values = self.table[seen]
        for choice in product(*(np.flatnonzero(part).tolist() for part in parts)):
            values.setdefault(choice, 0.0)
        return values

    def choose(self, values: dict[Choice, float], exploration: float) -> Choice:
        """Return the best choice, or one by chance; first come, first served among equals."""
        if self.rng.random() < exploration:
            return list(values)[self.rng.integers(len(values))]
        return max(values, key=lambda choice: values[choice])

    def learn(self, values: dict[Choice, float], choice: Choice, target: float) -> None:
        """Move a value towards what has come of it."""
        values[choice] += self.settings.learning_rate * (target - values[choice])


def play(env: Any, stations: dict[str, Station], seed: int, exploration: float) -> float:
    """Play an episode, learn from it where there is exploration, and return the reward's sum."""
    observations, infos = env.reset(seed=seed)
    total = 0.0
    now = {name: each.values(observations[name], infos[name]) for name, each in stations.items()}
    while env.agents:
        chosen = {name: each.choose(now[name], exploration) for name, each in stations.items()}
        observations, rewards, ended, _, infos = env.step(
            {name: np.array(choice) for name, choice in chosen.items()}
        )
        before, now = now, {}
        for name, station in stations.items():
            now[name] = station.values(observations[name], infos[name])
            following = 0.0 if ended[name] else max(now[name].values())
            if exploration > 0.0:
                station.learn(before[name], chosen[name], rewards[name] + following)
        total += rewards[env.possible_agents[0]]
    return total


def main(settings: Arguments) -> None:
    """Train, then play greedily beside baselines that decide for all stations."""
    config = OFFLOADING_PRESETS[settings.scenario]
    env = parallel_env(config)
    stations = {
        name: Station(env.action_space(name), settings, settings.seed + index)
        for index, name in enumerate(env.possible_agents)
    }
    for episode in range(settings.episodes):
        left = 1.0 - episode / settings.episodes
        play(env, stations, settings.seed, settings.exploration * left)
    print(f"{len(stations)} stations, {settings.episodes} episodes")
    for name in ("reject-all", "guard", "greedy-oracle"):
        mean = evaluate(name, config, [settings.seed]).metrics["return"].mean()
        print(f"{name:22} mean return {mean:8.2f}")
    learned = play(env, stations, settings.seed, exploration=0.0)
    print(f"{'independent Q-learning':22} mean return {learned:8.2f}")


if __name__ == "__main__":
    main(read_arguments(Arguments, __doc__))
