"""What an agent sees before a layer, and which picks are possible."""

from __future__ import annotations

from mec_moe_env.core.kernels import inlined, lean
from mec_moe_env.dmoe.state import Flags, Physics, Singles, State, World


@inlined
def observe(physics: Physics, state: State, world: World, i: int, out: Singles) -> None:
    """Write the observation of sub-environment i, entry after entry as the space has them.

    After the last layer no gate is left.
    """
    layer, b = state.layer[i], world.cursor[i]
    L, I, Q, K = world.gates.shape[1:]
    scores = world.gates[i, min(layer, L - 1)].reshape(I * Q * K)
    for index in range(I * Q * K):
        out[index] = scores[index] if layer < L else 0.0
    rest = out[I * Q * K :]
    shown_slot = (b - physics.csi_delay) % world.available.shape[1]
    size = I * K * world.spectral_efficiency.shape[4]
    seen = world.spectral_efficiency[i, shown_slot].reshape(size)
    for index in range(size):
        rest[index] = seen[index]
    rest = rest[size:]
    for j in range(K):
        rest[j] = world.compute_energy[i, j]
        rest[K + j] = 1.0 if world.available[i, b, j] else 0.0
    for other in range(L):
        rest[2 * K + other] = 1.0 if other == layer else 0.0
    rest[2 * K + L] = physics.importance[layer] if layer < L else 0.0


@inlined
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


@lean
def write_masks(physics: Physics, state: State, world: World, out: Flags) -> None:
    """Write all flat action masks, (n, I·Q·D·(K + 1) + I·K·S)."""
    for i in range(out.shape[0]):
        write_mask(physics, state, world, i, out[i])
