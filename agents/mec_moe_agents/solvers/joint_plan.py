"""Plans of one layer and JESA's descent: experts and subcarriers in turns (Qin et al. 2025)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_agents.solvers.expert_selection import Selected, select_tokens
from mec_moe_agents.solvers.inputs import Instance
from mec_moe_agents.solvers.selection_bound import FEASIBILITY_RTOL
from mec_moe_agents.solvers.subcarrier_allocation import match_links
from mec_moe_env.core.buffers import Flags, Floats, Integers
from mec_moe_env.core.kernels import lean_kernel


def reaches(score: Floats, selected: Flags, threshold: Floats) -> Flags:
    """Say which tokens' selected scores reach their threshold, up to rounding."""
    reached: Floats = (score * selected).sum(axis=-1)
    enough: Flags = (threshold <= 0) | (reached >= threshold * (1.0 - FEASIBILITY_RTOL))
    return enough


class Choice(NamedTuple):
    """Experts without subcarriers."""

    selected: Flags  # (I, Q, K)
    served: Flags  # (I, Q), goal reached


class Plan(NamedTuple):
    """A choice of experts with subcarriers for all its links."""

    selected: Flags
    served: Flags
    load: Integers  # (I, K), states on each link; 0 in situ
    subcarrier: Integers  # (I, K), −1 for links that carry nothing
    charge: float  # of the tokens that are not served, joules
    joules: float  # of all transmissions and computations

    @property
    def serves_all(self) -> bool:
        """Whether every token gets what it asks for."""
        return bool(self.served.all())

    @property
    def value(self) -> float:
        """Joules and charge, to be minimised."""
        return self.joules + self.charge

    def beats(self, other: Plan) -> bool:
        """Say whether this plan alone serves all tokens, or both do or neither, at less value."""
        if self.serves_all != other.serves_all:
            return self.serves_all
        return self.value < other.value * (1.0 - 1e-12)


def select_at_prices(layer: Instance, price: Floats, sources: slice = slice(None)) -> Selected:
    """Select for every token of `sources` when a state on link i→k costs price[i, k] joules."""
    score = layer.score[sources]
    energy = np.empty(score.shape)
    np.add(layer.compute, price[sources, np.newaxis, :], out=energy)
    tokens = (score.shape[0] * score.shape[1], score.shape[2])
    return select_tokens(
        energy.reshape(tokens),
        score.reshape(tokens),
        layer.goal[sources].reshape(-1),
        layer.most,
        layer.node_limit,
    )


def choose_experts(layer: Instance, price: Floats, sources: slice = slice(None)) -> Choice:
    """Return what `select_at_prices` selects, source by source."""
    found = select_at_prices(layer, price, sources)
    shape = layer.score[sources].shape
    return Choice(found.selected.reshape(shape), np.isfinite(found.bound).reshape(shape[:2]))


def assign_subcarriers(layer: Instance, choice: Choice) -> tuple[Plan | None, Flags]:
    """Assign subcarriers to the used links exactly.

    Returns:
        The plan, and (I, K) False; or None, and which links compete for too few subcarriers.
    """
    load: Integers = choice.selected.sum(axis=1) * layer.remote
    used = np.flatnonzero(load)
    unit = layer.unit.reshape(load.size, layer.unit.shape[2])[used]
    weight = load.reshape(-1)[used].astype(np.float64)
    found = match_links(weight, unit, np.array([used.size]), np.ones(1))
    blocked = np.zeros(load.size, np.bool_)
    if (found.subcarrier < 0).any():
        blocked[used] = found.blocked
        return None, blocked.reshape(load.shape)
    subcarrier = np.full(load.size, -1, np.int64)
    subcarrier[used] = found.subcarrier
    tokens = choice.selected.sum(axis=(0, 1))
    chosen = tokens > 0  # an expert that nobody takes may cost an infinite energy
    joules = float(found.energy[0]) + float(tokens[chosen] @ layer.compute[chosen])
    charge = charge_unserved(layer, choice)
    plan = Plan(*choice, load, subcarrier.reshape(load.shape), charge, joules)
    return plan, blocked.reshape(load.shape)


