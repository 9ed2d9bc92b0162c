"""What enters the solvers: checks that name the argument, and the joint problem as one object."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mec_moe_env.core.buffers import Flags, Floats, Integers

Shape = tuple[int, ...]


class Instance(NamedTuple):
    """One layer as the algorithms take it; for a batch the first seven have a leading axis."""

    score: Floats  # (I, Q, K)
    unit: Floats  # (I, K, S), joules for one state (and its result back), +inf: impossible
    best: Floats  # (I, K), the least of them; 0 in situ
    compute: Floats  # (K,), joules per token, +inf where unavailable
    threshold: Floats  # (I, Q)
    goal: Floats  # (I, Q), the threshold, or all that its top experts offer where that is less
    reserve: Floats  # (I, Q), joules of its top experts, each over the worst subcarrier it can use
    remote: Flags  # (I, K), False in situ
    most: int  # experts per token
    node_limit: int  # of the tree search for each token


@dataclass(frozen=True, eq=False)
class LayerProblem:
    """The joint choice of experts and subcarriers in one layer, or in a batch of layers.

    Minimise the energy Σ (compute_energy[k] + power·state_bits/rate[i,k,s])·selected[i,q,k] over
    experts and subcarriers, so that every token's scores reach its threshold (C1) with at most
    `max_experts` experts (C2) and every subcarrier serves at most one link (C3): P1 of Qin et al.
    2025. I sources with Q tokens each, K experts (one per node), S subcarriers.

    Raises:
        ValueError: NaN, a negative score, rate or energy, shapes that do not fit, a node of
            `sources` out of range or named twice, or a scalar out of range.
    """

    score: ArrayLike
    """Gate scores, (..., I, Q, K), ≥ 0."""
    rate: ArrayLike
    """bit/s from source i to node k over subcarrier s, (..., I, K, S), ≥ 0; the entries of a
    source to its own node are ignored."""
    compute_energy: ArrayLike
    """Joules per token, (K,) or (..., K), ≥ 0; +inf marks an unusable expert."""
    threshold: ArrayLike
    """Scalar, or broadcastable to (..., I, Q)."""
    max_experts: int
    """D ≥ 0."""
    _: KW_ONLY
    state_bits: float
    """Size of a hidden state in bits, > 0."""
    power: float
    """Transmission power in watts, > 0."""
    sources: ArrayLike | None = None
    """The node of each source, (I,); node i by default."""
    available: ArrayLike | None = None
    """Booleans, broadcastable to (..., K); all by default."""
    return_rate: ArrayLike | None = None
    """bit/s from node k back to source i, shape of `rate`. When given, the results return over
    the same subcarrier of the reverse channel and their energy counts too (reconstructed)."""
    batch: Shape = field(init=False, repr=False)
    """The leading axes."""
    arrays: Instance = field(init=False, repr=False)
    """All of it, checked, the batch flattened."""

    def __post_init__(self) -> None:
        """Check everything."""
        batch, arrays = _check(self)
        object.__setattr__(self, "batch", batch)
        object.__setattr__(self, "arrays", arrays)

    def instances(self, node_limit: int) -> Iterator[Instance]:
        """Take the layers out of the batch; `node_limit` must be an integer ≥ 0."""
        limit = whole("node_limit", node_limit, 0)
        *stacked, remote, most, _ = self.arrays
        for entries in zip(*stacked, strict=True):
            yield Instance._make([*entries, remote, most, limit])


def checked(
    name: str, value: ArrayLike, dimensions: int = 0, *, least: float = 0.0, infinite: bool = False
) -> Floats:
    """Return `value` as a float64 array of at least so many dimensions.

    A ValueError says what is not a number, below `least`, or +inf without being `infinite`.
    """
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be an array of numbers: {error}") from error
    if array.ndim < dimensions:
        raise ValueError(
            f"{name} has shape {array.shape}; it must have at least {dimensions} dimensions"
        )
    # One or two passes settle the usual case: the least of an array with NaN is NaN.
    if array.size == 0 or (array.min() >= least and (infinite or array.max() < np.inf)):
        return array
    if (missing := np.isnan(array)).any():
        raise ValueError(f"{name} contains NaN{_where(missing)}; it must be numbers")
    if array.min() < least:
        raise ValueError(f"{name} is {array.min()}{_where(array < least)}; it must be ≥ {least:g}")
    raise ValueError(f"{name} is inf{_where(array == np.inf)}; it must be finite")


def positive(name: str, value: float) -> float:
    """Return a finite scalar above 0, or raise a ValueError."""
    array = checked(name, value)
    if array.ndim != 0 or array == 0:
        raise ValueError(f"{name} is {value!r}; it must be one number > 0")
    return float(array)


def whole(name: str, value: Any, least: int) -> int:
    """Return an integer of at least `least`, or raise a ValueError."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise ValueError(f"{name} is {value!r}; it must be an integer ≥ {least}")
    if value < least:
        raise ValueError(f"{name} is {value}; it must be ≥ {least}")
    return min(int(value), 2**62)  # compiled code counts in 64 bits


