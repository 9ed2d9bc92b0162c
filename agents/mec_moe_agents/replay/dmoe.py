"""What a replay keeps of a layer of DMoE."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.replay.columns import quantize
from mec_moe_agents.replay.episode import Frame, Row
from mec_moe_env import DMoEConfig
from mec_moe_env.rendering.scene import DMoEScene, LayerDecision

DECISION = ("chosen", "subcarrier")
"""Columns in which two agents decide differently."""
UNUSED = -1
GATE_LEVELS = 65535
CHANNEL_LEVELS = 255

LayerFrame = Frame[DMoEScene]


def fixed_columns(frame: LayerFrame) -> Row:
    """Return what does not change over the episode: joules of each node per token."""
    return {"compute_joules": frame.before.compute_joules}


def row_of(frame: LayerFrame, config: DMoEConfig, *, with_channel: bool) -> Row:
    """Return what is kept of a layer: nodes and gates, and what came of the action."""
    decision = frame.after.decision
    assert decision is not None
    row: Row = {
        "available": decision.available,
        "gate": quantize(decision.gate, 1.0, GATE_LEVELS),
        "asked": decision.asked,
        "chosen": decision.chosen,
        "threshold": decision.threshold,
        "wanted": decision.wanted,
        "relevance_of": decision.relevance,
        "short": decision.violated,
    }
    row |= _links(decision, config)
    if with_channel:
        efficiency = frame.seen["spectral_efficiency"]
        row["channel"] = quantize(efficiency, config.max_spectral_efficiency, CHANNEL_LEVELS)
    return row


def _links(decision: LayerDecision, config: DMoEConfig) -> Row:
    """Return what became of each link, (I, K), and who holds each subcarrier, (S,)."""
    shape = config.link_shape
    row: dict[str, NDArray[Any]] = {
        "subcarrier": np.full(shape, UNUSED),
        "states": np.zeros(shape, np.int64),
        "delivered": np.zeros(shape, np.bool_),
        "link_joules": np.zeros(shape),
        "holder": np.full(config.num_subcarriers, UNUSED),
    }
    for link in decision.links:
        where = link.source, link.node
        row["subcarrier"][where], row["states"][where] = link.subcarrier, link.states
        row["delivered"][where], row["link_joules"][where] = link.delivered, link.joules
        if link.delivered or link.late:
            row["holder"][link.subcarrier] = link.source * config.num_nodes + link.node
    return {**row}
