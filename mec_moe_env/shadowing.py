"""Normal numbers that are a pure function of a key and a pair, so that none need be kept.

An edge network of M nodes has M²/2 shadowed pairs, of which an episode uses few. A hash gives each
pair its value whenever it is first asked for, in any order.
"""

from __future__ import annotations

import math

import numpy as np

from mec_moe_env.compilation import lean

STEP = np.uint64(0x9E3779B97F4A7C15)
FIRST_FACTOR, FIRST_SHIFT = np.uint64(0xBF58476D1CE4E5B9), np.uint64(30)
SECOND_FACTOR, SECOND_SHIFT = np.uint64(0x94D049BB133111EB), np.uint64(27)
LAST_SHIFT = np.uint64(31)
HALF_WORD = np.uint64(32)
SURPLUS_BITS = np.uint64(11)


@lean
def draw_key(rng: np.random.Generator) -> np.uint64:
    """Draw 64 random bits, from two uniforms."""
    high = np.uint64(rng.random() * 2.0**32)
    return (high << HALF_WORD) | np.uint64(rng.random() * 2.0**32)


@lean
def scramble(word: np.uint64) -> np.uint64:
    """Return SplitMix64's hash of a word (Steele, Lea & Flood 2014)."""
    word = (word ^ (word >> FIRST_SHIFT)) * FIRST_FACTOR
    word = (word ^ (word >> SECOND_SHIFT)) * SECOND_FACTOR
    return word ^ (word >> LAST_SHIFT)


@lean
def pair_normal(key: np.uint64, i: int, j: int) -> float:
    """Return the standard normal number of the pair {i, j}, by Box and Muller's transform.

    Args:
        key: 64 random bits, the same for all pairs of an episode.
        i: one node, below 2³².
        j: the other; (i, j) and (j, i) are the same pair.
    """
    pair = (np.uint64(min(i, j)) << HALF_WORD) | np.uint64(max(i, j))
    word = scramble(key + STEP * pair)
    # One minus a uniform of [0, 1) is never 0, so that its logarithm is finite.
    radius = 1.0 - (scramble(word + STEP) >> SURPLUS_BITS) * 2.0**-53
    angle = (scramble(word + STEP + STEP) >> SURPLUS_BITS) * 2.0**-53
    return math.sqrt(-2.0 * math.log(radius)) * math.cos(2.0 * math.pi * angle)
