"""References for the joint problem: a lower bound, and the true optimum of small instances.

The optimum comes from a mixed-integer program. Variables, in this order: the selections α
(I, Q, K); which link owns which subcarrier, y (I, K, S); and how a token's state travels,
f (I, Q, K, S) with Σ_s f = α and f ≤ y, which makes the energy linear. With α and y binary, f is
so by itself.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import block_array, block_diag, csr_array, diags_array, eye_array, kron

from mec_moe_agents.solvers.expert_selection import NODE_LIMIT
from mec_moe_agents.solvers.inputs import Instance, LayerProblem, positive
from mec_moe_agents.solvers.joint_plan import (
    Choice,
    Plan,
    assign_subcarriers,
    reaches,
    select_at_prices,
)
from mec_moe_env.core.buffers import Flags, Floats

# Gap below which HiGHS's optimum counts as proven: its own arithmetic is no finer.
PROVEN_GAP = 1e-7
INFEASIBLE = 2  # SciPy's status
SOLVER_ERROR = 4  # likewise; HiGHS's presolve fails now and then where the solver does not
# Costs this far above the lower bound leave HiGHS's arithmetic: they are ruled out, and an
# allocation that exists without them is cheaper than any with them.
LARGEST_COST = 1e12


@dataclass(frozen=True)
class ExactAllocation:
    """The outcome of `solve_exactly`."""

    selected: NDArray[np.bool_]
    """(I, Q, K); all False when no allocation was found."""
    subcarrier: NDArray[np.int64]
    """(I, K), −1 for a link that carries nothing."""
    energy: float
    """Joules; +inf when no allocation was found."""
    feasible: NDArray[np.bool_]
    """(I, Q), whether the token's threshold is reached."""
    bound: float
    """No allocation needs less; +inf when none exists."""
    gap: float
    """(energy − bound)/energy, 0 when the energy is 0; NaN when no allocation was found."""
    proven: bool
    """Whether the gap is at most 1e-7, or that no allocation exists is certain."""


def lower_bound(problem: LayerProblem, *, node_limit: int = NODE_LIMIT) -> NDArray[np.float64]:
    """Bound the energy from below: LB(γ0, D) of Qin et al. 2025.

    Every link is at its own best subcarrier and C3 is ignored. Tokens whose threshold no allowed
    set reaches count with their top `max_experts`, as in `allocate_jointly`. It bounds every
    allocation that gives all tokens what they ask for.

    Args:
        problem: one layer or a batch.
        node_limit: of the tree search for each token.

    Returns:
        Joules, (...,).

    Raises:
        ValueError: `node_limit` is not an integer ≥ 0.
    """
    layers = problem.instances(node_limit)
    bounds = [select_at_prices(layer, layer.best).bound.sum() for layer in layers]
    return np.array(bounds, dtype=np.float64).reshape(problem.batch)


def solve_exactly(problem: LayerProblem, *, time_limit: float = 60.0) -> ExactAllocation:
    """Solve one layer to optimality by mixed-integer programming (HiGHS through SciPy).

    A token whose threshold no allowed set reaches must get its top `max_experts` by score; every
    other token must reach its threshold. So there may be no allocation at all where JESA has to
    give tokens less than they ask for.

    HiGHS accepts small violations, so its answer is only taken for which experts it selects: a set
    that misses its threshold is cut off and the program solved again, and the assignment and the
    energy are computed anew, exactly.

    Args:
        problem: one layer, no batch.
        time_limit: seconds, > 0.

    Raises:
        ValueError: a batch, or `time_limit` not above 0.
    """
    if problem.batch:
        raise ValueError(f"score has batch axes {problem.batch}; solve_exactly takes one layer")
    end = time.monotonic() + positive("time_limit", time_limit)
    (layer,) = problem.instances(NODE_LIMIT)
    bound = float(lower_bound(problem))
    model = build_model(layer, bound or 1.0)
    while (left := end - time.monotonic()) > 0:
        selected, highs_bound = run_highs(model, left)
        bound = max(bound, highs_bound)
        if selected is None:
            break
        served = reaches(layer.score, selected, layer.goal)
        if served.all():
            plan, _ = assign_subcarriers(layer, Choice(selected, served))
            return _report(layer, plan, bound)
        ask_for_another(model, selected, ~served)
    return _report(layer, None, bound)


def ask_for_another(
    model: JointModel, selected: Flags, misses: Flags, excuses: int | None = None
) -> None:
    """Ask every token that misses its goal, (I, Q), for one more expert from outside its set.

    Or for its excuse, where tokens have one: a binary variable each, from `excuses` on.
    """
    for token in np.flatnonzero(misses):
        cut = np.zeros(model.cost.size)
        outside = cut[: selected.size].reshape(misses.size, -1)
        outside[token] = ~selected.reshape(outside.shape)[token]
        if excuses is not None:
            cut[excuses + token] = 1.0
        model.cuts.append(cut)


def _report(layer: Instance, plan: Plan | None, bound: float) -> ExactAllocation:
    """Compare with the bound what was found, if anything was."""
    if plan is None:
        nothing, no_link = np.zeros(layer.score.shape, np.bool_), np.full(layer.best.shape, -1)
        unreached = np.zeros(layer.goal.shape, np.bool_)
        certain = bound == np.inf
        return ExactAllocation(nothing, no_link, np.inf, unreached, bound, np.nan, certain)
    # HiGHS's bound is exact only to its tolerances, and no bound exceeds what was reached.
    bound = min(bound, plan.joules)
    gap = (plan.joules - bound) / plan.joules if plan.joules > 0 else 0.0
    feasible = reaches(layer.score, plan.selected, layer.threshold)
    return ExactAllocation(
        plan.selected, plan.subcarrier, plan.joules, feasible, bound, gap, gap <= PROVEN_GAP
    )


