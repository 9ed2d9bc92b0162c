"""Normal numbers that are a pure function of a key and a pair, so that none need be kept.

An edge network of M nodes has M²/2 shadowed pairs, of which an episode uses few. A hash gives each
pair its value whenever it is first asked for, in any order.
"""

from __future__ import annotations

import math

import numpy as np

from mec_moe_env.core.kernels import lean
from mec_moe_env.streams import HALF_WORD, INCREMENT, mix, unit


@lean
def pair_normal(key: np.uint64, i: int, j: int) -> float:
    """Return the standard normal number of the pair {i, j}, by Box and Muller's transform.

    Args:
        key: 64 random bits, the same for all pairs of an episode.
        i: one node, below 2³².
        j: the other; (i, j) and (j, i) are the same pair.
    """
    pair = (np.uint64(min(i, j)) << HALF_WORD) | np.uint64(max(i, j))
    word = mix(key + INCREMENT * pair)
    # One minus a uniform of [0, 1) is never 0, so that its logarithm is finite.
    radius = 1.0 - unit(mix(word + INCREMENT))
    angle = unit(mix(word + INCREMENT + INCREMENT))
    return math.sqrt(-2.0 * math.log(radius)) * math.cos(2.0 * math.pi * angle)
