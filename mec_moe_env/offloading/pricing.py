"""What a pick costs and whether it can be made: the one place for both, compiled."""

from __future__ import annotations

from mec_moe_env.core.kernels import inline
from mec_moe_env.offloading.state import Exogenous, Params, State
from mec_moe_env.radio.links import BITS_PER_MBIT, slots_needed, transmission_seconds


@inline
def is_idle(state: State, i: int, m: int) -> bool:
    """Return whether server m works and trains nothing."""
    idle: bool = state.servers[i, m]["working"] and state.servers[i, m]["remaining"] == 0
    return idle


@inline
def sending_seconds(params: Params, exogenous: Exogenous, i: int, u: int, m: int, s: int) -> float:
    """Return how long task u is on the air for server m over subcarrier s; not at all in-situ.

    Its data go there, and its result comes back to the origin's base station over the same link,
    which is taken for as many slots as both need.
    """
    seconds = 0.0
    if m != exogenous.tasks[i, u]["origin"]:
        seconds = transmission_seconds(
            BITS_PER_MBIT * (exogenous.tasks[i, u]["payload"] + params.result_mbit),
            params.bandwidth_hz,
            exogenous.spectral_efficiency[i, u, m, s],
        )
    return seconds


@inline
def training_seconds(params: Params, exogenous: Exogenous, i: int, m: int) -> float:
    """Return how long server m computes on a task."""
    seconds: float = params.samples_per_task * exogenous.nodes[i, m]["seconds"]
    return seconds


@inline
def pick_joules(params: Params, exogenous: Exogenous, i: int, m: int, sending: float) -> float:
    """Return the joules of sending for so many seconds, then training at server m."""
    training: float = params.samples_per_task * exogenous.nodes[i, m]["joules"]
    return params.power_w * sending + training


@inline
def pick_slots(params: Params, seconds: float) -> int:
    """Return how many slots so many seconds keep a server or a subcarrier busy."""
    return slots_needed(seconds, params.slot_seconds, params.max_delay)
