"""The arrays that the offloading dynamics read and write; n sub-environments lead every shape."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.core.kernels import inlined
from mec_moe_env.offloading.config import OffloadingConfig
from mec_moe_env.tasks.stream import Floats, Judge

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Physics(NamedTuple):
    """What never changes: the constants of the scenario and how models are judged."""

    num_tasks: int
    max_experts: int
    samples_per_task: int
    horizon: int
    max_delay: int
    slot_seconds: float
    bandwidth_hz: float
    power_w: float
    proximal: float
    error_weight: float
    energy_weight: float
    delay_weight: float
    quadratic: Floats
    """A of each type, (N, d, d) or (N, 0, 0) for the identity."""
    heldout_features: Floats
    """(N, H, d)."""
    heldout_labels: Floats
    """(N, H)."""


class State(NamedTuple):
    """What the scheduler's actions change."""

    time: Integers
    """Slots since the start of the episode, (n,)."""
    model: Floats
    """w of every server, (n, M, d)."""
    remaining: Integers
    """Slots until a server's training ends, 0 when idle, (n, M)."""
    working: Flags
    """False while a server has failed, (n, M)."""
    subcarrier_remaining: Integers
    """Slots until a subcarrier is free, (n, S)."""
    completed: Flags
    """Trainings that ended in the slot before, (n, M)."""
    drift: Floats
    """‖Δw‖ of the last completed training, (n, M)."""
    learned_weight: Floats
    """Share of tasks learned, by type, (n, M, N); a task of e experts counts 1/e at each."""
    learned_linear: Floats
    """Σ share·b over the tasks learned, (n, M, d)."""
    learned_constant: Floats
    """Σ share·c, (n, M)."""
    learned_error: Floats
    """Σ share·error of the tasks learned under the model of now, (n, M)."""
    learned_hits: Floats
    """Σ share·held-out accuracy likewise, (n, M)."""
    pending_model: Floats
    """The model after the training under way, (n, M, d)."""
    pending_type: Integers
    """Type of the task in training, (n, M)."""
    pending_weight: Floats
    """Share of the task in training, 0 when idle, (n, M)."""
    pending_linear: Floats
    """b of the task in training, (n, M, d)."""
    pending_constant: Floats
    """c of the task in training, (n, M)."""
    pending_error: Floats
    """share·error of the task in training under the model of now, (n, M)."""
    pending_hits: Floats
    """share·accuracy likewise, (n, M)."""
    unserved_error: Floats
    """Σ error of the zero model over tasks rejected or lost, (n,)."""
    unserved_weight: Floats
    """Share of tasks rejected or lost, (n,)."""
    error_when_learned: Floats
    """Σ share·error just after learning, (n,)."""
    total_error: Floats
    """E_t, the summed error of all tasks so far, (n,)."""


class World(NamedTuple):
    """What happens whatever the scheduler does, in two blocks of slots, B in all."""

    cursor: Integers
    """Position of the present slot in the two blocks, (n,)."""
    compute: Floats
    """Joules and seconds per sample of every server, (n, M, 2); fixed over an episode."""
    types: Integers
    """(n, B, U)."""
    features: Floats
    """Xᵀ, (n, B, U, k, d)."""
    labels: Floats
    """y, (n, B, U, k)."""
    linear: Floats
    """b, (n, B, U, d)."""
    constant: Floats
    """c, (n, B, U)."""
    payload: Floats
    """Mbit, (n, B, U)."""
    origin: Integers
    """Server where the task arrived, (n, B, U)."""
    spectral_efficiency: NDArray[np.float32]
    """bit/s/Hz from the origin to every server, (n, B, U, M, S)."""
    works_next: Flags
    """Whether a server works at the start of the slot after, (n, B, M)."""


