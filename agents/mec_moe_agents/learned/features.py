"""What the network sees of one decision: a task's context, then one block for each server."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.learned.memory import Memory
from mec_moe_agents.learned.recognition import cosine
from mec_moe_env import OffloadingConfig, Slot
from mec_moe_env.core.kernels import lean
from mec_moe_env.radio.links import BITS_PER_MBIT, slots_needed, transmission_seconds

VERSION = 3
"""Of the features: weights of another version do not fit."""
CONTEXT = 20
"""Features of the task and of the system."""
SERVER = 24
"""Features of each server."""
AVAILABLE = 0
"""Position in a server's block of the flag whether it can take the task."""
UNTRAINED, OWN, FOREIGN = 9, 10, 11
"""Positions of the flags of what the server has learned, seen from the task; one of them is 1."""
FAR = 1.2
"""Stands for the delay (in d_u) where no server of the own kind can take the task."""


class Scales(NamedTuple):
    """Constants of the scenario that turn observations into numbers of order one."""

    types: int
    horizon: int
    max_delay: int
    slot_seconds: float
    bandwidth_hz: float
    power_w: float
    samples: int
    lowest_efficiency: float
    energy_weight: float
    delay_weight: float
    rejection: float
    """What a rejection is expected to cost, in units of reward."""
    worth: float
    """Expected ‖w‖² of a kind, 1 where it means nothing."""


def scales_of(config: OffloadingConfig) -> Scales:
    """Collect the constants. With real data a rejection costs 1, the squared label."""
    synthetic = config.tasks == "synthetic"
    worth = float(config.feature_dim * config.truth_scale**2) if synthetic else 1.0
    return Scales(
        types=config.num_types,
        horizon=config.horizon,
        max_delay=config.max_delay,
        slot_seconds=float(config.slot_seconds),
        bandwidth_hz=float(config.bandwidth_hz),
        power_w=float(config.power_w),
        samples=config.samples_per_task,
        lowest_efficiency=float(config.min_spectral_efficiency),
        energy_weight=float(config.energy_weight),
        delay_weight=float(config.delay_weight),
        rejection=max(float(config.error_weight) * worth, 1e-9),
        worth=worth,
    )


def width(config: OffloadingConfig) -> int:
    """Return the number of features of a decision, `CONTEXT` + M·`SERVER`."""
    return CONTEXT + config.num_servers * SERVER


