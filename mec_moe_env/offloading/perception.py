"""What an agent sees of the state, and which picks are possible."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.core.kernels import inlined, lean
from mec_moe_env.offloading.state import Flags, Physics, State, World
from mec_moe_env.offloading.table import DRIFT_BOUND

Singles = NDArray[np.float32]


@inlined
def observe(
    physics: Physics, state: State, world: World, sum_bound: float, i: int, out: Singles
) -> None:
    """Write the observation of sub-environment i, entry after entry as the space has them."""
    U = physics.num_tasks
    d = world.linear.shape[3]
    M, S = world.spectral_efficiency.shape[3:]
    for u in range(U):
        write_sum(world, i, u, sum_bound, out[u * d : (u + 1) * d])
        out[U * d + u] = world.payload[i, world.cursor[i], u]
    rest = out[U * (d + 1) :]
    for u in range(U):
        for m in range(M):
            rest[u * M + m] = 0.0
        rest[u * M + world.origin[i, world.cursor[i], u]] = 1.0
    rest = rest[U * M :]
    write_occupation(physics, state, i, rest)
    rest = rest[M + S :]
    efficiency = world.spectral_efficiency[i, world.cursor[i]].reshape(U * M * S)
    for index in range(U * M * S):
        rest[index] = efficiency[index]
    write_servers(state, world, i, rest[U * M * S :])
    out[out.shape[0] - 1] = state.time[i] / physics.horizon


@inlined
def write_sum(world: World, i: int, u: int, sum_bound: float, out: Singles) -> None:
    """Write Σ_i X_i of task u, the gate's input, (d,)."""
    samples = world.features[i, world.cursor[i], u]
    for f in range(out.shape[0]):
        total = 0.0
        for sample in range(samples.shape[0]):
            total += samples[sample, f]
        out[f] = min(max(total, -sum_bound), sum_bound)


@inlined
def write_occupation(physics: Physics, state: State, i: int, out: Singles) -> None:
    """Write how long servers and subcarriers stay busy, over d_u, (M + S,)."""
    M = state.remaining.shape[1]
    for m in range(M):
        occupied = state.remaining[i, m] / physics.max_delay
        out[m] = occupied if state.working[i, m] else 1.0
    for s in range(state.subcarrier_remaining.shape[1]):
        out[M + s] = state.subcarrier_remaining[i, s] / physics.max_delay


@inlined
def write_servers(state: State, world: World, i: int, out: Singles) -> None:
    """Write the servers' costs, completions and drifts, (4·M,)."""
    M = state.remaining.shape[1]
    for m in range(M):
        out[2 * m] = world.compute[i, m, 0]
        out[2 * m + 1] = world.compute[i, m, 1]
        out[2 * M + m] = 1.0 if state.completed[i, m] else 0.0
        out[3 * M + m] = min(state.drift[i, m], DRIFT_BOUND)


@inlined
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
def write_masks(physics: Physics, state: State, world: World, out: Flags) -> None:
    """Write all flat action masks, (n, U·D·(M + 1 + S))."""
    for i in range(out.shape[0]):
        write_mask(physics, state, world, i, out[i])
