"""What a task stream of the user's own is held to before compiled code relies on it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.config import Real, check
from mec_moe_env.core.buffers import Floats
from mec_moe_env.shown import shown
from mec_moe_env.tasks.stream import Evaluator, TaskBatch

LARGEST = 1e30
"""In size, of any number: errors are made of squares, and what is shown is a float32."""
SUM_BOUNDS = Real(1e-30, LARGEST)
ROUNDING = 1e-6
"""Share of an error by which rounding may make it negative."""
RIDGE = 1e-10
"""Share of A's largest entry by which rounding may make an eigenvalue negative."""


def check_sum_bound(bound: Any) -> float:
    """Return a stream's bound on |Σ_i X_i|.

    Raises:
        ValueError: it is not a number in [1e-30, 1e30].
    """
    check("sum_bound", bound, SUM_BOUNDS)
    return float(bound)


def check_evaluator(evaluator: Evaluator, num_types: int, feature_dim: int) -> Evaluator:
    """Return a copy of a stream's evaluator that compiled code can rely on.

    Raises:
        TypeError: it is no Evaluator.
        ValueError: an array has another shape or is not float64, a number is not finite or too
            large, or a held-out label is not ±1; array, place and what is allowed are named.
    """
    if not isinstance(evaluator, Evaluator):
        raise TypeError(f"evaluator must be a mec_moe_env.tasks.Evaluator, got {shown(evaluator)}")
    N, d = num_types, feature_dim
    labels = _of_shape(evaluator, "heldout_labels", (N, None))
    H = labels.shape[1]
    heldout = (N, H, d) if H > 0 else (N, 0, None)
    quadratic = _of_shape(evaluator, "quadratic", (N, d, d), (N, 0, 0))
    checked = Evaluator(quadratic, _of_shape(evaluator, "heldout_features", heldout), labels)
    for name, array in checked._asdict().items():
        place = first_oversized(array)
        if place is not None:
            raise ValueError(
                f"evaluator.{name}{list(place)} = {array[place]} is not allowed: "
                f"every number must be finite and at most {LARGEST:g} in size"
            )
    _check_labels(labels)
    return checked


class TaskCheck:
    """Checks what a stream has drawn, at a few passes over the arrays.

    The error wᵀAw − 2bᵀw + c of no model w is negative if and only if A is positive semidefinite,
    b in its range, and bᵀA⁺b ≤ c: what every bound on returns relies on. Once A + εI is factored
    into LLᵀ, it is one comparison, |L⁻¹b|² ≤ c: the ridge ε lowers the left side a little where b
    is in the range of A, and makes it grow as 1/ε where it is not.
    """

    def __init__(self, stream: object, quadratic: Floats) -> None:
        """Factor A of each type, (N, d, d); (N, 0, 0) is the identity.

        Raises:
            ValueError: one is not symmetric positive semidefinite.
        """
        self._author = type(stream).__name__
        self._inverses = [_inverse_factor(form, n) for n, form in enumerate(quadratic)]

    def __call__(self, types: NDArray[np.int64], tasks: TaskBatch) -> None:
        """Check the tasks of these types, (count,).

        Raises:
            ValueError: a number is missing, not finite or too large, or a model's error would be
                negative; array, task and what is allowed are named.
        """
        for name, array in tasks._asdict().items():
            place = first_oversized(array)
            if place is not None:
                raise ValueError(
                    f"{self._author}.draw: {name}{list(place)} = {array[place]} of a task of type "
                    f"{types[place[0]]} is not allowed: every number must be written, finite and "
                    f"at most {LARGEST:g} in size"
                )
        least = self._least_constants(types, tasks.linear)
        # Written so that NaN fails too.
        short = ~(tasks.constant >= (1.0 - ROUNDING) * least)
        if short.any():
            u = int(short.argmax())
            raise ValueError(
                f"{self._author}.draw: constant[{u}] = {tasks.constant[u]} of a task of type "
                f"{types[u]} is not allowed: no error may be negative, so b = linear[{u}] must be "
                f"in the range of A and c at least bᵀA⁺b = {least[u]:.6g}"
            )

    def _least_constants(self, types: NDArray[np.int64], linear: Floats) -> Floats:
        """Return bᵀ(A + εI)⁻¹b of each task, (count,)."""
        whitened = linear
        # Where it overflows, no finite constant is enough.
        with np.errstate(over="ignore", invalid="ignore"):
            if self._inverses[0].size > 0:
                whitened = np.empty_like(linear)
                for n in np.unique(types).tolist():
                    whitened[types == n] = linear[types == n] @ self._inverses[n].T
            least: Floats = np.einsum("uf,uf->u", whitened, whitened)
        return least


