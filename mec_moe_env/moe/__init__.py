"""A real mixture-of-experts classifier whose experts an outside scheduler chooses, and traces."""

from mec_moe_env.moe.model import (
    EPSILON,
    apply_experts,
    classify,
    cross_entropy,
    embed,
    gate_scores,
)
from mec_moe_env.moe.trace import GateTrace, load_gate_trace, save_gate_trace
from mec_moe_env.moe.weights import MoEWeights, load_digits_moe, load_moe, save_moe

__all__ = [
    "EPSILON",
    "GateTrace",
    "MoEWeights",
    "apply_experts",
    "classify",
    "cross_entropy",
    "embed",
    "gate_scores",
    "load_digits_moe",
    "load_gate_trace",
    "load_moe",
    "save_gate_trace",
    "save_moe",
]
