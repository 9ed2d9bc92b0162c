"""What an agent sees before a layer, and which picks are possible."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from mec_moe_env.compilation import compiled
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


def empty_observation(config: DMoEConfig, num_envs: int) -> Observation:
    """Allocate a batch of observations."""
    shapes = config.observation_shapes
    return Observation(
        **{key: np.empty((num_envs, math.prod(shapes[key])), np.float32) for key in shapes}
    )


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


@compiled
def observe(physics: Physics, state: State, world: World, i: int, out: Observation) -> None:
    """Write the observation of sub-environment i; after the last layer no gate is left."""
    layer, b = state.layer[i], world.cursor[i]
    L, K = world.gates.shape[1], world.compute_energy.shape[1]
    if layer < L:
        out.gate[i] = world.gates[i, layer].reshape(out.gate.shape[1])
        out.importance[i, 0] = physics.importance[layer]
    else:
        out.gate[i] = 0.0
        out.importance[i, 0] = 0.0
    seen = world.spectral_efficiency[i, b - physics.csi_delay]
    out.spectral_efficiency[i] = seen.reshape(out.spectral_efficiency.shape[1])
    for j in range(K):
        out.compute_energy[i, j] = world.compute_energy[i, j]
        out.available[i, j] = 1.0 if world.available[i, b, j] else 0.0
    for other in range(L):
        out.layer[i, other] = 1.0 if other == layer else 0.0


@compiled
def write_mask(physics: Physics, state: State, world: World, i: int, out: Flags) -> None:
    """Write the flat action mask of sub-environment i, (I·Q·D·(K + 1) + I·K·S,)."""
    b = world.cursor[i]
    I, Q, K = world.gates.shape[2:]
    picks = I * Q * physics.max_experts
    for pick in range(picks):
        for j in range(K):
            out[pick * (K + 1) + j] = world.available[i, b, j]
        out[pick * (K + 1) + K] = True
    out[picks * (K + 1) :] = True