def make_physics(config: OffloadingConfig, judge: Judge) -> Physics:
    """Collect the constants of a scenario."""
    return Physics(
        num_tasks=config.num_tasks,
        max_experts=config.max_experts,
        samples_per_task=config.samples_per_task,
        horizon=config.horizon,
        max_delay=config.max_delay,
        slot_seconds=float(config.slot_seconds),
        bandwidth_hz=float(config.bandwidth_hz),
        power_w=float(config.power_w),
        proximal=float(config.proximal),
        error_weight=float(config.error_weight),
        energy_weight=float(config.energy_weight),
        delay_weight=float(config.delay_weight),
        quadratic=judge.quadratic,
        heldout_features=judge.heldout_features,
        heldout_labels=judge.heldout_labels,
    )


def empty_state(config: OffloadingConfig, num_envs: int) -> State:
    """Allocate the state of `num_envs` sub-environments, every server idle and untrained."""
    n, M, S = num_envs, config.num_servers, config.num_subcarriers
    N, d = config.num_types, config.feature_dim
    return State(
        time=np.zeros(n, np.int64),
        model=np.zeros((n, M, d)),
        remaining=np.zeros((n, M), np.int64),
        working=np.ones((n, M), np.bool_),
        subcarrier_remaining=np.zeros((n, S), np.int64),
        completed=np.zeros((n, M), np.bool_),
        drift=np.zeros((n, M)),
        learned_weight=np.zeros((n, M, N)),
        learned_linear=np.zeros((n, M, d)),
        learned_constant=np.zeros((n, M)),
        learned_error=np.zeros((n, M)),
        learned_hits=np.zeros((n, M)),
        pending_model=np.zeros((n, M, d)),
        pending_type=np.zeros((n, M), np.int64),
        pending_weight=np.zeros((n, M)),
        pending_linear=np.zeros((n, M, d)),
        pending_constant=np.zeros((n, M)),
        pending_error=np.zeros((n, M)),
        pending_hits=np.zeros((n, M)),
        unserved_error=np.zeros(n),
        unserved_weight=np.zeros(n),
        error_when_learned=np.zeros(n),
        total_error=np.zeros(n),
    )


@inlined
def clear_state(state: State, i: int) -> None:
    """Return sub-environment i to the start of an episode: idle, working, untrained.

    Only what is read before it is written anew: a training writes all that is pending.
    """
    state.time[i] = 0
    state.unserved_error[i] = 0.0
    state.unserved_weight[i] = 0.0
    state.error_when_learned[i] = 0.0
    state.total_error[i] = 0.0
    for s in range(state.subcarrier_remaining.shape[1]):
        state.subcarrier_remaining[i, s] = 0
    for m in range(state.remaining.shape[1]):
        state.remaining[i, m] = 0
        state.working[i, m] = True
        state.completed[i, m] = False
        state.drift[i, m] = 0.0
        state.learned_constant[i, m] = 0.0
        state.learned_error[i, m] = 0.0
        state.learned_hits[i, m] = 0.0
        state.pending_weight[i, m] = 0.0
        state.pending_error[i, m] = 0.0
        state.pending_hits[i, m] = 0.0
        for f in range(state.model.shape[2]):
            state.model[i, m, f] = 0.0
            state.learned_linear[i, m, f] = 0.0
        for n in range(state.learned_weight.shape[2]):
            state.learned_weight[i, m, n] = 0.0


def empty_world(config: OffloadingConfig, num_envs: int, block: int) -> World:
    """Allocate room for two blocks of `block` slots of `num_envs` sub-environments."""
    U, M, S = config.num_tasks, config.num_servers, config.num_subcarriers
    d, k = config.feature_dim, config.samples_per_task
    slots = (num_envs, 2 * block)
    return World(
        cursor=np.zeros(num_envs, np.int64),
        compute=np.zeros((num_envs, M, 2)),
        types=np.zeros((*slots, U), np.int64),
        features=np.zeros((*slots, U, k, d)),
        labels=np.zeros((*slots, U, k)),
        linear=np.zeros((*slots, U, d)),
        constant=np.zeros((*slots, U)),
        payload=np.zeros((*slots, U)),
        origin=np.zeros((*slots, U), np.int64),
        spectral_efficiency=np.zeros((*slots, U, M, S), np.float32),
        works_next=np.zeros((*slots, M), np.bool_),
    )
