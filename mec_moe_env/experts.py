"""Linear experts: how a server learns a task, and how wrong its model is."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.core.kernels import device
from mec_moe_env.pseudo_inverse import solve_least

Floats = NDArray[np.float64]


@device
def inner(left: Floats, right: Floats) -> float:
    """Return the inner product of two vectors of shape (d,)."""
    total = 0.0
    for f in range(left.shape[0]):
        total += left[f] * right[f]
    return total


@device
def factor(matrix: Floats) -> bool:
    """Overwrite the lower triangle of a positive definite matrix by its Cholesky factor.

    The diagonal receives the reciprocals: what follows multiplies instead of dividing. Return
    whether the matrix is positive definite beyond rounding; else what is written means nothing.
    """
    definite = True
    for i in range(matrix.shape[0]):
        for j in range(i + 1):
            total = matrix[i, j]
            least = max(1e-12 * total, 1e-300)
            for q in range(j):
                total -= matrix[i, q] * matrix[j, q]
            if i == j:
                definite = definite and total > least
                matrix[i, i] = 1.0 / math.sqrt(max(total, least))
            else:
                matrix[i, j] = total * matrix[j, j]
    return definite


@device
def solve_factored(factored: Floats, vector: Floats) -> None:
    """Overwrite `vector` b by the solution of L Lᵀ x = b; the diagonal holds 1/L."""
    size = vector.shape[0]
    for i in range(size):
        total = vector[i]
        for q in range(i):
            total -= factored[i, q] * vector[q]
        vector[i] = total * factored[i, i]
    for i in range(size - 1, -1, -1):
        total = vector[i]
        for q in range(i + 1, size):
            total -= factored[q, i] * vector[q]
        vector[i] = total * factored[i, i]


@device
def learn(
    model: Floats,
    features: Floats,
    labels: Floats,
    proximal: float,
    out: Floats,
    scratch: Floats,
) -> None:
    """Write to `out` the model after training on one task (Li & Duan 2024, Lemma 1).

    w ← w + X (XᵀX + κI)⁻¹ (y − Xᵀw): with κ = 0 the interpolating model nearest to w. The
    proximal term κ is our extension for noisy labels. Where the samples are linearly dependent, as
    more than d always are, the pseudo-inverse takes the place of the inverse (Li et al. 2025, the
    authors' program): of the models with the least squared residual the one nearest to w.

    `model` and `out` are (d,), `features` Xᵀ, (k, d), `labels` (k,); `scratch` is (2k + 2, k).
    """
    k, d = features.shape
    gram, residual = scratch[:k], scratch[k]
    for i in range(k):
        residual[i] = labels[i] - inner(features[i], model)
        for j in range(i + 1):
            gram[i, j] = inner(features[i], features[j])
        gram[i, i] += proximal
    for f in range(d):
        out[f] = model[f]
    if factor(gram):
        solve_factored(gram, residual)
    else:
        solve_least(features, proximal, scratch)
    for i in range(k):
        for f in range(d):
            out[f] += residual[i] * features[i, f]


@device
def quadratic_form(model: Floats, quadratic: Floats) -> float:
    """Return wᵀAw for `model` w of shape (d,) and `quadratic` A, (d, d); (0, 0) means identity."""
    if quadratic.shape[0] == 0:
        return inner(model, model)
    total = 0.0
    for f in range(model.shape[0]):
        total += model[f] * inner(quadratic[f], model)
    return total


@device
def model_error(model: Floats, quadratic: Floats, linear: Floats, constant: float) -> float:
    """Return the error wᵀAw − 2 bᵀw + c of a model on one task.

    With A = I, b = w_τ, c = ‖w_τ‖² it is ‖w − w_τ‖², the model error of Li & Duan 2024; with
    second moments of held-out data it is their mean squared loss (our extension).
    """
    return quadratic_form(model, quadratic) - 2.0 * inner(linear, model) + constant
