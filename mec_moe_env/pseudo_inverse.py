"""The pseudo-inverse of a small symmetric matrix, by Jacobi's eigenvalue method, compiled.

It serves where samples are linearly dependent, and their Gram matrix has no inverse.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.core.kernels import device

Floats = NDArray[np.float64]

RANK = 1e-13
"""Eigenvalues below this share of the largest, times the size, count as zero."""
MOST_SWEEPS = 30
"""Five to ten are usual: the convergence is quadratic."""


@device
def solve_least(features: Floats, proximal: float, scratch: Floats) -> None:
    """Overwrite the residual, (k,) in row k of the scratch, by (XᵀX + κI)⁺ times it.

    `features` is Xᵀ, (k, d); `scratch`, (2k + 2, k), has further room for the Gram matrix, its
    eigenvectors and the residual along them.
    """
    k = features.shape[0]
    gram, residual = scratch[:k], scratch[k]
    vectors, along = scratch[k + 1 : 2 * k + 1], scratch[2 * k + 1]
    for i in range(k):
        for j in range(i + 1):
            total = proximal if i == j else 0.0
            for f in range(features.shape[1]):
                total += features[i, f] * features[j, f]
            gram[i, j], gram[j, i] = total, total
    diagonalise(gram, vectors)
    largest = 0.0
    for i in range(k):
        largest = max(largest, abs(gram[i, i]))
    for i in range(k):
        along[i] = 0.0
        if gram[i, i] > RANK * k * largest:
            for j in range(k):
                along[i] += vectors[i, j] * residual[j] / gram[i, i]
    for j in range(k):
        residual[j] = 0.0
        for i in range(k):
            residual[j] += vectors[i, j] * along[i]


@device
def diagonalise(matrix: Floats, vectors: Floats) -> None:
    """Turn a symmetric matrix, (k, k), into its eigenvalues on the diagonal; rows are vectors."""
    k = matrix.shape[0]
    for i in range(k):
        for j in range(k):
            vectors[i, j] = 1.0 if i == j else 0.0
    for _ in range(MOST_SWEEPS):
        beside, size = 0.0, 0.0
        for i in range(k):
            size += matrix[i, i] * matrix[i, i]
            for j in range(i):
                beside += matrix[i, j] * matrix[i, j]
        if beside <= 1e-32 * size:
            break
        for p in range(k):
            for q in range(p + 1, k):
                if matrix[p, q] != 0.0:
                    rotate(matrix, vectors, p, q)


@device
def rotate(matrix: Floats, vectors: Floats, p: int, q: int) -> None:
    """Turn the plane of the coordinates p and q until they no longer mix (Jacobi 1846)."""
    slope = (matrix[q, q] - matrix[p, p]) / (2.0 * matrix[p, q])
    tangent = 1.0 / (abs(slope) + math.sqrt(slope * slope + 1.0))
    if slope < 0.0:
        tangent = -tangent
    cosine = 1.0 / math.sqrt(tangent * tangent + 1.0)
    sine = tangent * cosine
    for i in range(matrix.shape[0]):
        left, right = matrix[i, p], matrix[i, q]
        matrix[i, p], matrix[i, q] = cosine * left - sine * right, sine * left + cosine * right
    for i in range(matrix.shape[0]):
        left, right = matrix[p, i], matrix[q, i]
        matrix[p, i], matrix[q, i] = cosine * left - sine * right, sine * left + cosine * right
        left, right = vectors[p, i], vectors[q, i]
        vectors[p, i], vectors[q, i] = cosine * left - sine * right, sine * left + cosine * right
