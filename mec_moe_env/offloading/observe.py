"""What an agent sees of a slot, and which picks are possible, compiled."""

from __future__ import annotations

from typing import Any

from mec_moe_env.core.buffers import Flags, Integers, Singles
from mec_moe_env.core.kernels import device, lean_kernel
from mec_moe_env.offloading.pricing import is_idle
from mec_moe_env.offloading.state import NOBODY, Exogenous, Params, State
from mec_moe_env.offloading.table import DRIFT_BOUND, Slot

AT: Any = Slot._make(range(len(Slot._fields)))
"""Which entry of the table each one is: `offsets[AT.busy]` is where its numbers begin."""


@device
def observe(
    params: Params,
    state: State,
    exogenous: Exogenous,
    offsets: Integers,
    i: int,
    out: Singles,
) -> None:
    """Write the observation of sub-environment i, (size,); entry e begins at `offsets[e]`."""
    write_tasks(params, exogenous, offsets, i, out)
    efficiency = exogenous.spectral_efficiency[i].reshape(exogenous.spectral_efficiency[i].size)
    links = out[offsets[AT.spectral_efficiency] :]
    for index in range(efficiency.shape[0]):
        links[index] = efficiency[index]
    for s in range(state.subcarrier_remaining.shape[1]):
        remaining = state.subcarrier_remaining[i, s]
        out[offsets[AT.subcarrier_busy] + s] = remaining / params.max_delay
    write_servers(params, state, exogenous, offsets, i, out)
    out[offsets[AT.progress]] = state.episodes[i]["time"] / params.horizon


@device
def write_tasks(
    params: Params, exogenous: Exogenous, offsets: Integers, i: int, out: Singles
) -> None:
    """Write Σ_i X_i, the gate's input, and payload and origin of every task."""
    U, k, d = exogenous.features.shape[1:]
    M = exogenous.nodes.shape[1]
    for u in range(U):
        samples, task = exogenous.features[i, u], exogenous.tasks[i, u]
        for f in range(d):
            total = 0.0
            for sample in range(k):
                total += samples[sample, f]
            clipped = min(max(total, -params.sum_bound), params.sum_bound)
            out[offsets[AT.task] + u * d + f] = clipped
        out[offsets[AT.payload] + u] = task["payload"]
        for m in range(M):
            out[offsets[AT.origin] + u * M + m] = 1.0 if m == task["origin"] else 0.0


@device
def write_servers(
    params: Params,
    state: State,
    exogenous: Exogenous,
    offsets: Integers,
    i: int,
    out: Singles,
) -> None:
    """Write how long servers stay busy, their costs, completions and drifts."""
    for m in range(state.servers.shape[1]):
        server, node = state.servers[i, m], exogenous.nodes[i, m]
        occupied = server["remaining"] / params.max_delay
        out[offsets[AT.busy] + m] = occupied if server["working"] else 1.0
        out[offsets[AT.compute] + 2 * m] = node["joules"]
        out[offsets[AT.compute] + 2 * m + 1] = node["seconds"]
        out[offsets[AT.completed] + m] = 1.0 if server["completed"] else 0.0
        out[offsets[AT.drift] + m] = min(server["drift"], DRIFT_BOUND)


@device
def write_mask(params: Params, state: State, exogenous: Exogenous, i: int, out: Flags) -> None:
    """Write the flat action mask of sub-environment i, (U·D·(M + 1 + S),).

    While no subcarrier is free only the in-situ server and none are possible; the subcarrier,
    which neither uses, is then left open, so that every categorical has a choice.
    """
    M = state.servers.shape[1]
    S = state.subcarrier_remaining.shape[1]
    taken = 0
    for s in range(S):
        taken += state.subcarrier_remaining[i, s] > 0
    some_free = taken < S
    for pick in range(params.num_tasks * params.max_experts):
        start = pick * (M + 1 + S)
        task = exogenous.tasks[i, pick // params.max_experts]
        origin, arrived = task["origin"], task["type"] != NOBODY
        for m in range(M):
            out[start + m] = arrived & is_idle(state, i, m) & (some_free | (m == origin))
        out[start + M] = True
        for s in range(S):
            out[start + M + 1 + s] = (state.subcarrier_remaining[i, s] == 0) | (not some_free)


@lean_kernel
def write_masks(params: Params, state: State, exogenous: Exogenous, out: Flags) -> None:
    """Write all flat action masks, (n, U·D·(M + 1 + S))."""
    for i in range(out.shape[0]):
        write_mask(params, state, exogenous, i, out[i])
