"""What a layer's energy and its missed thresholds are weighed against, compiled (our extension).

Symbols of the docstring of `DMoEEnv`, which has the reward and why no optimum under it violates.
"""

from __future__ import annotations

from mec_moe_env.core.buffers import Floats
from mec_moe_env.core.kernels import device, inline
from mec_moe_env.dmoe.exogenous import Workspace
from mec_moe_env.dmoe.links import states_seconds, write_efficiencies
from mec_moe_env.dmoe.reserve import NOBODY, reserved_joules
from mec_moe_env.dmoe.state import Exogenous, Params

UNKNOWN = -1.0


@device
def charge_violations(
    params: Params, exogenous: Exogenous, work: Workspace, i: int
) -> tuple[float, float]:
    """Return E_ref = Σ_q ρ_q and the charge Σ ρ_q(1 + m_q) over violated tokens, in joules.

    Only links of some token's Top-D are looked at. Reads `work.best` and `work.missing`.
    """
    reference = charged = 0.0
    I, K = exogenous.spectral_efficiency.shape[2:4]
    per_source = work.missing.shape[0] // I
    for source in range(I):
        for j in range(K):
            work.joules[j] = UNKNOWN
        for token in range(source * per_source, (source + 1) * per_source):
            best = work.best[token]
            for place in range(best.shape[0]):
                j = best[place]
                if j != NOBODY and work.joules[j] == UNKNOWN:
                    work.joules[j] = state_joules(
                        params, exogenous, work.efficiencies, i, source, j, params.most_links
                    )
            reserve = reserved_joules(work.joules, best)
            reference += reserve
            if work.missing[token] > 0.0:
                charged += reserve * (1.0 + work.missing[token])
    return reference, charged


@device
def average_joules(params: Params, exogenous: Exogenous, work: Workspace, i: int) -> float:
    """Return Σ_i Q·D·mean_j(a_j + min_s c_ijs) over the available experts, in joules.

    With fewer than D of them, D is their number; 0 without any. Gates do not enter.
    """
    I, K = exogenous.spectral_efficiency.shape[2:4]
    available: int = 0
    for j in range(K):
        available += exogenous.nodes[i, j]["available"]
    if available == 0:
        return 0.0
    total: float = 0.0
    for source in range(I):
        for j in range(K):
            if exogenous.nodes[i, j]["available"]:
                total += state_joules(params, exogenous, work.efficiencies, i, source, j, 1)
    per_source: int = work.missing.shape[0] // I
    return total / available * per_source * min(params.max_experts, available)


@device
def state_joules(
    params: Params,
    exogenous: Exogenous,
    efficiencies: Floats,
    i: int,
    source: int,
    node: int,
    rank: int,
) -> float:
    """Return joules of one token of a source at a node, over the link's rank-th best subcarrier.

    c_ijs = P0·s0/r_ijs (+ P0·s0/r_jis if the way back counts), c_ii = 0. `efficiencies` is
    scratch, (S,).
    """
    joules: float = exogenous.nodes[i, node]["joules"]
    if node == source:
        return joules
    write_efficiencies(exogenous, i, source, node, efficiencies)
    efficiency = nth_largest(efficiencies, rank)
    return joules + params.power_w * states_seconds(params, efficiency, 1)


@device
def nth_largest(values: Floats, n: int) -> float:
    """Return the n-th largest of the values, n from 1.

    Halves the range in which it lies until as many values are above, which takes a few counts that
    compiled code makes many at a time: a quarter of the time of a selection by exchanges.
    """
    low: float = values[0]
    high: float = values[0]
    for s in range(values.shape[0]):
        low, high = min(low, values[s]), max(high, values[s])
    if n == 1:
        return high
    if count_above(values, low) < n:
        return low
    while True:
        middle = 0.5 * (low + high)
        if middle in (low, high):  # neighbouring numbers: equal values are at the place
            return high
        above = count_above(values, middle)
        if above == n:
            break
        if above > n:
            low = middle
        else:
            high = middle
    for s in range(values.shape[0]):
        if values[s] > middle:
            high = min(high, values[s])
    return high


@inline
def count_above(values: Floats, bound: float) -> int:
    """Return how many values exceed a bound."""
    above = 0
    for s in range(values.shape[0]):
        above += int(values[s] > bound)
    return above
