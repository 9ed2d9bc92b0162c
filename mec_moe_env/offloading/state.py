"""The arrays that the offloading dynamics read and write; n sub-environments lead every shape.

What has a fixed number of fields (an episode, a server, a task) is a structured array: a kernel
takes one array instead of a dozen, and what belongs together lies together.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mec_moe_env.core.buffers import Floats, Integers, Records, Singles
from mec_moe_env.core.kernels import device
from mec_moe_env.core.rng import Streams
from mec_moe_env.offloading.config import OffloadingConfig
from mec_moe_env.perceptron import Network, count_parameters, draw_network, make_network
from mec_moe_env.tasks.stream import Evaluator


class Params(NamedTuple):
    """What never changes: the constants of the scenario and how models are judged."""

    num_tasks: int
    max_experts: int
    samples_per_task: int
    horizon: int
    max_delay: int
    slot_seconds: float
    bandwidth_hz: float
    power_w: float
    result_mbit: float
    proximal: float
    weights: Floats
    """Of the reward's terms, in the order of the table."""
    sum_bound: float
    """Largest |Σ_i X_i| per feature that an observation shows."""
    quadratic: Floats
    """A of each type, (N, d, d) or (N, 0, 0) for the identity."""
    heldout_features: Floats
    """(N, H, d)."""
    heldout_labels: Floats
    """(N, H)."""
    network: Network | None
    """What experts with hidden layers have in common; None where experts are linear."""


EPISODE = np.dtype(
    [
        ("time", np.int64),  # slots since the start
        ("arrived", np.int64),  # tasks in these slots
        ("unserved_error", np.float64),  # Σ error of the zero model over tasks rejected or lost
        ("unserved_weight", np.float64),  # share of tasks rejected or lost
        ("error_when_learned", np.float64),  # Σ share·error just after learning
        ("unserved_rest", np.float64),  # what rounding took from the two sums of errors
        ("when_learned_rest", np.float64),
        ("total_error", np.float64),  # E_t, the summed error of all tasks so far
    ],
    align=True,
)
UNJUDGED = -1.0
"""Instead of an error that nobody has asked for yet."""
SERVER = np.dtype(
    [
        ("remaining", np.int64),  # slots until its training ends, 0 when idle
        ("working", np.bool_),  # False while it has failed
        ("completed", np.bool_),  # whether a training ended in the slot before
        ("drift", np.float64),  # ‖Δw‖ of the last completed training
        # Over the tasks that it has learned, each with its share:
        ("learned_constant", np.float64),  # Σ share·c
        ("constant_rest", np.float64),  # what rounding took from it
        ("learned_error", np.float64),  # Σ share·error under the model of now
        ("learned_hits", np.float64),  # Σ share·held-out accuracy likewise
        # Of the task in training:
        ("pending_type", np.int64),
        ("pending_weight", np.float64),  # its share, 0 when idle
        ("pending_constant", np.float64),  # c
        ("pending_error", np.float64),  # share·error under the model of now
        ("pending_hits", np.float64),  # share·accuracy likewise
    ],
    align=True,
)


class State(NamedTuple):
    """What the scheduler's actions change."""

    episodes: Records
    """`EPISODE`, (n,)."""
    servers: Records
    """`SERVER`, (n, M)."""
    subcarrier_remaining: Integers
    """Slots until a subcarrier is free, (n, S)."""
    model: Floats
    """Parameters of every server, (n, M, P): w, P = d, where experts are linear."""
    pending_model: Floats
    """The same after the training under way, (n, M, P)."""
    initial: Floats
    """The network that all servers of an episode begin with, (n, P); (n, 0) of linear experts."""
    type_error: Floats
    """Held-out loss of the present network on each type, (n, M, N), UNJUDGED until it is wanted;
    (n, M, 0) of linear experts."""
    type_accuracy: Floats
    """Held-out accuracy likewise."""
    learned_linear: Floats
    """Σ share·b over the tasks learned, (n, M, d)."""
    pending_linear: Floats
    """b of the task in training, (n, M, d)."""
    learned_weight: Floats
    """Share of tasks learned, by type, (n, M, N); a task of e experts counts 1/e at each."""
    linear_rest: Floats
    """What rounding took from `learned_linear`, (n, M, d)."""
    weight_rest: Floats
    """What rounding took from `learned_weight`, (n, M, N)."""
    first_slot: Records
    """`EPISODE` as it begins, (1,)."""
    untrained: Records
    """`SERVER` at that time, (1,)."""


NOBODY = -1
"""In place of a type, and of an origin, where fewer than U tasks arrive."""
NODE = np.dtype(
    [
        ("joules", np.float64),  # per sample; fixed over an episode
        ("seconds", np.float64),  # per sample
        ("works_next", np.bool_),  # whether it works at the start of the slot after
        ("link_row", np.int64),  # row of its links in the channel's memory, −1 for none
    ],
    align=True,
)
TASK = np.dtype(
    [
        ("type", np.int64),  # NOBODY where none arrived
        ("origin", np.int64),  # server where it arrived, NOBODY likewise
        ("payload", np.float64),  # Mbit
        ("constant", np.float64),  # c, the error of the zero model
    ],
    align=True,
)


