"""What no allocation of a layer undercuts in the return's own terms (our extension)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.solvers.charges import Charges
from mec_moe_agents.solvers.inputs import Instance, LayerProblem
from mec_moe_agents.solvers.joint_allocation import NODE_LIMIT
from mec_moe_agents.solvers.token_choice import Weighed, choose_tokens, token_scratch
from mec_moe_env.core.buffers import Flags, Floats
from mec_moe_env.core.kernels import kernel


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
