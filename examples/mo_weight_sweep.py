"""Multi-objective Q-learning on MO-Gymnasium's interface: how much of a known front it finds.

    pip install 'mec-moe-env[multiobjective]'
    python examples/mo_weight_sweep.py

The reward is a vector: error, energy, delay. A table of vectors is learned for each of some weights
(scalarized Q-learning, Van Moffaert et al. 2013), and the vector return of its greedy episode is
compared with the exact front of `toy`. Weighted sums find the points of its convex hull only.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import mo_gymnasium
import numpy as np
from mec_moe_agents import read_arguments
from mo_gymnasium.wrappers import MORecordEpisodeStatistics
from numpy.typing import NDArray

from mec_moe_env.wrappers import FlatAction

Vectors = NDArray[np.float64]


@dataclass(frozen=True)
class Arguments:
    """Settings; every field is a command-line option."""

    weights: int = 20
    """Weight vectors, drawn uniformly from those of sum 1."""
    episodes: int = 500
    """Of each weight vector."""
    exploration: float = 0.2
    seed: int = 0


def play(
    env: Any, table: dict[tuple[int, ...], Vectors], weight: Vectors, exploration: float, rng: Any
) -> Vectors:
    """Play an episode, learn from it, and return the sum of its rewards, (k,).

    Nothing is random in `toy`: the actions so far are the state, and a learning rate of 1 is right.
    """
    _, info = env.reset(seed=0)
    state: tuple[int, ...] = ()
    terminated = False
    while not terminated:
        possible = np.flatnonzero(info["action_mask"])
        best = possible[np.argmax(table[state][possible] @ weight)]
        action = rng.choice(possible) if rng.random() < exploration else best
        _, reward, terminated, _, info = env.step(action)
        following = (*state, int(action))
        ahead = table[following]
        choice = np.argmax(np.where(info["action_mask"], ahead @ weight, -np.inf))
        table[state][action] = reward + (0.0 if terminated else ahead[choice])
        state = following
    total: Vectors = np.array(info["episode"]["r"])
    return total


def main(settings: Arguments) -> None:
    """Learn for each weight, and print the exact front with who was found."""
    env = FlatAction(mo_gymnasium.make("mec_moe_env:mec_moe/MO-Offloading-v0", scenario="toy"))
    toy: Any = env.unwrapped
    recorded = MORecordEpisodeStatistics(env)
    rng = np.random.default_rng(settings.seed)
    found: list[Vectors] = []
    for weight in rng.dirichlet(np.ones(toy.reward_dim), settings.weights):
        table: Any = defaultdict(lambda: np.zeros((env.action_space.n, toy.reward_dim)))
        for _ in range(settings.episodes):
            play(recorded, table, weight, settings.exploration, rng)
        found.append(play(recorded, table, weight, 0.0, rng))
    print("".join(f"{name:>15}" for name in toy.objectives) + "  times found")
    times = 0
    for point in toy.pareto_front():
        hits = sum(np.allclose(point, each, atol=1e-5) for each in found)
        times += hits
        print("".join(f"{value:15.2f}" for value in point) + f"{hits:13}")
    print(f"{times} of {len(found)} learned policies lie on the front")


if __name__ == "__main__":
    main(read_arguments(Arguments, __doc__))
