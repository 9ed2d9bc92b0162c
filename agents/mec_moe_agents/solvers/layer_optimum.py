"""The best action of one layer in the return's own terms, with a bound (our extension)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mec_moe_agents.solvers.charges import Charges, most_links
from mec_moe_agents.solvers.inputs import Instance, LayerProblem, whole
from mec_moe_agents.solvers.joint_allocation import (
    MAX_ITERATIONS,
    NODE_LIMIT,
    descend,
    start_plan,
)
from mec_moe_agents.solvers.layer_draft import Draft, draft
from mec_moe_agents.solvers.layer_search import improve
from mec_moe_agents.solvers.rebuild import count_numbers
from mec_moe_agents.solvers.token_choice import Weighed, choose_tokens, token_scratch
from mec_moe_env.core.buffers import Flags, Floats, Integers
from mec_moe_env.core.kernels import kernel

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
        scarce = most_links(arrays) > arrays.unit.shape[-1]
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


def layer_bound(
    problem: LayerProblem, charges: Charges, *, node_limit: int = NODE_LIMIT
) -> NDArray[np.float64]:
    """Bound a layer's value from below, (...,): no allocation has less.

    Every link is at its own best subcarrier and C3 is ignored; tokens are then independent, and
    each takes the lesser of its best choice that meets the goal and its best one that violates.

    Args:
        problem: one layer or a batch.
        charges: of that problem, see `charge_layer`.
        node_limit: of the tree search for each token; where it ends a search, the bound that the
            search had counts.

    Raises:
        ValueError: `node_limit` is not an integer ≥ 0.
    """
    layers = weighed_layers(problem, charges, node_limit)
    bounds = [relaxed_bound(layer, 1)[0] for _, layer in layers]
    return np.array(bounds, np.float64).reshape(problem.batch)


def weighed_layers(
    problem: LayerProblem, charges: Charges, node_limit: int
) -> Iterator[tuple[Instance, Weighed]]:
    """Yield the layers of a batch, as given and in units of the value, with all experts."""
    tokens = problem.arrays.goal.shape
    terms = (charges.wanted, charges.goal, charges.reserve)
    rows = zip(*(term.reshape(tokens) for term in terms), strict=True)
    for instance, (wanted, goal, reserve) in zip(problem.instances(node_limit), rows, strict=True):
        sources, experts = instance.best.shape
        compute = scaled(charges.energy_weight, instance.compute)
        yield (
            instance._replace(goal=goal),
            Weighed(
                score=instance.score,
                unit=scaled(charges.energy_weight, instance.unit),
                compute=np.ascontiguousarray(np.broadcast_to(compute, (sources, experts))),
                wanted=wanted,
                goal=goal,
                charge=charges.error_weight * reserve,
                remote=instance.remote,
                nearest=np.empty((sources, experts, 0), np.int64),
                most=instance.most,
                node_limit=instance.node_limit,
            ),
        )


def scaled(weight: float, joules: Floats) -> Floats:
    """Multiply by a weight; what is impossible stays so at weight 0."""
    if weight == 1.0:
        return joules
    return np.where(np.isinf(joules), np.inf, weight * np.where(np.isinf(joules), 0.0, joules))


def candidate_rounds(layer: Weighed) -> int:
    """Return in how many rounds the tokens name their candidates."""
    _, tokens, experts = layer.score.shape
    if experts <= ALL_CANDIDATES:
        return 1
    named: int = max(tokens * layer.most, 1)
    return max(CANDIDATE_ROUNDS, math.ceil(ALL_CANDIDATES / named))


@kernel
def choose_in_rounds(layer: Weighed, best: Floats, rounds: int, chosen: Flags) -> float:
    """Choose for all tokens at each link's best price, again without the experts chosen so far.

    Marks in `chosen`, (I, C), who was chosen in any round; returns the bound of the first.
    """
    sources, tokens, experts = layer.score.shape
    scratch = token_scratch(tokens, experts, layer.most)
    selected = np.empty((tokens, experts), np.bool_)
    price = np.empty(experts)
    total = 0.0
    for i in range(sources):
        for c in range(experts):
            price[c] = best[i, c]
        for turn in range(rounds):
            choose_tokens(layer, i, 0, tokens, price, selected, scratch)
            for q in range(tokens):
                if turn == 0:
                    total += scratch.bound[q]
                for c in range(experts):
                    if selected[q, c]:
                        chosen[i, c] = True
                        price[c] = np.inf
    return total


def relaxed_bound(layer: Weighed, rounds: int) -> tuple[float, Flags]:
    """Return the bound without C3, and who was chosen in any round, (I, K)."""
    best = np.where(layer.remote, layer.unit.min(axis=2, initial=np.inf), 0.0)
    chosen = np.zeros(best.shape, np.bool_)
    return float(choose_in_rounds(layer, best, rounds, chosen)), chosen


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
