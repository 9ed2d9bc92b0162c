"""From selected experts to subcarriers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.dmoe.layer import Floats, Layer, Plan
from mec_moe_agents.solvers import allocate_subcarriers
from mec_moe_env import DMoEConfig

Flags = NDArray[np.bool_]


def remote_links(config: DMoEConfig) -> Flags:
    """Return which links cross the air, (I, K): all but those of a source to its own node."""
    return ~np.eye(*config.link_shape, dtype=np.bool_)


def send_joules(layer: Layer, config: DMoEConfig) -> Floats:
    """Return joules per hidden state over each link's best subcarrier, 0 in-situ, (n, I, K)."""
    joules = config.power_w * config.state_bits / layer.rate.max(axis=-1)
    return np.where(remote_links(config), joules, 0.0)


def keep_servable(selected: Flags, layer: Layer, config: DMoEConfig) -> Flags:
    """Close links until there is a subcarrier for each; returns the selection that is left.

    The links that carry the most relevance stay (our extension). Rows with enough subcarriers
    keep what they have.
    """
    carried = np.where(selected, layer.gate, 0.0).sum(axis=2)
    used = selected.any(axis=2) & remote_links(config)
    order = np.where(used, -carried, np.inf).reshape(len(used), -1).argsort(axis=1, kind="stable")
    rank = order.argsort(axis=1, kind="stable").reshape(used.shape)
    closed = used & (rank >= config.num_subcarriers)
    return selected & ~closed[:, :, np.newaxis]


def assign_exactly(selected: Flags, layer: Layer, config: DMoEConfig) -> Plan:
    """Give every used link its own subcarrier at the least total energy (Qin et al. 2025).

    Where more links are in use than there are subcarriers, `keep_servable` closes some.
    """
    selected = keep_servable(selected, layer, config)
    bits = config.state_bits * selected.sum(axis=2) * remote_links(config)
    n, S = layer.batch, config.num_subcarriers
    found = allocate_subcarriers(
        bits.reshape(n, -1), layer.rate.reshape(n, -1, S), config.power_w
    ).subcarrier
    return Plan(selected, found.reshape(bits.shape))
