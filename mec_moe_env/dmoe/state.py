"""The arrays that the DMoE dynamics read and write; n sub-environments lead every shape."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.dmoe.config import DMoEConfig
from mec_moe_env.tasks.stream import Floats

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Singles = NDArray[np.float32]


class Physics(NamedTuple):
    """What never changes: the constants of the scenario."""

    max_experts: int
    csi_delay: int
    state_bits: float
    bandwidth_hz: float
    power_w: float
    deadline_seconds: float
    error_weight: float
    energy_weight: float
    thresholds: Floats
    """z·γ^(l) of every layer, (L,)."""
    importance: Floats
    """γ^(l) of every layer, (L,)."""


class State(NamedTuple):
    """What the scheduler's actions change."""

    layer: Integers
    """Layers done, (n,)."""
    hidden: Floats
    """Hidden state of every token of a real model, (n, I·Q, h); h = 0 without one."""
    labels: Integers
    """True class of every token, (n, I·Q)."""


class World(NamedTuple):
    """What happens whatever the scheduler does (with a real model, gates follow its states)."""

    cursor: Integers
    """Position of the present slot in the two blocks, (n,)."""
    compute_energy: Floats
    """Joules per token at every node, (n, K); fixed over an episode."""
    gates: Floats
    """Gate scores of every layer, (n, L, I, Q, K)."""
    spectral_efficiency: Singles
    """bit/s/Hz from every source to every node, (n, B, I, K, S)."""
    return_efficiency: Singles
    """bit/s/Hz back from the node to the source, (n, B, I, K, S); S = 0 when not counted."""
    available: Flags
    """Whether a node's expert can be used, (n, B, K)."""


def make_physics(config: DMoEConfig) -> Physics:
    """Collect the constants of a scenario."""
    importance = np.array(config.layer_importance, np.float64)
    return Physics(
        max_experts=config.max_experts,
        csi_delay=config.csi_delay,
        state_bits=float(config.state_bits),
        bandwidth_hz=float(config.bandwidth_hz),
        power_w=float(config.power_w),
        deadline_seconds=float(config.deadline_seconds),
        error_weight=float(config.error_weight),
        energy_weight=float(config.energy_weight),
        thresholds=config.qos * importance,
        importance=importance,
    )


def empty_state(config: DMoEConfig, num_envs: int, hidden_dim: int) -> State:
    """Allocate the state of `num_envs` sub-environments."""
    tokens = config.sources * config.tokens_per_source
    return State(
        layer=np.zeros(num_envs, np.int64),
        hidden=np.zeros((num_envs, tokens, hidden_dim)),
        labels=np.zeros((num_envs, tokens), np.int64),
    )


def empty_world(config: DMoEConfig, num_envs: int, block: int) -> World:
    """Allocate room for two blocks of `block` slots of `num_envs` sub-environments."""
    I, Q, K, S = (
        config.sources,
        config.tokens_per_source,
        config.num_nodes,
        config.num_subcarriers,
    )
    back = S if config.count_backward else 0
    return World(
        cursor=np.zeros(num_envs, np.int64),
        compute_energy=np.zeros((num_envs, K)),
        gates=np.zeros((num_envs, config.num_layers, I, Q, K)),
        spectral_efficiency=np.zeros((num_envs, 2 * block, I, K, S), np.float32),
        return_efficiency=np.zeros((num_envs, 2 * block, I, K, back), np.float32),
        available=np.zeros((num_envs, 2 * block, K), np.bool_),
    )
