"""The arrays that the DMoE dynamics read and write; n sub-environments lead every shape."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_env.core.buffers import Floats, Integers, Records, Singles
from mec_moe_env.dmoe.config import DMoEConfig


class Params(NamedTuple):
    """What never changes: the constants of the scenario."""

    max_experts: int
    state_bits: float
    bandwidth_hz: float
    power_w: float
    deadline_seconds: float
    most_links: int
    """L, most links in use at once; S where that is less."""
    weights: Floats
    """Of the reward's terms, in the order of the table."""
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


NODE = np.dtype(
    [
        ("joules", np.float64),  # per token; fixed over an episode
        ("available", np.bool_),  # whether its expert can be used in the present slot
        ("works_next", np.bool_),  # and in the slot after
    ],
    align=True,
)


class Exogenous(NamedTuple):
    """The present slot: what happens whatever the scheduler does.

    With a real model the gates of later layers follow its states.
    """

    nodes: Records
    """`NODE`, (n, K)."""
    gates: Floats
    """Gate scores of every layer, (n, L, I, Q, K)."""
    now: Integers
    """Where the present slot stands among those that are kept, (n,)."""
    spectral_efficiency: Singles
    """bit/s/Hz from every source to every node, (n, csi_delay + 1, I, K, S): the present slot and
    those before it, back to the one that the scheduler sees, which comes after `now`."""
    return_efficiency: Singles
    """bit/s/Hz back from the node to the source, (n, I, K, S); S = 0 when not counted."""


def make_params(config: DMoEConfig) -> Params:
    """Collect the constants of a scenario."""
    importance = np.array(config.layer_importance, np.float64)
    return Params(
        max_experts=config.max_experts,
        state_bits=float(config.state_bits),
        bandwidth_hz=float(config.bandwidth_hz),
        power_w=float(config.power_w),
        deadline_seconds=float(config.deadline_seconds),
        most_links=min(config.most_links, config.num_subcarriers),
        weights=config.reward_weights,
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


def empty_exogenous(config: DMoEConfig, num_envs: int) -> Exogenous:
    """Allocate the present slot of `num_envs` sub-environments."""
    n, I, Q = num_envs, config.sources, config.tokens_per_source
    K, S = config.num_nodes, config.num_subcarriers
    back = S if config.count_backward else 0
    return Exogenous(
        nodes=np.zeros((n, K), NODE),
        gates=np.zeros((n, config.num_layers, I, Q, K)),
        now=np.zeros(n, np.int64),
        spectral_efficiency=np.zeros((n, config.csi_delay + 1, I, K, S), np.float32),
        return_efficiency=np.zeros((n, I, K, back), np.float32),
    )
