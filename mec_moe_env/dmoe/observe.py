"""What an agent sees before a layer, and which picks are possible, compiled."""

from __future__ import annotations

from typing import Any

from mec_moe_env.core.buffers import Flags, Integers, Singles
from mec_moe_env.core.kernels import device, lean_kernel
from mec_moe_env.dmoe.state import Exogenous, Params, State
from mec_moe_env.dmoe.table import Layer

AT: Any = Layer._make(range(len(Layer._fields)))
"""Which entry of the table each one is: `offsets[AT.gate]` is where its numbers begin."""


@device
def observe(
    params: Params, state: State, exogenous: Exogenous, offsets: Integers, i: int, out: Singles
) -> None:
    """Write the observation of sub-environment i, (size,); entry e begins at `offsets[e]`.

    The channel seen is the oldest that is kept. After the last layer no gate is left.
    """
    layer = state.layer[i]
    L, I, Q, K = exogenous.gates.shape[1:]
    scores = exogenous.gates[i, min(layer, L - 1)].reshape(I * Q * K)
    gate = out[offsets[AT.gate] :]
    for index in range(I * Q * K):
        gate[index] = scores[index] if layer < L else 0.0
    oldest = (exogenous.now[i] + 1) % exogenous.spectral_efficiency.shape[1]
    size = I * K * exogenous.spectral_efficiency.shape[4]
    seen = exogenous.spectral_efficiency[i, oldest].reshape(size)
    links = out[offsets[AT.spectral_efficiency] :]
    for index in range(size):
        links[index] = seen[index]
    for j in range(K):
        node = exogenous.nodes[i, j]
        out[offsets[AT.compute_energy] + j] = node["joules"]
        out[offsets[AT.available] + j] = 1.0 if node["available"] else 0.0
    for other in range(L):
        out[offsets[AT.layer] + other] = 1.0 if other == layer else 0.0
    out[offsets[AT.importance]] = params.importance[layer] if layer < L else 0.0


@device
def write_mask(params: Params, exogenous: Exogenous, i: int, out: Flags) -> None:
    """Write the flat action mask of sub-environment i, (I·Q·D·(K + 1) + I·K·S,)."""
    I, Q, K = exogenous.gates.shape[2:]
    picks = I * Q * params.max_experts
    for pick in range(picks):
        choices = out[pick * (K + 1) : (pick + 1) * (K + 1)]
        for j in range(K):
            choices[j] = exogenous.nodes[i, j]["available"]
        choices[K] = True
    links = out[picks * (K + 1) :]
    for index in range(links.shape[0]):
        links[index] = True


@lean_kernel
def write_masks(params: Params, exogenous: Exogenous, out: Flags) -> None:
    """Write all flat action masks, (n, I·Q·D·(K + 1) + I·K·S)."""
    for i in range(out.shape[0]):
        write_mask(params, exogenous, i, out[i])