def start_plan(layer: Instance) -> Plan:
    """Start with every link at its best subcarrier, then give each used link one of its own."""
    choice = choose_experts(layer, layer.best)
    while True:
        plan, blocked = assign_subcarriers(layer, choice)
        if plan is not None:
            return plan
        choice = close_one_link(layer, choice, blocked)


def close_one_link(layer: Instance, choice: Choice, blocked: Flags) -> Choice:
    """Close the link that is the cheapest to lose, by what its source then costs.

    Only links that compete for too few subcarriers come into question.
    """
    in_use = choice.selected.any(axis=1) | ~layer.remote
    trials: list[tuple[float, int, Choice]] = []
    for i, k in np.argwhere(blocked):
        price = np.where(in_use, layer.best, np.inf)
        price[i, k] = np.inf
        trial = choose_anew(layer, choice, price, int(i))
        loss = _source_value(layer, trial, int(i)) - _source_value(layer, choice, int(i))
        trials.append((loss, len(trials), trial))
    return min(trials)[2]


def choose_anew(
    layer: Instance, choice: Choice, price: Floats, i: int, tokens: slice | int = slice(None)
) -> Choice:
    """Select anew for source i only, for all or one of its tokens."""
    fresh = choose_experts(layer, price, slice(i, i + 1))
    selected, served = choice.selected.copy(), choice.served.copy()
    selected[i, tokens], served[i, tokens] = fresh.selected[0, tokens], fresh.served[0, tokens]
    return Choice(selected, served)


def _source_value(layer: Instance, choice: Choice, i: int) -> float:
    """Sum source i's energy, with every link at its best subcarrier, and its charge."""
    cost = np.broadcast_to(layer.compute + layer.best[i], choice.selected[i].shape)
    return float(cost[choice.selected[i]].sum()) + charge_unserved(layer, choice, slice(i, i + 1))


def charge_unserved(layer: Instance, choice: Choice, sources: slice = slice(None)) -> float:
    """Return Σ ρ_q(1 + m_q) over the tokens of `sources` that are not served, in joules.

    The charge of `DMoEEnv` where S < L: ρ_q, the reserve, is what a token's top experts cost over
    the worst subcarriers, and m_q is the share of its goal that is missing.
    """
    short = ~choice.served[sources]
    if not short.any():
        return 0.0
    relevance = (layer.score[sources] * choice.selected[sources]).sum(axis=2)[short]
    missing = 1.0 - relevance / layer.goal[sources][short]
    return float(layer.reserve[sources][short] @ (1.0 + missing))


def descend(layer: Instance, plan: Plan, max_iterations: int) -> list[Plan]:
    """Alternate between selection and assignment while the plan gets better.

    Two links may open on the same free subcarrier; the assignment settles that, and an iteration
    whose outcome is not better is undone and ends the descent.

    Returns:
        The plan, and those that followed.
    """
    plans = [plan]
    for _ in range(max_iterations - 1):
        price = link_prices(layer, plans[-1])
        trial, _ = assign_subcarriers(layer, choose_experts(layer, price))
        if trial is None or not trial.beats(plans[-1]):
            break
        plans.append(trial)
    return plans


def link_prices(layer: Instance, plan: Plan) -> Floats:
    """Price every link at its subcarrier, an unused one at its best free one, (I, K) joules."""
    price = np.zeros(plan.subcarrier.shape)
    taken = np.zeros(layer.unit.shape[2], np.bool_)
    price_links(plan.subcarrier, layer.unit, layer.remote, taken, price)
    return price


@lean_kernel
def price_links(
    subcarrier: Integers, unit: Floats, remote: Flags, taken: Flags, price: Floats
) -> None:
    """Write the prices, (I, K) zeros; `taken` is scratch, (S,) False."""
    sources, experts, subcarriers = unit.shape
    for i in range(sources):
        for k in range(experts):
            if subcarrier[i, k] >= 0:
                taken[subcarrier[i, k]] = True
                price[i, k] = unit[i, k, subcarrier[i, k]]
    for i in range(sources):
        for k in range(experts):
            if subcarrier[i, k] >= 0 or not remote[i, k]:
                continue
            price[i, k] = np.inf
            for s in range(subcarriers):
                if not taken[s] and unit[i, k, s] < price[i, k]:
                    price[i, k] = unit[i, k, s]
