"""What an agent sees of the state, and which picks are possible."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.compilation import lean
from mec_moe_env.offloading.state import Flags, Physics, State, World
from mec_moe_env.scenarios import OffloadingConfig

Singles = NDArray[np.float32]

DRIFT_BOUND = 1e4
"""Drifts are reported up to this value; no scenario comes near it."""


class Observation(NamedTuple):
    """The flat entries of a batch of observations, in the order of the observation space."""

    task: Singles
    payload: Singles
    origin: Singles
    busy: Singles
    subcarrier_busy: Singles
    spectral_efficiency: Singles
    compute: Singles
    completed: Singles
    drift: Singles
    progress: Singles


def observation_bounds(
    config: OffloadingConfig, sum_bound: float
) -> Mapping[str, tuple[float, float]]:
    """Return (low, high) of every entry; `sum_bound` is the task stream's."""
    return {
        "task": (-sum_bound, sum_bound),
        "payload": (0.0, max(config.payload_mbit[1], 1.0)),
        "origin": (0.0, 1.0),
        "busy": (0.0, 1.0),
        "subcarrier_busy": (0.0, 1.0),
        "spectral_efficiency": (0.0, config.max_spectral_efficiency),
        "compute": (0.0, max(config.compute_joules[1], config.compute_seconds[1], 1.0)),
        "completed": (0.0, 1.0),
        "drift": (0.0, DRIFT_BOUND),
        "progress": (0.0, 1.0),
    }


@lean
def observe_task(world: World, i: int, u: int, sum_bound: float, out: Observation) -> None:
    """Write what is seen of task u: Σ_i X_i (the gate's input), payload, origin, its links."""
    b = world.cursor[i]
    M, S = world.spectral_efficiency.shape[3:]
    k, d = world.features.shape[3:]
    for f in range(d):
        total = 0.0
        for sample in range(k):
            total += world.features[i, b, u, sample, f]
        out.task[i, u * d + f] = min(max(total, -sum_bound), sum_bound)
    out.payload[i, u] = world.payload[i, b, u]
    for m in range(M):
        out.origin[i, u * M + m] = 0.0
    out.origin[i, u * M + world.origin[i, b, u]] = 1.0
    efficiency = world.spectral_efficiency[i, b, u].reshape(M * S)
    seen = out.spectral_efficiency[i, u * M * S : (u + 1) * M * S]
    for index in range(M * S):
        seen[index] = efficiency[index]


@lean
def observe(
    physics: Physics, state: State, world: World, sum_bound: float, i: int, out: Observation
) -> None:
    """Write the observation of sub-environment i."""
    for u in range(physics.num_tasks):
        observe_task(world, i, u, sum_bound, out)
    for m in range(state.remaining.shape[1]):
        occupied = state.remaining[i, m] / physics.max_delay
        out.busy[i, m] = occupied if state.working[i, m] else 1.0
        out.compute[i, 2 * m] = world.compute[i, m, 0]
        out.compute[i, 2 * m + 1] = world.compute[i, m, 1]
        out.completed[i, m] = 1.0 if state.completed[i, m] else 0.0
        out.drift[i, m] = min(state.drift[i, m], DRIFT_BOUND)
    for s in range(state.subcarrier_remaining.shape[1]):
        out.subcarrier_busy[i, s] = state.subcarrier_remaining[i, s] / physics.max_delay
    out.progress[i, 0] = state.time[i] / physics.horizon


@lean
def write_mask(physics: Physics, state: State, world: World, i: int, out: Flags) -> None:
    """Write the flat action mask of sub-environment i, (U·D·(M + 1 + S),).

    While no subcarrier is free only the in-situ server and none are possible; the subcarrier,
    which neither uses, is then left open, so that every categorical has a choice.
    """
    M = state.remaining.shape[1]
    S = state.subcarrier_remaining.shape[1]
    taken = 0
    for s in range(S):
        taken += state.subcarrier_remaining[i, s] > 0
    some_free = taken < S
    for pick in range(physics.num_tasks * physics.max_experts):
        start = pick * (M + 1 + S)
        origin = world.origin[i, world.cursor[i], pick // physics.max_experts]
        for m in range(M):
            idle = state.working[i, m] & (state.remaining[i, m] == 0)
            out[start + m] = idle & (some_free | (m == origin))
        out[start + M] = True
        for s in range(S):
            out[start + M + 1 + s] = (state.subcarrier_remaining[i, s] == 0) | (not some_free)


@lean
def perceive(
    physics: Physics,
    state: State,
    world: World,
    sum_bound: float,
    first: int,
    last: int,
    out: Observation,
    masks: Flags,
) -> None:
    """Write the observations and masks of sub-environments first..last−1."""
    for i in range(first, last):
        observe(physics, state, world, sum_bound, i, out)
        write_mask(physics, state, world, i, masks[i])
