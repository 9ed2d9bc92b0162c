"""The least value of a layer in the return's own terms, by mixed-integer programming.

To the program of `exact` come, for each token, whether it is violated, v binary, and what it
misses of the wanted relevance, m ≥ 0. With the relevance as a share u = Σ g·α / t_q, and ε the
tolerance: either u ≥ 1 − ε or v = 1, and m ≥ 1 − u − ε·(1 − v). A violation costs ρ·(v + m).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import LinearConstraint
from scipy.sparse import block_array, block_diag, csr_array, eye_array

from mec_moe_agents.solvers.charges import Charges, layer_value
from mec_moe_agents.solvers.exact import (
    JointModel,
    ask_for_another,
    build_model,
    solve_model,
)
from mec_moe_agents.solvers.expert_selection import NODE_LIMIT
from mec_moe_agents.solvers.inputs import LayerProblem, positive
from mec_moe_agents.solvers.joint_plan import Choice, assign_subcarriers, reaches
from mec_moe_agents.solvers.layer_bound import layer_bound
from mec_moe_env.core.buffers import Flags, Floats

# As in `exact`, but here the tolerance ε itself enters the constraints, next to HiGHS's own.
PROVEN_GAP = 1e-6


@dataclass(frozen=True)
class ExactOptimum:
    """The outcome of `optimise_exactly`."""

    selected: NDArray[np.bool_]
    """(I, Q, K); all False when the time did not suffice for any allocation."""
    subcarrier: NDArray[np.int64]
    """(I, K), −1 for a link that carries nothing."""
    value: float
    """w_energy·J + w_err·(charge of the violated tokens); of doing nothing when none was found."""
    bound: float
    """No allocation has a lower value."""
    gap: float
    """(value − bound)/value, 0 when the value is 0."""
    proven: bool
    """Whether the gap is at most 1e-6."""


def optimise_exactly(
    problem: LayerProblem, charges: Charges, *, time_limit: float = 60.0
) -> ExactOptimum:
    """Minimise one layer's value to optimality (HiGHS through SciPy), the oracle for small layers.

    HiGHS accepts small violations, so its answer is only taken for which experts it selects: a set
    that it wrongly counts as meeting the goal is ruled out and the program solved again, and the
    assignment and the value are computed anew, exactly.

    Args:
        problem: one layer, no batch.
        charges: of that problem, see `charge_layer`.
        time_limit: seconds, > 0.

    Raises:
        ValueError: a batch, or `time_limit` not above 0.
    """
    if problem.batch:
        raise ValueError(f"score has batch axes {problem.batch}; optimise_exactly takes one layer")
    end = time.monotonic() + positive("time_limit", time_limit)
    (layer,) = problem.instances(NODE_LIMIT)
    layer = layer._replace(goal=charges.goal)
    selected = np.zeros(layer.score.shape, np.bool_)
    subcarrier = np.full(layer.best.shape, -1, np.int64)
    bound = float(layer_bound(problem, charges))
    model = with_violations(build_model(layer, 1.0), layer.score, charges, bound or 1.0)
    while (left := end - time.monotonic()) > 0:
        found, highs_bound = solve_model(model, left)
        bound = max(bound, highs_bound)
        if found is None:
            break
        chosen = (found[: selected.size] > 0.5).reshape(selected.shape)
        met = reaches(layer.score, chosen, layer.goal)
        if rule_out(model, found, chosen, met):
            continue
        plan, _ = assign_subcarriers(layer, Choice(chosen, met))
        if plan is not None:
            selected, subcarrier = plan.selected, plan.subcarrier
        break
    value = float(layer_value(problem, charges, selected, subcarrier))
    bound = min(bound, value)  # HiGHS's is exact only to its tolerances
    gap = (value - bound) / value if value > 0 else 0.0
    return ExactOptimum(selected, subcarrier, value, bound, gap, gap <= PROVEN_GAP)


def with_violations(model: JointModel, score: Floats, charges: Charges, scale: float) -> JointModel:
    """Add v and m to a model whose costs are in joules; `scale` is the new unit of value."""
    tokens, experts = charges.wanted.size, score.shape[2]
    wanted = charges.wanted.reshape(-1)
    size = np.where(wanted > 0, wanted, 1.0)
    share = [csr_array(row) for row in (score.reshape(tokens, 1, experts) / size[:, None, None])]
    old = model.cost.size
    relevance = block_array([[block_diag(share), csr_array((tokens, old - score.size))]])
    eye = eye_array(tokens)
    old_rows: Any = model.limits.A  # sparse, its first rows ask for the thresholds
    blocks: list[list[Any]] = [
        [old_rows, eye_array(old_rows.shape[0], tokens), None],
        [relevance, -charges.tolerance * eye, eye],
    ]
    rows: Any = block_array(blocks, format="csr")
    asked = (1.0 - charges.tolerance) * (wanted > 0)
    lower = np.concatenate([model.limits.lb, asked])
    upper = np.concatenate([model.limits.ub, np.full(tokens, np.inf)])
    charge = np.tile(charges.error_weight * charges.reserve.reshape(-1), 2)
    return model._replace(
        cost=np.concatenate([charges.energy_weight * model.cost, charge]) / scale,
        upper=np.concatenate([model.upper, np.ones(2 * tokens)]),
        limits=LinearConstraint(rows, lower, upper),
        integral=np.concatenate([model.integral, np.repeat([True, False], tokens)]),
        scale=scale,
    )


def rule_out(model: JointModel, found: Floats, chosen: Flags, met: Flags) -> bool:
    """Ask of every token that misses its goal with v = 0 for another expert, or for v = 1."""
    first = found.size - 2 * met.size
    wrong: Flags = ~met & (found[first : first + met.size].reshape(met.shape) < 0.5)
    ask_for_another(model, chosen, wrong, first)
    return bool(wrong.any())