def without_unavailable(energy: Floats, available: ArrayLike | None, shape: Shape) -> Floats:
    """Return energies, +inf where experts are unavailable, or raise a ValueError."""
    if available is None:
        return energy
    usable = np.asarray(available)
    like_booleans = usable.dtype.kind in "iuf" and np.isin(usable, (0, 1)).all()
    if usable.dtype != np.bool_ and not like_booleans:
        raise ValueError(
            f"available has values of type {usable.dtype}; it must hold only True or False"
        )
    return np.where(spread("available", usable.astype(np.bool_), shape), energy, np.inf)


def spread(name: str, array: NDArray[Any], shape: Shape) -> NDArray[Any]:
    """Broadcast `array` to `shape`, as C-ordered memory, or raise a ValueError."""
    if array.shape == shape:
        return np.ascontiguousarray(array)
    try:
        return np.ascontiguousarray(np.broadcast_to(array, shape)).reshape(shape)
    except ValueError:
        raise ValueError(f"{name} has shape {array.shape}; it must broadcast to {shape}") from None


def common_batch(
    name: str, array: Floats, axes: int, other_name: str, other: Floats, other_axes: int
) -> Shape:
    """Return the shape of what stands before the last axes of two arrays, or raise a ValueError."""
    try:
        return np.broadcast_shapes(array.shape[:-axes], other.shape[:-other_axes])
    except ValueError:
        message = f"{name} has shape {array.shape}, {other_name} {other.shape}: no fit"
        raise ValueError(message) from None


def _where(bad: NDArray[np.bool_]) -> str:
    """Name the first bad entry of an array; a scalar needs no place."""
    if bad.ndim == 0:
        return ""
    return f" at index {tuple(int(i) for i in np.argwhere(bad)[0])}"


def _check(problem: LayerProblem) -> tuple[Shape, Instance]:
    """Bring a problem to one form; also return its batch axes."""
    score = checked("score", problem.score, 3)
    rate = checked("rate", problem.rate, 3, infinite=True)
    count, tokens, experts = score.shape[-3:]
    if rate.shape[-3:-1] != (count, experts):
        raise ValueError(
            f"rate has shape {rate.shape}; with score of shape {score.shape} it must end in "
            f"({count}, {experts}, subcarriers)"
        )
    batch = common_batch("rate", rate, 3, "score", score, 3)
    compute = checked("compute_energy", problem.compute_energy, 1, infinite=True)
    compute = spread("compute_energy", compute, (*batch, experts))
    compute = without_unavailable(compute, problem.available, compute.shape)
    threshold = checked("threshold", problem.threshold, least=-np.inf, infinite=True)
    threshold = spread("threshold", threshold, (*batch, count, tokens))
    remote = np.ones((count, experts), np.bool_)
    remote[np.arange(count), _nodes(problem.sources, count, experts)] = False
    score = spread("score", score, (*batch, count, tokens, experts))
    unit = spread("rate", _unit_joules(problem, rate), (*batch, count, experts, rate.shape[-1]))
    best = np.where(remote, unit.min(axis=-1, initial=np.inf), 0.0)
    most = whole("max_experts", problem.max_experts, 0)
    within_reach = np.isfinite(compute[..., np.newaxis, :] + best)[..., np.newaxis, :]
    offered = np.where(within_reach, score, 0.0)
    top = np.argsort(-offered, axis=-1, kind="stable")[..., : min(most, experts)]
    goal = np.minimum(threshold, np.take_along_axis(offered, top, axis=-1).sum(axis=-1))
    worst = np.where(np.isfinite(unit), unit, 0.0).max(axis=-1, initial=0.0)
    dearest = np.where(remote, worst, 0.0) + compute[..., np.newaxis, :]
    dearest = np.where(within_reach, dearest[..., np.newaxis, :], 0.0)
    reserve = np.take_along_axis(dearest, top, axis=-1).sum(axis=-1)
    stacked = [
        array.reshape(math.prod(batch), *array.shape[len(batch) :])
        for array in (score, unit, best, compute, threshold, goal, reserve)
    ]
    return batch, Instance._make([*stacked, remote, most, 0])


def _unit_joules(problem: LayerProblem, rate: Floats) -> Floats:
    """Return the joules to send one state, shape of `rate`."""
    joules = positive("power", problem.power) * positive("state_bits", problem.state_bits)
    with np.errstate(divide="ignore"):
        unit: Floats = joules / rate
        if problem.return_rate is not None:
            back = checked("return_rate", problem.return_rate, 3, infinite=True)
            unit = unit + joules / spread("return_rate", back, rate.shape)
    return unit


def _nodes(sources: ArrayLike | None, count: int, experts: int) -> Integers:
    """Check the nodes of the sources; node i for source i by default."""
    nodes = np.arange(count) if sources is None else np.asarray(sources)
    if nodes.shape != (count,) or nodes.dtype.kind not in "iu":
        raise ValueError(f"sources is {sources!r}; it must be {count} node numbers")
    if count and (nodes.min() < 0 or nodes.max() >= experts):
        raise ValueError(f"sources is {nodes.tolist()}; nodes go from 0 to {experts - 1}")
    if np.unique(nodes).size < count:
        raise ValueError(f"sources is {nodes.tolist()}; every node may appear once")
    return nodes.astype(np.int64)
