"""JESA and JESA+: experts and subcarriers of one layer together (Qin et al. 2025)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.solvers.expert_selection import Selected, select_tokens
from mec_moe_agents.solvers.inputs import Instance, LayerProblem, whole
from mec_moe_agents.solvers.selection_bound import FEASIBILITY_RTOL
from mec_moe_agents.solvers.subcarrier_allocation import match_links
from mec_moe_env.core.buffers import Flags, Floats, Integers
from mec_moe_env.core.kernels import lean_kernel

# Each selection inside JESA: enough for any gate seen, small enough for a step of an environment.
NODE_LIMIT = 20_000
MAX_ITERATIONS = 64
# Iterations of the descent after a move of JESA+.
ITERATIONS_AFTER_MOVE = 16


@dataclass(frozen=True)
class JointAllocation:
    """Experts and subcarriers of one layer; leading axes as in the problem."""

    selected: NDArray[np.bool_]
    """(..., I, Q, K)."""
    subcarrier: NDArray[np.int64]
    """(..., I, K), −1 for a link that carries nothing."""
    energy: NDArray[np.float64]
    """(...,) joules of all transmissions and computations."""
    feasible: NDArray[np.bool_]
    """(..., I, Q), whether the token's threshold is reached."""
    served: NDArray[np.bool_]
    """(..., I, Q), whether the token gets what it asks for: its threshold, or the best it can
    reach where that is less. False only where links outnumber subcarriers."""
    trace: NDArray[np.float64]
    """(..., n) joules after every iteration that the plan kept, with the charge of tokens that are
    not served, from the first plan on that serves as many as the last one, all or not all; never
    rises; filled up with its last value where batch entries took fewer."""
    evaluations: NDArray[np.int64]
    """(...,), the descents it took: 1 for JESA, 1 and the moves for JESA+."""


def allocate_jointly(
    problem: LayerProblem, *, node_limit: int = NODE_LIMIT, max_iterations: int = MAX_ITERATIONS
) -> JointAllocation:
    """Allocate by JESA: alternating expert selection and assignment (Qin et al. 2025, P1).

    Tokens are selected for exactly (DES) with every link at its best subcarrier; used links are
    then assigned exactly; tokens are selected for again at the prices that follow, an unused link
    at its best free subcarrier (reconstructed); and so on until the plan stops improving. Optimal
    when all links' best subcarriers differ; otherwise a local optimum.

    A token whose threshold no allowed set reaches asks for its top `max_experts` by score among
    the experts that it can reach (less those of score 0, which add nothing), and is reported
    infeasible. Where more links are in use than subcarriers can serve, P1 says nothing about whom
    to leave out. Links are then closed one by one, each time the one that is the cheapest to lose:
    its tokens choose anew over the remaining links, or get less than they ask for, the top
    `max_experts` of what they still reach, and are charged as `DMoEEnv` charges a violation (our
    extension). C2 and C3 hold in every case.

    Args:
        problem: one layer or a batch.
        node_limit: of the tree search for each token.
        max_iterations: most iterations, each a selection and an assignment.

    Example:
        >>> import numpy as np
        >>> from mec_moe_agents.solvers import LayerProblem, allocate_jointly
        >>> problem = LayerProblem(
        ...     score=[[[0.5, 0.3, 0.2]]],  # one token, whose source is node 0
        ...     rate=np.full((1, 3, 2), [1e6, 2e6]),
        ...     compute_energy=[1e-3, 1e-3, 1e-3],
        ...     threshold=0.7,
        ...     max_experts=2,
        ...     state_bits=1e4,
        ...     power=0.1,
        ... )
        >>> found = allocate_jointly(problem)
        >>> found.selected, found.subcarrier, float(found.energy)
        (array([[[ True,  True, False]]]), array([[-1,  1, -1]]), 0.0025)

    Raises:
        ValueError: `node_limit` is not an integer ≥ 0, or `max_iterations` not one ≥ 1.
    """
    return allocate_jointly_plus(
        problem, node_limit=node_limit, max_iterations=max_iterations, effort=0
    )


