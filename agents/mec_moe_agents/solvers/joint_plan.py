"""A layer's scheduling problem, a plan for it, and the two exact steps between which JESA turns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.solvers.assignment import assign, new_matching
from mec_moe_agents.solvers.expert_selection import select_batch
from mec_moe_env.core.kernels import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Layer(NamedTuple):
    """What is given: I sources with Q tokens each, K experts, S subcarriers.

    Attributes:
        score: (I, Q, K).
        unit: (I, K, S) joules to send one state over a link's subcarrier, +inf where impossible.
        best: (I, K) the least of them; 0 in situ.
        compute: (K,) joules per token, +inf where unavailable.
        goal: (I, Q) the score to reach: the threshold, or all that the token's best experts offer
            where that is less.
        remote: (I, K) bool, False in situ.
        most: most experts per token.
        node_limit: of each selection.
    """

    score: Floats
    unit: Floats
    best: Floats
    compute: Floats
    goal: Floats
    remote: Flags
    most: int
    node_limit: int


class Choice(NamedTuple):
    """Experts without subcarriers: `selected` (I, Q, K), and `served` (I, Q): goal reached."""

    selected: Flags
    served: Flags


class Plan(NamedTuple):
    """A valid plan.

    Attributes:
        selected: (I, Q, K).
        served: (I, Q), goal reached.
        load: (I, K) states on each link; 0 in situ.
        subcarrier: (I, K), −1 for links that carry nothing.
        missed: tokens that are not served.
        joules: energy of all transmissions and computations.
    """

    selected: Flags
    served: Flags
    load: Ints
    subcarrier: Ints
    missed: int
    joules: float

    def beats(self, other: Plan) -> bool:
        """Say whether this plan misses fewer tokens, or as many and costs less energy."""
        if self.missed != other.missed:
            return self.missed < other.missed
        return self.joules < other.joules * (1.0 - 1e-12)


def select_tokens(layer: Layer, price: Floats, sources: slice = slice(None)) -> Choice:
    """Select for every token of `sources` when a state on link i→k costs price[i, k] joules."""
    score = layer.score[sources]
    energy = np.empty(score.shape)
    np.add(layer.compute, price[sources, None, :], out=energy)
    selected = np.zeros(score.shape, np.bool_)
    served = np.empty(score.shape[:2], np.bool_)
    rows, experts = served.size, score.shape[2]
    select_batch(
        energy.reshape(rows, experts),
        score.reshape(rows, experts),
        layer.goal[sources].reshape(rows),
        layer.most,
        layer.node_limit,
        0.0,
        selected.reshape(rows, experts),
        np.empty((rows, 2)),
        served.reshape(rows),
        np.empty(rows, np.int64),
    )
    return Choice(selected, served)


def count_load(layer: Layer, choice: Choice) -> Ints:
    """Count the states on each link, (I, K)."""
    load: Ints = choice.selected.sum(axis=1) * layer.remote
    return load


def assign_subcarriers(layer: Layer, choice: Choice) -> tuple[Plan | None, Flags]:
    """Assign subcarriers to the used links exactly.

    Returns:
        The plan, and (I, K) False; or None, and which links compete for too few subcarriers.
    """
    load = count_load(layer, choice)
    subcarrier = np.full(load.shape, -1, np.int64)
    blocked = np.zeros(load.shape, np.bool_)
    joules, unmatched = match_links(load, layer.unit, subcarrier, blocked)
    if unmatched:
        return None, blocked
    used = choice.selected.any(axis=(0, 1))
    joules += float(choice.selected.sum(axis=(0, 1))[used] @ layer.compute[used])
    missed = int(choice.served.size - np.count_nonzero(choice.served))
    return Plan(*choice, load, subcarrier, missed, joules), blocked


@compiled
def match_links(load: Ints, unit: Floats, subcarrier: Ints, blocked: Flags) -> tuple[float, int]:
    """Match loaded links to subcarriers; return the joules and how many links found none."""
    sources, experts, subcarriers = unit.shape
    links = sources * experts
    link = np.empty(links, np.int64)
    weight = np.empty(links)
    rows = 0
    for i in range(sources):
        for k in range(experts):
            if load[i, k] > 0:
                link[rows] = i * experts + k
                weight[rows] = load[i, k]
                rows += 1
    flat = unit.reshape(links, subcarriers)
    matching = new_matching(rows, subcarriers)
    unmatched = assign(flat, link, weight, rows, matching)
    joules = 0.0
    for r in range(rows):
        i, k, s = link[r] // experts, link[r] % experts, matching.column[r]
        subcarrier[i, k] = s
        blocked[i, k] = matching.blocked[r]
        if s >= 0:
            joules += weight[r] * flat[link[r], s]
    return joules, unmatched


@compiled
def price_links(subcarrier: Ints, unit: Floats, remote: Flags) -> Floats:
    """Price every link at its subcarrier, an unused one at its best free one, (I, K) joules."""
    sources, experts, subcarriers = unit.shape
    free = np.ones(subcarriers, np.bool_)
    for i in range(sources):
        for k in range(experts):
            if subcarrier[i, k] >= 0:
                free[subcarrier[i, k]] = False
    price = np.zeros((sources, experts))
    for i in range(sources):
        for k in range(experts):
            if not remote[i, k]:
                continue
            if subcarrier[i, k] >= 0:
                price[i, k] = unit[i, k, subcarrier[i, k]]
                continue
            price[i, k] = np.inf
            for s in range(subcarriers):
                if free[s] and unit[i, k, s] < price[i, k]:
                    price[i, k] = unit[i, k, s]
    return price
