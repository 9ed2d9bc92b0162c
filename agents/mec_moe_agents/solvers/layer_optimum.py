"""The best action of one layer in the return's own terms, with a bound (our extension)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mec_moe_agents.solvers.charges import Charges, link_limit
from mec_moe_agents.solvers.inputs import Instance, LayerProblem, whole
from mec_moe_agents.solvers.joint_allocation import MAX_ITERATIONS, NODE_LIMIT
from mec_moe_agents.solvers.joint_plan import descend, start_plan
from mec_moe_agents.solvers.layer_bound import relaxed_bound, weighed_layers
from mec_moe_agents.solvers.layer_draft import Draft, draft
from mec_moe_agents.solvers.layer_search import improve
from mec_moe_agents.solvers.rebuild import count_numbers
from mec_moe_agents.solvers.token_choice import Weighed
from mec_moe_env.core.buffers import Flags, Floats, Integers

EFFORT = 3000
"""Most moves of a layer."""
PATIENCE, PATIENCE_IF_SCARCE = 100, 500
"""Rebuilt plans in a row without a better one that end a search; the second where links can
outnumber subcarriers, and single links are of little use."""
ALL_CANDIDATES = 64
"""Up to so many experts the search looks at all of them."""
CANDIDATE_ROUNDS = 3
"""Beyond that it looks at what tokens choose, at what they choose without those, and so on: at
least so often, and until about as many could be named."""
NEAREST = 16
"""Subcarriers of a link that are kept in order of cost."""


@dataclass(frozen=True)
class LayerOptimum:
    """The outcome of `optimise_layer`; leading axes as in the problem."""

    selected: NDArray[np.bool_]
    """(..., I, Q, K)."""
    subcarrier: NDArray[np.int64]
    """(..., I, K), −1 for a link that carries nothing."""
    value: NDArray[np.float64]
    """(...,) w_energy·J + w_err·(charge of the violated tokens)."""
    bound: NDArray[np.float64]
    """(...,) no allocation has a lower value."""
    moves: NDArray[np.int64]
    """(...,) moves of the search."""

    @property
    def gap(self) -> Floats:
        """(value − bound)/value, (...,); 0 where the value is 0."""
        return (self.value - self.bound) / np.where(self.value > 0, self.value, 1.0)


def optimise_layer(
    problem: LayerProblem,
    charges: Charges,
    *,
    start: ArrayLike | None = None,
    effort: int = EFFORT,
    patience: int | None = None,
    node_limit: int = NODE_LIMIT,
) -> LayerOptimum:
    """Minimise a layer's value over experts and subcarriers (our extension).

    Each token meets its goal (DES) or violates it, whichever costs less at the prices of its
    links. The search starts with a given plan or JESA's, descends by alternating selection and
    assignment, and moves links as JESA+ does, one by one and then a few at random; what it finds
    is never worse than what it started with. The plan is optimal where the gap to `layer_bound`
    is 0, near-optimal elsewhere. C2 and C3 always hold. Equal problems give
    equal plans.

    Args:
        problem: one layer or a batch.
        charges: of that problem, see `charge_layer`.
        start: experts to start with, (..., I, Q, K) booleans within C2 and C3, for example of
            JESA+; subcarriers are assigned to them exactly. JESA's by default.
        effort: most moves of a layer.
        patience: rebuilt plans in a row without a better one that end the search of a layer; by
            default more of them where subcarriers are scarce.
        node_limit: of the tree search for each token.

    Raises:
        ValueError: `effort`, `patience` or `node_limit` is not an integer ≥ 0, or `start` has
            another shape, or more experts or links than are allowed.
    """
    moves = whole("effort", effort, 0)
    batch, arrays = problem.batch, problem.arrays
    given = None if start is None else checked_start(problem, start)
    if patience is None:
        scarce = link_limit(arrays) > arrays.unit.shape[-1]
        patience = PATIENCE_IF_SCARCE if scarce else PATIENCE
    patience = whole("patience", patience, 0)
    selected = np.zeros(arrays.score.shape, np.bool_)
    subcarrier = np.full(arrays.best.shape, -1, np.int64)
    value, bound = np.zeros(len(selected)), np.zeros(len(selected))
    tried = np.zeros(len(selected), np.int64)
    for b, (instance, layer) in enumerate(weighed_layers(problem, charges, node_limit)):
        first = plan_jointly(instance) if given is None else given[b]
        bound[b], chosen = relaxed_bound(layer, candidate_rounds(layer))
        candidates = choose_candidates(chosen | first.any(axis=1))
        small, plan = restrict(layer, first, candidates)
        random = np.random.default_rng(0).random((moves, count_numbers(*plan.selected.shape)))
        value[b], tried[b] = improve(small, plan, bound[b], random, patience)
        rows = np.arange(len(candidates))[:, np.newaxis]
        subcarrier[b][rows, candidates] = plan.subcarrier
        np.put_along_axis(selected[b], candidates[:, np.newaxis], plan.selected, axis=2)
    return LayerOptimum(
        selected.reshape(*batch, *selected.shape[1:]),
        subcarrier.reshape(*batch, *subcarrier.shape[1:]),
        value.reshape(batch),
        np.minimum(bound, value).reshape(batch),
        tried.reshape(batch),
    )


def checked_start(problem: LayerProblem, start: ArrayLike) -> Flags:
    """Return the experts to start with, (B, I, Q, K), or raise a ValueError."""
    shape = problem.arrays.score.shape
    selected = np.asarray(start, np.bool_)
    if selected.shape != (*problem.batch, *shape[1:]):
        asked = (*problem.batch, *shape[1:])
        raise ValueError(f"start has shape {selected.shape}; it must have {asked}")
    selected = selected.reshape(shape)
    if (experts := int(selected.sum(axis=-1).max(initial=0))) > problem.arrays.most:
        raise ValueError(
            f"start has {experts} experts for a token; max_experts is {problem.arrays.most}"
        )
    links = int((selected.any(axis=2) & problem.arrays.remote).sum(axis=(1, 2)).max(initial=0))
    if links > (subcarriers := problem.arrays.unit.shape[-1]):
        raise ValueError(f"start uses {links} links; there are {subcarriers} subcarriers")
    return selected


def plan_jointly(layer: Instance) -> Flags:
    """Return the experts that JESA selects, (I, Q, K)."""
    return descend(layer, start_plan(layer), MAX_ITERATIONS)[-1].selected


def candidate_rounds(layer: Weighed) -> int:
    """Return in how many rounds the tokens name their candidates."""
    _, tokens, experts = layer.score.shape
    if experts <= ALL_CANDIDATES:
        return 1
    named: int = max(tokens * layer.most, 1)
    return max(CANDIDATE_ROUNDS, math.ceil(ALL_CANDIDATES / named))


def choose_candidates(chosen: Flags) -> Integers:
    """Return the experts that each source's search looks at, (I, C): all, or who was chosen."""
    sources, experts = chosen.shape
    if experts <= ALL_CANDIDATES:
        return np.tile(np.arange(experts), (sources, 1))
    most = int(chosen.sum(axis=1).max())
    return np.argsort(~chosen, axis=1, kind="stable")[:, : max(most, 1)]


def restrict(layer: Weighed, selected: Flags, candidates: Integers) -> tuple[Weighed, Draft]:
    """Keep the candidates, (I, C), of a layer and a selection, and rank their subcarriers.

    The plan has the selection only; `settle` adds links.
    """
    rows = np.arange(len(candidates))[:, np.newaxis]
    unit = layer.unit[rows, candidates]
    count = min(NEAREST, unit.shape[2])
    nearest = np.argpartition(unit, count - 1, axis=2)[..., :count]
    order = np.take_along_axis(unit, nearest, axis=2).argsort(axis=2, kind="stable")
    small = layer._replace(
        score=np.take_along_axis(layer.score, candidates[:, np.newaxis], axis=2),
        unit=unit,
        compute=layer.compute[rows, candidates],
        remote=layer.remote[rows, candidates],
        nearest=np.take_along_axis(nearest, order, axis=2),
    )
    plan = draft(*small.score.shape)
    plan.selected[:] = np.take_along_axis(selected, candidates[:, np.newaxis], axis=2)
    return small, plan
