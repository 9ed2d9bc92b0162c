"""What a token can want of its layer, and the joules held in reserve for it (our extension).

The one place for L, t_q and ρ_q of the docstring of `DMoEEnv`. The environment and schedulers call
it, each with the link costs that it knows: the present channel, or what an observation shows.
"""

from __future__ import annotations

from mec_moe_env.core.buffers import Flags, Floats, Integers
from mec_moe_env.core.kernels import device

NOBODY = -1


def most_links(sources: int, tokens: int, experts: int, most: int) -> int:
    """Return L = min(I·(K − 1), I·Q·D), most links over which a layer's states can have to travel.

    Args:
        sources: I.
        tokens: Q, of a source.
        experts: K, one a node.
        most: D, experts of a token.
    """
    return sources * min(experts - 1, tokens * most)


@device
def find_best(scores: Floats, available: Flags, best: Integers) -> None:
    """Write a token's best available experts by falling score, ties to the lower index.

    Scores and availability are (K,), `best` is (min(D, K),); what is left of it holds `NOBODY`.
    """
    most = best.shape[0]
    for place in range(most):
        best[place] = NOBODY
    for j in range(scores.shape[0]):
        if not available[j]:
            continue
        place = most
        while place > 0 and (best[place - 1] == NOBODY or scores[best[place - 1]] < scores[j]):
            if place < most:
                best[place] = best[place - 1]
            place -= 1
        if place < most:
            best[place] = j


@device
def wanted_relevance(threshold: float, scores: Floats, best: Integers) -> float:
    """Return t_q = min(z·γ^(l), Σ scores of the D best available experts)."""
    reachable = 0.0
    for place in range(best.shape[0]):
        if best[place] != NOBODY:
            reachable += scores[best[place]]
    return min(threshold, reachable)


@device
def reserved_joules(joules: Floats, best: Integers) -> float:
    """Return ρ_q = Σ over the D best available experts of (a_j + c̄_ij).

    `joules`, (K,), is the summand of every expert that `best` names, c̄_ij what a state costs over
    the link's L-th best subcarrier, or over the worst where there are fewer.
    """
    reserve = 0.0
    for place in range(best.shape[0]):
        if best[place] != NOBODY:
            reserve += joules[best[place]]
    return reserve