class Exogenous(NamedTuple):
    """The present slot: what happens whatever the scheduler does."""

    nodes: Records
    """`NODE`, (n, M)."""
    tasks: Records
    """`TASK`, (n, U)."""
    features: Floats
    """Xᵀ, (n, U, k, d)."""
    labels: Floats
    """y, (n, U, k)."""
    linear: Floats
    """b, (n, U, d)."""
    spectral_efficiency: Singles
    """bit/s/Hz from the origin to every server, (n, U, M, S)."""


def make_params(config: OffloadingConfig, evaluator: Evaluator, sum_bound: float) -> Params:
    """Collect the constants of a scenario."""
    return Params(
        num_tasks=config.num_tasks,
        max_experts=config.max_experts,
        samples_per_task=config.samples_per_task,
        horizon=config.horizon,
        max_delay=config.max_delay,
        slot_seconds=float(config.slot_seconds),
        bandwidth_hz=float(config.bandwidth_hz),
        power_w=float(config.power_w),
        result_mbit=float(config.result_mbit),
        proximal=float(config.proximal),
        weights=config.reward_weights,
        sum_bound=float(sum_bound),
        quadratic=evaluator.quadratic,
        heldout_features=evaluator.heldout_features,
        heldout_labels=evaluator.heldout_labels,
        network=make_network(config),
    )


def empty_state(config: OffloadingConfig, num_envs: int) -> State:
    """Allocate the state of `num_envs` sub-environments, every server idle and untrained."""
    n, M, d = num_envs, config.num_servers, config.feature_dim
    network = make_network(config)
    P = d if network is None else count_parameters(network)
    judged = (n, M, 0 if network is None else config.num_types)
    untrained = np.zeros(1, SERVER)
    untrained["working"] = True
    return State(
        episodes=np.zeros(n, EPISODE),
        servers=np.tile(untrained, (n, M)),
        subcarrier_remaining=np.zeros((n, config.num_subcarriers), np.int64),
        model=np.zeros((n, M, P)),
        pending_model=np.zeros((n, M, P)),
        initial=np.zeros((n, 0 if network is None else P)),
        type_error=np.full(judged, UNJUDGED),
        type_accuracy=np.zeros(judged),
        learned_linear=np.zeros((n, M, d)),
        pending_linear=np.zeros((n, M, d)),
        learned_weight=np.zeros((n, M, config.num_types)),
        linear_rest=np.zeros((n, M, d)),
        weight_rest=np.zeros((n, M, config.num_types)),
        first_slot=np.zeros(1, EPISODE),
        untrained=untrained,
    )


@device
def clear_state(state: State, i: int) -> None:
    """Return sub-environment i to the start of an episode: idle, working, untrained.

    A training writes the pending vectors before they are read.
    """
    state.episodes[i] = state.first_slot[0]
    for s in range(state.subcarrier_remaining.shape[1]):
        state.subcarrier_remaining[i, s] = 0
    for m in range(state.servers.shape[1]):
        state.servers[i, m] = state.untrained[0]
        for f in range(state.learned_linear.shape[2]):
            state.learned_linear[i, m, f] = 0.0
            state.linear_rest[i, m, f] = 0.0
        for n in range(state.learned_weight.shape[2]):
            state.learned_weight[i, m, n] = 0.0
            state.weight_rest[i, m, n] = 0.0


@device
def clear_models(
    network: Network | None, streams: Streams, state: State, i: int, scratch: Any
) -> None:
    """Give all servers the model with which an episode begins: zero, or the same new network."""
    if network is not None:
        draw_network(streams, network, scratch, state.initial[i])
    for m in range(state.servers.shape[1]):
        for p in range(state.model.shape[2]):
            state.model[i, m, p] = 0.0 if network is None else state.initial[i, p]
        for n in range(state.type_error.shape[2]):
            state.type_error[i, m, n] = UNJUDGED


def empty_exogenous(config: OffloadingConfig, num_envs: int) -> Exogenous:
    """Allocate the present slot of `num_envs` sub-environments."""
    n, U, M, S = num_envs, config.num_tasks, config.num_servers, config.num_subcarriers
    d, k = config.feature_dim, config.samples_per_task
    return Exogenous(
        nodes=np.zeros((n, M), NODE),
        tasks=np.zeros((n, U), TASK),
        features=np.zeros((n, U, k, d)),
        labels=np.zeros((n, U, k)),
        linear=np.zeros((n, U, d)),
        spectral_efficiency=np.zeros((n, U, M, S), np.float32),
    )
