"""The joint problem as checked arrays, the form in which all joint solvers take it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mec_moe_agents.solvers.expert_selection import FEASIBILITY_RTOL
from mec_moe_agents.solvers.joint_plan import Layer
from mec_moe_agents.solvers.validation import (
    Floats,
    Shape,
    flags,
    nonnegative,
    numbers,
    positive,
    spread,
    whole,
)


class JointProblem(NamedTuple):
    """One layer per entry of a flat batch of B.

    Attributes:
        batch: the leading axes that the batch was flattened from.
        score: (B, I, Q, K).
        unit: (B, I, K, S) joules to send one state, and its result back where that counts.
        compute: (B, K) joules per token, +inf where unavailable.
        threshold: (B, I, Q).
        source: (I,) the node of each source.
        most: most experts per token.
        node_limit: of each selection.
    """

    batch: Shape
    score: Floats
    unit: Floats
    compute: Floats
    threshold: Floats
    source: NDArray[np.int64]
    most: int
    node_limit: int


def state_problem(
    score: ArrayLike,
    rate: ArrayLike,
    compute_energy: ArrayLike,
    threshold: ArrayLike,
    max_experts: int,
    state_bits: float,
    power: float,
    sources: ArrayLike | None,
    available: ArrayLike | None,
    return_rate: ArrayLike | None,
    node_limit: int,
) -> JointProblem:
    """Check the arguments of `allocate_jointly` and bring them to one form.

    Raises:
        ValueError: as `allocate_jointly`.
    """
    scores = nonnegative("score", score, 3)
    rates = nonnegative("rate", rate, 3, infinite=True)
    count, tokens, experts = scores.shape[-3:]
    if rates.shape[-3:-1] != (count, experts):
        raise ValueError(
            f"rate has shape {rates.shape}; with score of shape {scores.shape} it must end in "
            f"({count}, {experts}, subcarriers)"
        )
    try:
        batch = np.broadcast_shapes(scores.shape[:-3], rates.shape[:-3])
    except ValueError:
        raise ValueError(f"rate has shape {rates.shape}, score {scores.shape}: no fit") from None
    compute = nonnegative("compute_energy", compute_energy, 1, infinite=True)
    compute = spread("compute_energy", compute, (*batch, experts))
    if available is not None:
        usable = spread("available", flags("available", available), (*batch, experts))
        compute = np.where(usable, compute, np.inf)
    limit = spread("threshold", numbers("threshold", threshold), (*batch, count, tokens))
    source = _nodes(sources, count, experts)
    joules = positive("power", power) * positive("state_bits", state_bits)
    with np.errstate(divide="ignore"):
        unit = joules / rates
        if return_rate is not None:
            back = nonnegative("return_rate", return_rate, 3, infinite=True)
            unit = unit + joules / spread("return_rate", back, rates.shape)
    subcarriers = rates.shape[-1]
    entries = math.prod(batch)
    scores = spread("score", scores, (*batch, count, tokens, experts))
    unit = spread("rate", unit, (*batch, count, experts, subcarriers))
    return JointProblem(
        batch=batch,
        score=scores.reshape(entries, count, tokens, experts),
        unit=unit.reshape(entries, count, experts, subcarriers),
        compute=np.ascontiguousarray(compute).reshape(entries, experts),
        threshold=limit.reshape(entries, count, tokens),
        source=source,
        most=whole("max_experts", max_experts, 0),
        node_limit=whole("node_limit", node_limit, 0),
    )


def layer_at(problem: JointProblem, entry: int) -> Layer:
    """Take one layer out of the batch.

    A threshold that no allowed set reaches becomes the score of the token's top experts, so that
    those are what it asks for.
    """
    unit = problem.unit[entry]
    sources, experts = unit.shape[:2]
    remote = np.ones((sources, experts), np.bool_)
    remote[np.arange(sources), problem.source] = False
    best = np.where(remote, unit.min(axis=2, initial=np.inf), 0.0)
    score = problem.score[entry]
    usable = np.isfinite(problem.compute[entry] + best)[:, None, :]
    offered = np.sort(np.where(usable, score, 0.0))[..., experts - min(problem.most, experts) :]
    return Layer(
        score,
        unit,
        best,
        problem.compute[entry],
        np.minimum(problem.threshold[entry], offered.sum(axis=-1)),
        remote,
        problem.most,
        problem.node_limit,
    )


def reaches(score: Floats, selected: NDArray[np.bool_], threshold: Floats) -> NDArray[np.bool_]:
    """Say which tokens' selected scores reach their threshold, up to rounding."""
    reached: Floats = (score * selected).sum(axis=-1)
    enough: NDArray[np.bool_] = (threshold <= 0) | (reached >= threshold * (1.0 - FEASIBILITY_RTOL))
    return enough


def _nodes(sources: ArrayLike | None, count: int, experts: int) -> NDArray[np.int64]:
    """Check the nodes of the sources; node i for source i by default."""
    nodes = np.arange(count) if sources is None else np.asarray(sources)
    if nodes.shape != (count,) or nodes.dtype.kind not in "iu":
        raise ValueError(f"sources is {sources!r}; it must be {count} node numbers")
    if count and (nodes.min() < 0 or nodes.max() >= experts):
        raise ValueError(f"sources is {nodes.tolist()}; nodes go from 0 to {experts - 1}")
    if np.unique(nodes).size < count:
        raise ValueError(f"sources is {nodes.tolist()}; every node may appear once")
    return nodes.astype(np.int64)
