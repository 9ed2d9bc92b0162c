"""Random numbers by counting: one 64-bit stream for each sub-environment and purpose.

SplitMix64 (Steele, Lea & Flood 2014): the state counts up by a constant, and a hash of it is the
number. An episode's streams start at keys drawn from its sub-environment's NumPy generator. As
number i needs no number before it, the compiler makes many at once: a normal costs about 1.4 ns
where NumPy's own generator takes 3.8 inside compiled code. And as every purpose has a
stream of its own, what is drawn does not depend on how far ahead it is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.core.buffers import Integers, Singles
from mec_moe_env.core.kernels import device, inline

Streams = NDArray[np.uint64]

SITES, TYPES, TASKS, RADIO, GATES = range(5)
"""What the streams of a sub-environment are for."""
EXPERTS = GATES
"""DMoE has gates where offloading has the experts' initial networks."""
PURPOSES = 5

INCREMENT = np.uint64(0x9E3779B97F4A7C15)
MULTIPLIERS = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
SHIFTS = np.uint64(30), np.uint64(27), np.uint64(31)
ELEVEN, HALF_WORD = np.uint64(11), np.uint64(32)
LOW_BITS = np.uint64(0xFFFFFFFF)
PER_UNIT = 2.0**-53
PER_TURN = np.float32(2.0**-32)
HALF, ONE, TWO = np.float32(0.5), np.float32(1.0), np.float32(2.0)
ZERO = np.float32(0.0)
PI = np.float32(math.pi)
LOG2_TO_EXPONENTIAL = np.float32(-math.log(2.0))
LOG2_TO_SQUARED_RADIUS = np.float32(-2.0 * math.log(2.0))
LANES = 16
SINE = tuple(np.float32((-1) ** j / math.factorial(2 * j + 1)) for j in range(6))
COSINE = tuple(np.float32((-1) ** j / math.factorial(2 * j)) for j in range(7))
TWO_OVER_LN2 = np.float32(2.0 / math.log(2.0))
SERIES = (np.float32(1 / 3), np.float32(1 / 5), np.float32(1 / 7), np.float32(1 / 9))
SQRT_HALF_BITS = np.int32(0x3F3504F3)
MANTISSA_BITS = np.int32(23)


class Randomness:
    """A NumPy generator for each sub-environment, and the streams of its present episode.

    The streams begin at keys from the generator, so that the generator decides all of an episode;
    compiled code draws from them. What Python code draws, a user's task stream for one, comes
    from the generator itself.
    """

    def __init__(self, num_envs: int) -> None:
        self._generators: list[np.random.Generator | None] = [None] * num_envs
        self.streams: Streams = np.zeros((num_envs, PURPOSES), np.uint64)
        """States by purpose, (n, 5)."""

    def __getitem__(self, index: int) -> np.random.Generator:
        generator = self._generators[index]
        if generator is None:
            raise RuntimeError("call reset() before step()")
        return generator

    def begin(self, indices: Integers, generators: Sequence[np.random.Generator]) -> None:
        """Let generators drive sub-environments from now on, and begin their streams anew."""
        for index, generator in zip(indices.tolist(), generators, strict=True):
            self._generators[index] = generator
        self.streams[indices] = [draw_keys(generator, PURPOSES) for generator in generators]


def draw_keys(generator: np.random.Generator, count: int) -> Streams:
    """Return the starts of `count` new streams, (count,)."""
    # Of bits as they come: ten times faster than `bytes`, and equal with NumPy's default, PCG64.
    keys: Streams = generator.bit_generator.random_raw(count)
    return keys


@inline
def mix(state: np.uint64) -> np.uint64:
    """Return the number that belongs to a state."""
    z = (state ^ (state >> SHIFTS[0])) * MULTIPLIERS[0]
    z = (z ^ (z >> SHIFTS[1])) * MULTIPLIERS[1]
    return z ^ (z >> SHIFTS[2])


@inline
def unit(word: np.uint64) -> float:
    """Return a number in [0, 1) from the upper 53 bits."""
    return float(word >> ELEVEN) * PER_UNIT


@device
def next_word(streams: Streams, i: int) -> np.uint64:
    """Return 64 random bits from stream i."""
    streams[i] += INCREMENT
    return mix(streams[i])


@device
def next_uniform(streams: Streams, i: int) -> float:
    """Return a uniform number in [0, 1) from stream i."""
    return unit(next_word(streams, i))


class NormalScratch(NamedTuple):
    """Room for normal numbers while they are made, in whole vectors of the processor."""

    radii: Singles
    """(pairs,)."""
    normals: Singles
    """(2 · pairs,)."""


