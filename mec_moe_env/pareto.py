"""Exact Pareto fronts of the toy scenarios, in which nothing is random, by trying everything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np

from mec_moe_env.config import reject
from mec_moe_env.core.buffers import Floats, Integers
from mec_moe_env.fronts import nondominated

MOST_SEQUENCES = 50_000
"""Episodes that are tried at most: some seconds."""


def exhaustive_front(make: Callable[[], Any], horizon: int, gamma: float) -> Floats:
    """Return the front of the discounted returns of all sequences of actions.

    Args:
        make: builds an environment with a vector reward in which nothing is random.
        horizon: steps of an episode.
        gamma: the discount factor.

    Raises:
        ValueError: there are too many sequences.
    """
    env = make()
    actions = list(every_action(env.action_space.nvec))
    if horizon > np.log(MOST_SEQUENCES) / np.log(len(actions)):
        most = int(np.log(MOST_SEQUENCES) / np.log(len(actions)))
        raise reject("horizon", horizon, f"at most {most} where a slot has {len(actions)} actions")
    discounts = gamma ** np.arange(horizon)
    returns = [discounts @ rewards(env, sequence) for sequence in product(actions, repeat=horizon)]
    return nondominated(np.array(returns))


def layered_front(make: Callable[[], Any], layers: int, gamma: float) -> Floats:
    """Return the front of the discounted returns where no step touches another one.

    Args:
        make: builds an environment with a vector reward in which nothing is random.
        layers: steps of an episode.
        gamma: the discount factor.
    """
    env = make()
    played = np.array(
        [rewards(env, (action,) * layers) for action in every_action(env.action_space.nvec)]
    )
    front = np.zeros((1, env.reward_dim))
    for layer in range(layers):
        best = gamma**layer * nondominated(played[:, layer])
        front = nondominated((front[:, np.newaxis] + best).reshape(-1, env.reward_dim))
    return front


def every_action(nvec: Integers) -> Iterator[Integers]:
    """Yield all actions of a `MultiDiscrete`."""
    for choices in product(*map(range, nvec.tolist())):
        yield np.array(choices, np.int64)


def rewards(env: Any, actions: tuple[Integers, ...]) -> Floats:
    """Return the reward of each step of an episode, (steps, k)."""
    env.reset(seed=0)
    return np.array([env.step(action)[1] for action in actions])