def _of_shape(evaluator: Evaluator, name: str, *shapes: tuple[int | None, ...]) -> Floats:
    """Return a C-ordered copy of an array of the evaluator; None stands for any size."""
    array = getattr(evaluator, name)
    if not isinstance(array, np.ndarray):
        raise ValueError(
            f"evaluator.{name} = {shown(array)} is not allowed: it must be a NumPy array"
        )
    shape = array.shape
    fits = any(
        len(shape) == len(allowed)
        and all(wanted in (None, size) for size, wanted in zip(shape, allowed, strict=True))
        for allowed in shapes
    )
    if array.dtype != np.float64 or not fits:
        wanted = " or ".join(str(allowed).replace("None", "any") for allowed in shapes)
        raise ValueError(
            f"evaluator.{name} has dtype {array.dtype} and shape {shape}: "
            f"it must be float64 of shape {wanted}"
        )
    return np.array(array, np.float64, order="C")


def first_oversized(array: Floats) -> tuple[int, ...] | None:
    """Return where the first NaN, infinity or too large number is, None where there is none."""
    # Written so that NaN fails too.
    if np.abs(array).max(initial=0.0) <= LARGEST:
        return None
    return tuple(int(axis[0]) for axis in np.nonzero(~(np.abs(array) <= LARGEST)))


def _check_labels(labels: Floats) -> None:
    """Refuse held-out labels that are not ±1 or 0, and types without any."""
    strange = ~np.isin(labels, (-1.0, 0.0, 1.0))
    if strange.any():
        n, h = (int(axis[0]) for axis in np.nonzero(strange))
        raise ValueError(
            f"evaluator.heldout_labels[{n}, {h}] = {labels[n, h]} is not allowed: "
            "a label must be -1 or 1, or 0 after a type's last sample"
        )
    empty = (labels == 0.0).all(axis=1)
    if labels.shape[1] > 0 and empty.any():
        raise ValueError(
            f"evaluator.heldout_labels[{int(empty.argmax())}] has no label: each type must have "
            "at least one, or none of them any (H = 0)"
        )


def _inverse_factor(form: Floats, n: int) -> Floats:
    """Return L⁻¹ of A + εI = LLᵀ, (d, d), for A of type n."""
    # Of A = 0 the range is b = 0 alone.
    largest = float(np.abs(form).max(initial=0.0)) or float(np.finfo(float).tiny)
    scaled = form / largest
    asymmetry = float(np.abs(scaled - scaled.T).max(initial=0.0))
    if asymmetry > RIDGE:
        raise ValueError(
            f"evaluator.quadratic[{n}] is not allowed: A must be symmetric, "
            f"A and its transpose differ by {asymmetry * largest:.6g}"
        )
    try:
        factored = np.linalg.cholesky(scaled + RIDGE * np.eye(len(form)))
    except np.linalg.LinAlgError as error:
        raise ValueError(
            f"evaluator.quadratic[{n}] is not allowed: A must be positive semidefinite, "
            f"its least eigenvalue is {np.linalg.eigvalsh(form)[0]:.6g}"
        ) from error
    inverse: Floats = np.linalg.inv(factored) / largest**0.5
    return inverse
