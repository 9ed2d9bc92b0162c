"""Actions of every sort: any, possible ones, none, crowded ones, and what is no action at all."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Masks = NDArray[np.bool_]
Actions = NDArray[np.int64]


def draw(rng: np.random.Generator, env: Any) -> tuple[Actions, bool]:
    """Return actions for all sub-environments, and whether each choice is one that masks allow."""
    nvec = env.single_action_space.nvec
    shape = (env.num_envs, len(nvec))
    sort = rng.choice(4, p=[0.35, 0.45, 0.05, 0.15])
    if sort == 1:
        return possible(rng, env.action_masks(), nvec), True
    if sort == 2:
        return np.tile(nvec - 1, (env.num_envs, 1)), False
    if sort == 3:
        # Everybody wants the same few.
        return rng.integers(0, np.minimum(nvec, 2), shape), False
    return rng.integers(0, nvec, shape), False


def possible(rng: np.random.Generator, masks: Masks, nvec: NDArray[np.int64]) -> Actions:
    """Draw each choice among those that its mask allows."""
    scores = np.where(masks, rng.random(masks.shape), -1.0)
    widest = int(nvec.max())
    starts = np.cumsum(nvec) - nvec
    places = np.minimum(starts[:, np.newaxis] + np.arange(widest), masks.shape[1] - 1)
    within = np.arange(widest) < nvec[:, np.newaxis]
    padded = np.where(within, scores[:, places], -2.0)
    return np.asarray(padded.argmax(axis=2), np.int64)


def refused(rng: np.random.Generator, env: Any) -> Any:
    """Return what lies outside the action space."""
    nvec = env.single_action_space.nvec
    actions = rng.integers(0, nvec, (env.num_envs, len(nvec)))
    sort = rng.integers(5)
    if sort == 0:
        return actions.astype(np.float64)
    if sort == 1:
        return actions[:, :-1]
    if sort == 2:
        return None
    row, choice = rng.integers(env.num_envs), rng.integers(len(nvec))
    actions[row, choice] = -1 if sort == 3 else nvec[choice]
    return actions
