"""What the two papers prove, as functions of a scenario's numbers."""

from __future__ import annotations

import math
from bisect import bisect_left

from scipy.stats import binom

from mec_moe_env.config import Real, Whole, check, reject


def concurrent_experts(num_types: int, max_delay: int, failure_probability: float) -> int:
    """Return M_th, the fewest experts per type that concurrent tasks hardly ever exceed.

    Li & Duan 2024, reconstructed: within the longest delay d_u the tasks of one type number
    Binomial(d_u, 1/N); M_th is the least count that they exceed with probability at most δ.

    Args:
        num_types: N.
        max_delay: d_u, slots.
        failure_probability: δ in (0, 1).

    Raises:
        ValueError: an argument is out of range.
    """
    check("num_types", num_types, Whole(1))
    check("max_delay", max_delay, Whole(1))
    check("failure_probability", failure_probability, _OPEN_UNIT)
    # By the upper tail itself: one minus a small probability is one.
    counts = range(1, max_delay + 1)
    fitting = bisect_left(
        counts,
        -failure_probability,
        key=lambda count: -binom.sf(count, max_delay, 1.0 / num_types),
    )
    return counts[fitting]


def enough_experts(num_types: int, max_delay: int, failure_probability: float) -> float:
    """Return N·M_th·ln(1/δ), the number of experts beyond which Algorithm 1 converges.

    Li & Duan 2024: M = Ω(N·M_th·ln(1/δ)); the constant inside Ω is not known, one is used. M_th
    is reconstructed.

    Args:
        num_types: N.
        max_delay: d_u, slots.
        failure_probability: δ in (0, 1), the probability of failing to converge.

    Raises:
        ValueError: an argument is out of range.
    """
    per_type = concurrent_experts(num_types, max_delay, failure_probability)
    return num_types * per_type * -math.log(failure_probability)


def exploration_rounds(num_experts: int, learning_rate: float) -> int:
    """Return T_1 = ⌈M/η⌉, the rounds that the gate explores (Li & Duan 2024, reconstructed).

    Args:
        num_experts: M.
        learning_rate: η > 0.

    Raises:
        ValueError: an argument is out of range.
    """
    check("num_experts", num_experts, Whole(1))
    check("learning_rate", learning_rate, _POSITIVE)
    rounds = num_experts / learning_rate
    if math.isinf(rounds):
        raise reject("learning_rate", learning_rate, f"such that {num_experts} / η is finite")
    return math.ceil(rounds)


def optimality_probability(num_nodes: int, num_subcarriers: int) -> float:
    """Return the probability that the best subcarriers of all links differ.

    Qin et al. 2025: then the subcarriers do not compete and JESA is optimal. For independent
    channels each of the K(K − 1) links has its best among S subcarriers uniformly, so that
    Π_{i < K(K−1)} (1 − i/S), which tends to one as S grows.

    Args:
        num_nodes: K.
        num_subcarriers: S.

    Raises:
        ValueError: an argument is out of range.
    """
    check("num_nodes", num_nodes, Whole(1))
    check("num_subcarriers", num_subcarriers, Whole(1))
    return distinct_probability(num_nodes * (num_nodes - 1), num_subcarriers)


def distinct_probability(num_links: int, num_subcarriers: int) -> float:
    """Return Π_{i < links} (1 − i/S): that `num_links` uniform choices among S all differ.

    Raises:
        ValueError: an argument is out of range.
    """
    check("num_links", num_links, Whole(0))
    check("num_subcarriers", num_subcarriers, Whole(1))
    if num_links > num_subcarriers:
        return 0.0
    return math.exp(math.fsum(math.log1p(-i / num_subcarriers) for i in range(num_links)))


_POSITIVE = Real(0, open_low=True)
_OPEN_UNIT = Real(0, math.nextafter(1.0, 0.0), open_low=True)