def allocate_jointly_plus(
    problem: LayerProblem,
    *,
    node_limit: int = NODE_LIMIT,
    max_iterations: int = MAX_ITERATIONS,
    effort: int = 2000,
) -> JointAllocation:
    """Allocate by JESA+: JESA, then a local search over open links (our extension).

    JESA's descent stops where no single block can improve, though a link may be worth closing to
    free its subcarrier for others, or opening at a subcarrier that somebody else holds. A move
    closes or opens one or two links, for a whole source or for one token, re-selects, re-assigns
    and descends again, so the cost is up to `effort` times a descent; `evaluations` counts them.
    Never worse than JESA: it serves all tokens if JESA does, and then saves energy; otherwise it
    saves energy and charges together.

    Args:
        problem: as in `allocate_jointly`, with the next two.
        node_limit: of the tree search for each token.
        max_iterations: most iterations of the first descent.
        effort: most moves to try; 0 is JESA.

    Raises:
        ValueError: as `allocate_jointly`, or `effort` not an integer ≥ 0.
    """
    moves = whole("effort", effort, 0)
    iterations = whole("max_iterations", max_iterations, 1)
    batch, arrays = problem.batch, problem.arrays
    selected = np.zeros((*batch, *arrays.score.shape[1:]), np.bool_)
    served = np.zeros((*batch, *arrays.goal.shape[1:]), np.bool_)
    subcarrier = np.full((*batch, *arrays.best.shape[1:]), -1, np.int64)
    energy = np.zeros(batch)
    evaluations = np.ones(batch, np.int64)
    traces = []
    for b, layer in zip(np.ndindex(*batch), problem.instances(node_limit), strict=True):
        plans = descend(layer, start_plan(layer), iterations)
        evaluations[b] += refine(layer, plans, moves)
        plan = plans[-1]
        selected[b], served[b], subcarrier[b] = plan.selected, plan.served, plan.subcarrier
        energy[b] = plan.joules
        # To serve all tokens comes first and may cost energy: the trace begins anew there.
        traces.append([each.value for each in plans if each.serves_all == plan.serves_all])
    longest = max(map(len, traces), default=1)
    padded = np.array([trace + trace[-1:] * (longest - len(trace)) for trace in traces])
    trace = padded.reshape(*batch, longest)
    reached = reaches(arrays.score, selected.reshape(arrays.score.shape), arrays.threshold)
    feasible = reached.reshape(served.shape)
    return JointAllocation(selected, subcarrier, energy, feasible, served, trace, evaluations)


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


# Close the link of a source to an expert if it carries states, else open it; for one token or all.
Move = tuple[int, int, slice | int]


def refine(layer: Instance, plans: list[Plan], effort: int) -> int:
    """Append better plans, by single moves, then by pairs, until none helps or `effort` is spent.

    Returns:
        The number of moves tried.
    """
    tried = 0
    while tried < effort:
        plan = plans[-1]
        base = link_prices(layer, plan)
        for moves in islice(neighbourhood(layer, plan), effort - tried):
            tried += 1
            trial, _ = assign_subcarriers(layer, apply_moves(layer, plan, base, moves))
            if trial is None:
                continue
            trial = descend(layer, trial, ITERATIONS_AFTER_MOVE)[-1]
            if trial.beats(plan):
                plans.append(trial)
                break
        else:
            break
    return tried


def neighbourhood(layer: Instance, plan: Plan) -> Iterator[tuple[Move, ...]]:
    """Yield the single moves worth trying, closings first, then the pairs."""
    moves: list[Move] = []
    for i, k in np.argwhere(plan.load > 0):
        moves.append((int(i), int(k), slice(None)))
        if plan.load[i, k] > 1:
            tokens = np.flatnonzero(plan.selected[i, :, k])
            moves.extend((int(i), int(k), int(q)) for q in tokens)
    within_reach = np.isfinite(layer.best + layer.compute) & layer.remote
    for i, k in np.argwhere(within_reach & (plan.load == 0)):
        moves.append((int(i), int(k), slice(None)))
    yield from ((move,) for move in moves)
    yield from combinations(moves, 2)


def apply_moves(layer: Instance, plan: Plan, base: Floats, moves: tuple[Move, ...]) -> Choice:
    """Select anew after the moves changed the prices `base` of their links."""
    price = base.copy()
    choice = Choice(plan.selected, plan.served)
    for i, k, tokens in moves:
        price[i, k] = np.inf if plan.load[i, k] else layer.best[i, k]
        choice = choose_anew(layer, choice, price, i, tokens)
    return choice