def scratch_for(count: int) -> NormalScratch:
    """Return room for at least `count` normal numbers."""
    pairs = -(-((count + 1) // 2) // LANES) * LANES
    return NormalScratch(np.empty(pairs, np.float32), np.empty(2 * pairs, np.float32))


@device
def write_normals(streams: Streams, i: int, scratch: Singles, out: Singles) -> None:
    """Write an even number of independent normal numbers from stream i, which moves on by half.

    By Box and Muller's transformation: radius and angle come from 32 bits each; series replace log,
    sine and cosine to float32 accuracy, so that all of it vectorises and is the same on every
    machine. The largest possible value is 6.8. `scratch` has room for half as many numbers.
    """
    pairs = out.shape[0] // 2
    start = streams[i]
    for j in range(pairs):
        word = mix(start + np.uint64(j + 1) * INCREMENT)
        out[j] = (np.float32(np.uint32(word >> HALF_WORD)) + HALF) * PER_TURN
        out[pairs + j] = np.float32(np.int32(word & LOW_BITS)) * PER_TURN
    streams[i] = start + np.uint64(pairs) * INCREMENT
    level = out[:pairs]
    write_log2(level, level.view(np.int32), scratch[:pairs])
    for j in range(pairs):
        radius = np.sqrt(max(LOG2_TO_SQUARED_RADIUS * scratch[j], ZERO))
        half_angle = PI * out[pairs + j]
        square = half_angle * half_angle
        sine = SINE[5]
        for term in (4, 3, 2, 1, 0):
            sine = SINE[term] + square * sine
        cosine = COSINE[6]
        for term in (5, 4, 3, 2, 1, 0):
            cosine = COSINE[term] + square * cosine
        sine *= half_angle
        out[j] = radius * (ONE - TWO * sine * sine)
        out[pairs + j] = radius * TWO * sine * cosine


@device
def draw_normals(streams: Streams, i: int, scratch: NormalScratch, count: int) -> None:
    """Write `count` independent normal numbers, one more if that is odd, to the scratch.

    More are made where that fills vectors, as the rest of a loop costs as much as many of them;
    the stream goes on as if they were not.
    """
    pairs = (count + 1) // 2
    made = -(-pairs // LANES) * LANES  # whole vectors
    start, normals = streams[i], scratch.normals
    write_normals(streams, i, scratch.radii[:made], normals[: 2 * made])
    streams[i] = start + np.uint64(pairs) * INCREMENT
    for j in range(pairs):
        normals[pairs + j] = normals[made + j]


@device
def write_exponentials(streams: Streams, i: int, scratch: Singles, out: Singles) -> None:
    """Write independent exponential numbers of mean 1 from stream i, the largest possible 22.9.

    `scratch` and `out` have the same shape (count,); stream i moves on by `count`.
    """
    start = streams[i]
    for j in range(out.shape[0]):
        word = mix(start + np.uint64(j + 1) * INCREMENT)
        scratch[j] = (np.float32(np.uint32(word >> HALF_WORD)) + HALF) * PER_TURN
    streams[i] = start + np.uint64(out.shape[0]) * INCREMENT
    write_log2(scratch, scratch.view(np.int32), out)
    for j in range(out.shape[0]):
        out[j] = max(LOG2_TO_EXPONENTIAL * out[j], ZERO)


@device
def pair_normal(key: np.uint64, i: int, j: int) -> float:
    """Return the standard normal number of the pair {i, j}, by Box and Muller's transform.

    It is a pure function of pair and key, 64 random bits of an episode, so that none need be kept:
    an edge network of M < 2³² nodes has M²/2 shadowed pairs, of which an episode uses few.
    """
    pair = (np.uint64(min(i, j)) << HALF_WORD) | np.uint64(max(i, j))
    word = mix(key + INCREMENT * pair)
    # One minus a uniform of [0, 1) is never 0, so that its logarithm is finite.
    radius = 1.0 - unit(mix(word + INCREMENT))
    angle = unit(mix(word + INCREMENT + INCREMENT))
    return math.sqrt(-2.0 * math.log(radius)) * math.cos(2.0 * math.pi * angle)


@device
def write_log2(values: Singles, bits: NDArray[np.int32], out: Singles) -> None:
    """Write the logarithm to base 2 of normal positive numbers, (count,), to float32 accuracy.

    Exponent and mantissa come from the bits; for a mantissa in [√½, √2) the series of
    2·atanh((m − 1)/(m + 1)) ends after five terms. Ten times faster than libm, as it vectorises.
    `values` are contiguous and overwritten, `bits` the same memory seen as int32, `out` another.
    """
    for index in range(out.shape[0]):
        # Subtracting the bits of √½ splits the range so that the mantissa straddles 1.
        exponent = (bits[index] - SQRT_HALF_BITS) >> MANTISSA_BITS
        bits[index] -= exponent << MANTISSA_BITS
        out[index] = np.float32(exponent)
    for index in range(out.shape[0]):
        x = (values[index] - ONE) / (values[index] + ONE)
        y = x * x
        series = ONE + y * (SERIES[0] + y * (SERIES[1] + y * (SERIES[2] + y * SERIES[3])))
        out[index] += TWO_OVER_LN2 * x * series