class JointModel(NamedTuple):
    """What HiGHS is given."""

    cost: Floats  # of all variables, in units of `scale` joules
    upper: Floats  # bounds of all variables; the lower ones are 0
    limits: LinearConstraint
    cuts: list[Floats]  # rows over the variables, of which each must be at least 1; grows
    integral: Flags  # which variables are binary
    shape: tuple[int, int, int, int]  # (I, Q, K, S)
    scale: float
    complete: bool  # whether no finite cost was ruled out for its size


def build_model(layer: Instance, scale: float) -> JointModel:
    """Write down the program, with costs in units of `scale` joules."""
    sources, tokens, experts = layer.score.shape
    largest = min(LARGEST_COST * scale, np.finfo(np.float64).max)
    usable = (layer.unit <= largest) & layer.remote[:, :, None]
    unit = np.where(usable, layer.unit, 0.0)
    compute = np.where(layer.compute <= largest, layer.compute, 0.0)
    reachable = ((layer.compute <= largest) & (layer.best <= largest))[:, None, :]
    flow_cost = np.repeat(unit[:, None], tokens, axis=1)
    flow_usable = np.repeat(usable[:, None], tokens, axis=1)
    selectable = np.broadcast_to(reachable, layer.score.shape)
    cost = [np.tile(compute, sources * tokens), np.zeros(unit.size), flow_cost.reshape(-1)]
    upper = [part.reshape(-1).astype(float) for part in (selectable, usable, flow_usable)]
    given = np.concatenate([layer.compute, layer.unit[layer.remote].reshape(-1)])
    return JointModel(
        np.concatenate(cost) / scale,
        np.concatenate(upper),
        _limits(layer),
        [],
        np.repeat([True, False], [selectable.size + unit.size, flow_usable.size]),
        (sources, tokens, experts, layer.unit.shape[2]),
        scale,
        complete=bool((np.isinf(given) | (given <= largest)).all()),
    )


def _limits(layer: Instance) -> LinearConstraint:
    """Build C1, C2, C3, one subcarrier per link, Σ_s f = α, and f ≤ y."""
    sources, tokens, experts = layer.score.shape
    subcarriers = layer.unit.shape[2]
    selections, links = sources * tokens * experts, sources * experts
    flows = selections * subcarriers
    limit = np.maximum(layer.goal, 0.0).reshape(-1)
    # A row per token, scaled to a threshold of 1 so that HiGHS's tolerance means the same to all.
    size = np.where(limit > 0, limit, 1.0)
    # A score above the threshold is worth no more than the threshold.
    scores = np.minimum(layer.score.reshape(-1, experts), size[:, None]) / size[:, None]
    cover = block_diag([csr_array(row[None, :]) for row in scores])
    count = kron(eye_array(sources * tokens), np.ones((1, experts)))
    each_subcarrier = kron(np.ones((1, links)), eye_array(subcarriers))
    each_link = kron(eye_array(links), np.ones((1, subcarriers)))
    travels = kron(eye_array(selections), np.ones((1, subcarriers)))
    owner = kron(eye_array(sources), kron(np.ones((tokens, 1)), eye_array(experts * subcarriers)))
    remote = np.repeat(layer.remote[:, None], tokens, axis=1).reshape(-1).astype(float)
    rows: Any = block_array(
        [
            [cover, None, None],
            [count, None, None],
            [None, each_subcarrier, None],
            [None, each_link, None],
            [-diags_array(remote), None, travels],
            [None, -owner, eye_array(flows)],
        ],
        format="csr",
    )
    heights = [limit.size, limit.size, subcarriers, links, selections, flows]
    row_lower = np.repeat([0.0, -np.inf, -np.inf, -np.inf, 0.0, -np.inf], heights)
    row_lower[: limit.size] = limit / size
    row_upper = np.repeat([np.inf, float(layer.most), 1.0, 1.0, 0.0, 0.0], heights)
    return LinearConstraint(rows, row_lower, row_upper)


def run_highs(model: JointModel, seconds: float) -> tuple[Flags | None, float]:
    """Return selections or None, and a lower bound in joules: +inf if no allocation exists."""
    found, bound = solve_model(model, seconds)
    if found is None:
        return None, bound
    shape = model.shape[:3]
    selected: Flags = (found[: math.prod(shape)] > 0.5).reshape(shape)
    return selected, bound


def solve_model(model: JointModel, seconds: float) -> tuple[Floats | None, float]:
    """Return all variables or None, and a lower bound in units of the costs before scaling."""
    constraints = [model.limits]
    if model.cuts:
        constraints.append(LinearConstraint(csr_array(np.stack(model.cuts)), 1.0, np.inf))
    for presolve in (True, False):
        result = milp(
            model.cost,
            integrality=model.integral.astype(np.int64),
            bounds=Bounds(0.0, model.upper),
            constraints=constraints,
            options={"time_limit": seconds, "mip_rel_gap": 0.0, "presolve": presolve},
        )
        if result.status != SOLVER_ERROR:
            break
    if result.status == INFEASIBLE:
        return None, np.inf if model.complete else -np.inf
    dual = getattr(result, "mip_dual_bound", None)
    bound = -np.inf if dual is None else float(dual) * model.scale
    return result.x, bound
