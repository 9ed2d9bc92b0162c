"""What an agent sees before a layer, and which picks are possible."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mec_moe_env.compilation import lean
from mec_moe_env.dmoe.state import Flags, Physics, Singles, State, World
from mec_moe_env.scenarios import DMoEConfig


class Observation(NamedTuple):
    """The flat entries of a batch of observations, in the order of the observation space."""

    gate: Singles
    spectral_efficiency: Singles
    compute_energy: Singles
    available: Singles
    layer: Singles
    importance: Singles


def observation_bounds(config: DMoEConfig) -> Mapping[str, tuple[float, float]]:
    """Return (low, high) of every entry."""
    unit = (0.0, 1.0)
    return {
        "gate": unit,
        "spectral_efficiency": (0.0, config.max_spectral_efficiency),
        "compute_energy": (0.0, max(config.compute_joules[1], 1.0)),
        "available": unit,
        "layer": unit,
        "importance": unit,
    }


@lean
def observe(physics: Physics, state: State, world: World, i: int, out: Observation) -> None:
    """Write the observation of sub-environment i; after the last layer no gate is left."""
    layer, b = state.layer[i], world.cursor[i]
    L, K = world.gates.shape[1], world.compute_energy.shape[1]
    if layer < L:
        scores = world.gates[i, layer].reshape(out.gate.shape[1])
        for index in range(out.gate.shape[1]):
            out.gate[i, index] = scores[index]
        out.importance[i, 0] = physics.importance[layer]
    else:
        for index in range(out.gate.shape[1]):
            out.gate[i, index] = 0.0
        out.importance[i, 0] = 0.0
    size = out.spectral_efficiency.shape[1]
    shown_slot = (b - physics.csi_delay) % world.available.shape[1]
    seen = world.spectral_efficiency[i, shown_slot].reshape(size)
    shown = out.spectral_efficiency[i]
    for index in range(size):
        shown[index] = seen[index]
    for j in range(K):
        out.compute_energy[i, j] = world.compute_energy[i, j]
        out.available[i, j] = 1.0 if world.available[i, b, j] else 0.0
    for other in range(L):
        out.layer[i, other] = 1.0 if other == layer else 0.0


@lean
def write_mask(physics: Physics, state: State, world: World, i: int, out: Flags) -> None:
    """Write the flat action mask of sub-environment i, (I·Q·D·(K + 1) + I·K·S,)."""
    available = world.available[i, world.cursor[i]]
    I, Q, K = world.gates.shape[2:]
    picks = I * Q * physics.max_experts
    for pick in range(picks):
        choices = out[pick * (K + 1) : (pick + 1) * (K + 1)]
        for j in range(K):
            choices[j] = available[j]
        choices[K] = True
    links = out[picks * (K + 1) :]
    for index in range(links.shape[0]):
        links[index] = True
