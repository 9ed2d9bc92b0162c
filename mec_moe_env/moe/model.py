"""One mixture-of-experts layer at a time, experts chosen by an outside scheduler.

A token's hidden state x goes through layer l as

    n = scale_l · x / sqrt(mean(x²) + ε)
    g = softmax(n W_l)                                         the scores a scheduler sees
    x ← x + Σ_{j selected} (g_j / Σ_{selected} g) · (relu(n U_lj + u_lj) V_lj + v_lj)

which is step 6 of the protocol in Qin et al. 2025 (arXiv 2503.13421); the network around it, and
what happens to a token that no expert takes, are our extension: it passes unchanged.

Everything here is compiled and can be called from compiled code. Each token is computed by the
same operations in the same order whatever its batch, so results are equal to the last bit.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.core.kernels import kernel
from mec_moe_env.moe.weights import Floats, MoEWeights

EPSILON = 1e-6

Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]


@kernel
def add_product(vector: Floats, factor: float, matrix: Floats, out: Floats) -> None:
    """Add factor · vᵀA to `out`: vector v (n,), matrix A (n, m), out (m,)."""
    n, m = matrix.shape
    whole = n - n % 4
    # Four rows at a time: `out` is read and written once for four products, summed in order.
    for i in range(0, whole, 4):
        a, b = factor * vector[i], factor * vector[i + 1]
        c, d = factor * vector[i + 2], factor * vector[i + 3]
        for j in range(m):
            out[j] = (
                out[j]
                + a * matrix[i, j]
                + b * matrix[i + 1, j]
                + c * matrix[i + 2, j]
                + d * matrix[i + 3, j]
            )
    for i in range(whole, n):
        a = factor * vector[i]
        for j in range(m):
            out[j] += a * matrix[i, j]


@kernel
def normalise(hidden: Floats, scale: Floats, out: Floats) -> None:
    """Write scale · x / sqrt(mean(x²) + ε) to `out`, all (h,)."""
    total = 0.0
    for i in range(hidden.shape[0]):
        total += hidden[i] * hidden[i]
    factor = 1.0 / math.sqrt(total / hidden.shape[0] + EPSILON)
    for i in range(hidden.shape[0]):
        out[i] = scale[i] * hidden[i] * factor


@kernel
def softmax(values: Floats) -> None:
    """Overwrite `values` by their softmax."""
    largest = values.max()
    total = 0.0
    for j in range(values.shape[0]):
        values[j] = math.exp(values[j] - largest)
        total += values[j]
    for j in range(values.shape[0]):
        values[j] /= total


@kernel
def embed(weights: MoEWeights, images: Floats) -> Floats:
    """Return the hidden states, (tokens, h), in which images, (tokens, P), enter layer 0.

    Raises:
        ValueError: the images have another number of pixels.
    """
    if images.shape[1] != weights.embed_matrix.shape[0]:
        raise ValueError("images must be (tokens, P), P the pixels of the model")
    hidden = np.empty((images.shape[0], weights.embed_bias.shape[0]))
    for token in range(images.shape[0]):
        hidden[token] = weights.embed_bias
        add_product(images[token], 1.0, weights.embed_matrix, hidden[token])
    return hidden


@kernel
def gate_scores(weights: MoEWeights, layer: int, hidden: Floats, out: Floats) -> None:
    """Write the gate's scores to `out`, (tokens, K): not negative, each row sums to 1.

    Args:
        weights: the model.
        layer: counted from 0.
        hidden: (tokens, h), the hidden states on entering the layer.
        out: (tokens, K).

    Raises:
        ValueError: a wrong shape, or no such layer.
    """
    scale, matrix = weights.norm_scale, weights.gate_matrix
    if not 0 <= layer < scale.shape[0]:
        raise ValueError("layer must be in [0, L)")
    if hidden.shape[1] != scale.shape[1] or out.shape != (hidden.shape[0], matrix.shape[2]):
        raise ValueError("hidden must be (tokens, h), out (tokens, K)")
    normed = np.empty(hidden.shape[1])
    for token in range(hidden.shape[0]):
        normalise(hidden[token], scale[layer], normed)
        out[token] = 0.0
        add_product(normed, 1.0, matrix[layer], out[token])
        softmax(out[token])


@kernel
def selected_score(scores: Floats, selected: Bools) -> float:
    """Return Σ g over the selected experts of one token."""
    total = 0.0
    for j in range(scores.shape[0]):
        if selected[j]:
            total += scores[j]
    return total


@kernel
def add_expert(
    weights: MoEWeights,
    layer: int,
    expert: int,
    share: float,
    normed: Floats,
    units: Floats,
    out: Floats,
) -> None:
    """Add one expert's output, times its share g_j / Σ g, to `out`, (h,).

    `normed` is the normalised hidden state, (h,); `units`, (f,), is overwritten.
    """
    units[:] = weights.up_bias[layer, expert]
    add_product(normed, 1.0, weights.up_matrix[layer, expert], units)
    for i in range(units.shape[0]):
        units[i] = max(units[i], 0.0)
    bias = weights.down_bias[layer, expert]
    for i in range(out.shape[0]):
        out[i] += share * bias[i]
    add_product(units, share, weights.down_matrix[layer, expert], out)


@kernel
def apply_experts(
    weights: MoEWeights, layer: int, scores: Floats, selected: Bools, hidden: Floats
) -> None:
    """Advance `hidden` by one layer, in place, each token through its selected experts.

    A token without an expert, or whose experts all have score 0, passes unchanged.

    Args:
        weights: the model.
        layer: counted from 0.
        scores: (tokens, K), what `gate_scores` gave for this layer and these hidden states.
        selected: (tokens, K).
        hidden: (tokens, h).

    Raises:
        ValueError: a wrong shape, or no such layer.
    """
    shape = (hidden.shape[0], weights.gate_matrix.shape[2])
    if not 0 <= layer < weights.norm_scale.shape[0]:
        raise ValueError("layer must be in [0, L)")
    if hidden.shape[1] != weights.norm_scale.shape[1]:
        raise ValueError("hidden must be (tokens, h)")
    if scores.shape != shape or selected.shape != shape:
        raise ValueError("scores and selected must be (tokens, K)")
    normed, units = np.empty(hidden.shape[1]), np.empty(weights.up_bias.shape[2])
    for token in range(hidden.shape[0]):
        total = selected_score(scores[token], selected[token])
        if total > 0.0:
            normalise(hidden[token], weights.norm_scale[layer], normed)
            for j in range(shape[1]):
                if selected[token, j]:
                    share = scores[token, j] / total
                    add_expert(weights, layer, j, share, normed, units, hidden[token])


@kernel
def classify(weights: MoEWeights, hidden: Floats) -> Floats:
    """Return the logits, (tokens, C), of hidden states, (tokens, h), after the last layer.

    Raises:
        ValueError: the hidden states have another size.
    """
    if hidden.shape[1] != weights.head_scale.shape[0]:
        raise ValueError("hidden must be (tokens, h)")
    logits = np.empty((hidden.shape[0], weights.head_bias.shape[0]))
    normed = np.empty(hidden.shape[1])
    for token in range(hidden.shape[0]):
        normalise(hidden[token], weights.head_scale, normed)
        logits[token] = weights.head_bias
        add_product(normed, 1.0, weights.head_matrix, logits[token])
    return logits


@kernel
def cross_entropy(logits: Floats, labels: Integers) -> Floats:
    """Return −log softmax(logits)[label] in nats, (tokens,).

    Args:
        logits: (tokens, C).
        labels: (tokens,), in [0, C).

    Raises:
        ValueError: a wrong shape, or a label outside [0, C).
    """
    if labels.shape[0] != logits.shape[0]:
        raise ValueError("labels must be (tokens,)")
    losses = np.empty(logits.shape[0])
    for token in range(logits.shape[0]):
        label = labels[token]
        if not 0 <= label < logits.shape[1]:
            raise ValueError("labels must be in [0, C)")
        largest = logits[token].max()
        total = 0.0
        for c in range(logits.shape[1]):
            total += math.exp(logits[token, c] - largest)
        losses[token] = math.log(total) + largest - logits[token, label]
    return losses
