"""The joint problem as a mixed-integer program.

Variables, in this order: the selections α (I, Q, K); which link owns which subcarrier, y (I, K, S);
and how a token's state travels, f (I, Q, K, S) with Σ_s f = α and f ≤ y, which makes the energy
linear. With α and y binary, f is so by itself.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import block_diag, csr_array, eye_array, hstack, kron, vstack

from mec_moe_agents.solvers.joint_plan import Flags, Floats, Layer

INFEASIBLE = 2  # SciPy's status
# Costs this far above the lower bound leave HiGHS's arithmetic: they are ruled out, and an
# allocation that exists without them is cheaper than any with them.
LARGEST_COST = 1e12


class JointModel(NamedTuple):
    """What HiGHS is given.

    Attributes:
        cost: of all variables, in units of `scale` joules.
        upper: bounds of all variables; the lower ones are 0.
        rows: constraint matrix.
        row_lower, row_upper: its sides.
        cuts: rows over α of which each must be at least 1.
        shape: (I, Q, K, S).
        scale: joules.
        complete: whether no finite cost was ruled out for its size.
    """

    cost: Floats
    upper: Floats
    rows: Any
    row_lower: Floats
    row_upper: Floats
    cuts: list[Floats]
    shape: tuple[int, int, int, int]
    scale: float
    complete: bool


def build_model(layer: Layer, scale: float) -> JointModel:
    """Write down the program, with costs in units of `scale` joules."""
    sources, tokens, experts = layer.score.shape
    subcarriers = layer.unit.shape[2]
    largest = min(LARGEST_COST * scale, np.finfo(np.float64).max)
    usable = (layer.unit <= largest) & layer.remote[:, :, None]
    unit = np.where(usable, layer.unit, 0.0)
    compute = np.where(layer.compute <= largest, layer.compute, 0.0)
    cost = [np.tile(compute, sources * tokens), np.zeros(unit.size)]
    cost.append(np.repeat(unit[:, None], tokens, axis=1).reshape(-1))
    reachable = ((layer.compute <= largest) & (layer.best <= largest))[:, None, :]
    upper = [np.broadcast_to(reachable, layer.score.shape).reshape(-1).astype(float)]
    upper += [usable.reshape(-1).astype(float)]
    upper.append(np.repeat(usable[:, None], tokens, axis=1).reshape(-1).astype(float))
    rows, row_lower, row_upper = _rows(layer)
    return JointModel(
        np.concatenate(cost) / scale,
        np.concatenate(upper),
        rows,
        row_lower,
        row_upper,
        [],
        (sources, tokens, experts, subcarriers),
        scale,
        _all_within(layer, largest),
    )


def _all_within(layer: Layer, largest: float) -> bool:
    """Say whether no finite cost was ruled out."""
    costs = np.concatenate([layer.compute, layer.unit[layer.remote].reshape(-1)])
    return bool((np.isinf(costs) | (costs <= largest)).all())


def _rows(layer: Layer) -> tuple[Any, Floats, Floats]:
    """Build C1, C2, C3, one subcarrier per link, Σ_s f = α, and f ≤ y."""
    sources, tokens, experts = layer.score.shape
    subcarriers = layer.unit.shape[2]
    selections, links = sources * tokens * experts, sources * experts
    owners, flows = links * subcarriers, selections * subcarriers
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
    blank = csr_array
    rows = vstack(
        [
            hstack([cover, blank((limit.size, owners + flows))]),
            hstack([count, blank((limit.size, owners + flows))]),
            hstack(
                [blank((subcarriers, selections)), each_subcarrier, blank((subcarriers, flows))]
            ),
            hstack([blank((links, selections)), each_link, blank((links, flows))]),
            hstack([-_diagonal(remote), blank((selections, owners)), travels]),
            hstack([blank((flows, selections)), -owner, eye_array(flows)]),
        ],
        format="csr",
    )
    above = np.full(limit.size + subcarriers + links, -np.inf)
    row_lower = [limit / size, above, np.zeros(selections), np.full(flows, -np.inf)]
    row_upper = [np.full(limit.size, np.inf), np.full(limit.size, float(layer.most))]
    row_upper += [np.ones(subcarriers + links), np.zeros(selections + flows)]
    return rows, np.concatenate(row_lower), np.concatenate(row_upper)


def _diagonal(values: NDArray[np.float64]) -> Any:
    """Build a sparse diagonal matrix."""
    index = np.arange(values.size)
    return csr_array((values, (index, index)), shape=(values.size, values.size))


def run_highs(model: JointModel, seconds: float) -> tuple[Flags | None, float, bool]:
    """Solve the program.

    Returns:
        (selections or None, lower bound in joules, whether no allocation exists)
    """
    sources, tokens, experts, subcarriers = model.shape
    selections = sources * tokens * experts
    binary = selections + sources * experts * subcarriers
    constraints = [LinearConstraint(model.rows, model.row_lower, model.row_upper)]
    if model.cuts:
        matrix = np.zeros((len(model.cuts), model.cost.size))
        matrix[:, :selections] = model.cuts
        constraints.append(LinearConstraint(csr_array(matrix), 1.0, np.inf))
    result = milp(
        model.cost,
        integrality=(np.arange(model.cost.size) < binary).astype(np.int64),
        bounds=Bounds(0.0, model.upper),
        constraints=constraints,
        options={"time_limit": seconds, "mip_rel_gap": 0.0},
    )
    if result.status == INFEASIBLE:
        return None, np.inf, True
    dual = getattr(result, "mip_dual_bound", None)
    bound = -np.inf if dual is None else float(dual) * model.scale
    if result.x is None:
        return None, bound, False
    selected: Flags = (result.x[:selections] > 0.5).reshape(sources, tokens, experts)
    return selected, bound, False