def choice_masks(features: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which choices are possible, (n, M + 1), from features (n, width): M is none."""
    blocks = features[:, CONTEXT:].reshape(len(features), -1, SERVER)
    out = np.ones((len(features), blocks.shape[1] + 1), np.bool_)
    out[:, :-1] = blocks[:, :, AVAILABLE] > 0
    return out


@lean
def few(count: float) -> float:
    """Squash a count: 0, 1/3, 1/2, 3/5 … 1."""
    return count / (count + 2.0)


@lean
def find_links(memory: Memory, slot: Slot, i: int, u: int) -> bool:
    """Find the best free subcarrier to every server; return whether any is free."""
    M, S = slot.spectral_efficiency.shape[2:]
    some_free = False
    for m in range(M):
        best = np.float32(-1.0)
        for s in range(S):
            if slot.subcarrier_busy[i, s] == 0.0 and not memory.used[i, s]:
                some_free = True
                if slot.spectral_efficiency[i, u, m, s] > best:
                    best = slot.spectral_efficiency[i, u, m, s]
                    memory.best_subcarrier[i, m] = s
    return some_free


@lean
def write_costs(
    memory: Memory,
    slot: Slot,
    scales: Scales,
    i: int,
    u: int,
    some_free: bool,
    block: NDArray[np.float32],
) -> None:
    """Write availability, delay and price of every server, and note its delay."""
    memory.tasks_seen[i] += 1
    for m in range(block.shape[0]):
        local = slot.origin[i, u, m] > 0.0
        efficiency = float(scales.lowest_efficiency)
        if some_free:
            efficiency = float(slot.spectral_efficiency[i, u, m, memory.best_subcarrier[i, m]])
        sending = 0.0
        if not local:
            bits = BITS_PER_MBIT * slot.payload[i, u]
            sending = transmission_seconds(bits, scales.bandwidth_hz, efficiency)
        computing = scales.samples * slot.compute[i, m, 1]
        seconds = sending + computing
        joules = scales.power_w * sending + scales.samples * slot.compute[i, m, 0]
        delay = float(slots_needed(seconds, scales.slot_seconds, scales.max_delay))
        price = scales.energy_weight * joules + scales.delay_weight * delay
        idle = slot.busy[i, m] == 0.0 and not memory.taken[i, m]
        memory.delay_sum[i, m] += delay
        typical = memory.delay_sum[i, m] / memory.tasks_seen[i]
        out = block[m]
        out[AVAILABLE] = 1.0 if idle and (local or some_free) else 0.0
        out[1] = delay / scales.max_delay
        out[2] = min(8.0 * price / scales.rejection, 4.0)
        out[3] = typical / scales.max_delay
        out[4] = (delay - typical) / scales.max_delay
        out[5] = 1.0 if memory.taken[i, m] else slot.busy[i, m]
        out[6] = 1.0 if local else 0.0
        out[7] = min(computing / scales.slot_seconds / scales.max_delay, 4.0)
        out[8] = min(0.5 * seconds / scales.slot_seconds / scales.max_delay, 2.0)


@lean
def worth_of(memory: Memory, scales: Scales, i: int, kind: int) -> float:
    """Return what is believed of ‖w‖² of a kind, in units of what is expected of any."""
    if memory.kind_trainings[i, kind] == 0:
        return 1.0
    return float(min(memory.kind_worth[i, kind] / scales.worth, 4.0))


@lean
def write_prospect(
    memory: Memory, scales: Scales, i: int, kind: int, main: int, out: NDArray[np.float32]
) -> None:
    """Write what a task's error will be at a server of kind `main`, less that of a rejection.

    Ground truths are independent: what is expected of ‖w_a − w_b‖² is ‖w_a‖² + ‖w_b‖².
    """
    out[22] = -worth_of(memory, scales, i, kind)
    out[23] = 0.0
    if main < 0 or main == kind:
        return
    count = memory.distance_count[i, kind, main]
    if count == 0:
        out[22] = worth_of(memory, scales, i, main)
        return
    distance = memory.distance_sum[i, kind, main] / count / scales.worth
    out[22] = max(min(distance - worth_of(memory, scales, i, kind), 4.0), -4.0)
    out[23] = few(2.0 * count)


@lean
def write_server(
    memory: Memory, slot: Slot, scales: Scales, i: int, u: int, m: int, out: NDArray[np.float32]
) -> None:
    """Write what is remembered of server m, from the point of view of task u."""
    kind = memory.task_kind[i, u]
    main = memory.server_kind[i, m]
    write_prospect(memory, scales, i, kind, main, out)
    total = 0
    for n in range(memory.kind_count.shape[1]):
        total += memory.server_count[i, m, n]
    own = main == kind
    out[UNTRAINED] = 1.0 if main < 0 else 0.0
    out[OWN] = 1.0 if own else 0.0
    out[FOREIGN] = 1.0 if main >= 0 and not own else 0.0
    similarity = 0.0
    if main >= 0:
        similarity = cosine(memory.server_sum[i, m], slot.task[i, u])
    out[12] = similarity
    out[13] = math.log1p(total) / 4.0
    out[14] = memory.server_count[i, m, kind] / max(total, 1)
    out[15] = 1.0 if memory.last_kind[i, m] == kind else 0.0
    out[16] = 0.0
    out[17] = 0.0
    out[18] = 0.0
    out[19] = 0.0
    out[20] = min(slot.drift[i, m] / math.sqrt(scales.worth), 3.0)
    out[21] = 0.0
    if main < 0:
        return
    out[16] = worth_of(memory, scales, i, main)
    peers = 0
    idle_peers = 0
    for other in range(memory.taken.shape[1]):
        if other != m and memory.server_kind[i, other] == main:
            peers += 1
            if slot.busy[i, other] == 0.0 and not memory.taken[i, other]:
                idle_peers += 1
    out[17] = few(peers)
    out[18] = few(idle_peers)
    waiting = 0
    for later in range(u + 1, slot.task.shape[1]):
        if memory.task_kind[i, later] == main:
            waiting += 1
    out[19] = few(waiting)
    out[21] = math.log1p(memory.server_count[i, m, main]) / 4.0


@lean
def kinds_without_server(memory: Memory, types: int, i: int) -> int:
    """Return how many of `types` kinds, met or not, have no server of their own."""
    missing = types
    for n in range(memory.kind_count.shape[1]):
        for m in range(memory.taken.shape[1]):
            if memory.server_kind[i, m] == n:
                missing -= 1
                break
    return max(missing, 0)


@lean
def write_context(
    memory: Memory,
    slot: Slot,
    scales: Scales,
    i: int,
    u: int,
    block: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Write the context of task u from the servers' features, `block` (M, SERVER)."""
    M, U = block.shape[0], slot.task.shape[1]
    N = scales.types
    kind = memory.task_kind[i, u]
    idle = 0
    untrained = 0
    own = 0
    own_idle = 0
    nearest = FAR
    cheapest_new = 4.0
    most_alike = 0.0
    for m in range(M):
        available = block[m, AVAILABLE] > 0.0
        idle += 1 if block[m, 5] == 0.0 else 0
        if memory.server_kind[i, m] < 0:
            untrained += 1
            if available:
                cheapest_new = min(cheapest_new, block[m, 2])
        elif memory.server_kind[i, m] == kind:
            own += 1
            if available:
                own_idle += 1
                nearest = min(nearest, block[m, 1])
        if available:
            most_alike = max(most_alike, block[m, 12])
    missing = kinds_without_server(memory, scales.types, i)
    arrived = 0
    for n in range(memory.kind_count.shape[1]):
        arrived += memory.kind_count[i, n]
    free = 0
    for s in range(memory.used.shape[1]):
        free += 1 if slot.subcarrier_busy[i, s] == 0.0 and not memory.used[i, s] else 0
    waiting = 0
    for later in range(u + 1, U):
        waiting += 1 if memory.task_kind[i, later] == kind else 0
    left = scales.horizon * (1.0 - slot.progress[i, 0])
    out[0] = slot.progress[i, 0]
    out[1] = min(left / (4.0 * scales.max_delay), 1.0)
    out[2] = idle / M
    out[3] = few(untrained)
    out[4] = few(missing)
    out[5] = (untrained - missing) / M
    out[6] = 1.0 if memory.task_is_novel[i, u] else 0.0
    out[7] = few(own)
    out[8] = few(own_idle)
    out[9] = worth_of(memory, scales, i, kind)
    out[10] = few(memory.kind_trainings[i, kind])
    out[11] = min(slot.payload[i, u], np.float32(4.0))
    out[12] = free / memory.used.shape[1]
    out[13] = (U - 1 - u) / U
    out[14] = few(waiting)
    out[15] = min(N * memory.kind_count[i, kind] / arrived, 4.0) - 1.0
    out[16] = most_alike
    out[17] = nearest
    out[18] = cheapest_new
    out[19] = min(own / M * N / 2.0, 4.0) - 0.5


@lean
def write_features(
    memory: Memory,
    slot: Slot,
    scales: Scales,
    u: int,
    out: NDArray[np.float32],
) -> None:
    """Write the features of task u's decision, (n, CONTEXT + M·SERVER), once per task and slot."""
    M = memory.taken.shape[1]
    for i in range(out.shape[0]):
        block = out[i, CONTEXT:].reshape(M, SERVER)
        some_free = find_links(memory, slot, i, u)
        write_costs(memory, slot, scales, i, u, some_free, block)
        for m in range(M):
            write_server(memory, slot, scales, i, u, m, block[m])
        write_context(memory, slot, scales, i, u, block, out[i, :CONTEXT])
