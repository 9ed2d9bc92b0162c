"""Streams of random numbers: the published generator, and the right distributions."""

import numpy as np
import pytest
from scipy.stats import kstest

from mec_moe_env.core.rng import (
    draw_keys,
    next_uniform,
    next_word,
    scratch_for,
    write_exponentials,
    write_normals,
)

COUNT = 200_000


def normals(count: int, stream: int = 0) -> np.ndarray:
    streams = draw_keys(np.random.default_rng(0), 2)
    scratch, out = scratch_for(count)
    write_normals(streams, stream, scratch, out)
    return out.astype(np.float64)


def test_words_are_splitmix64s() -> None:
    """The numbers that Vigna's reference implementation gives for the seed 1234567."""
    streams = np.array([1234567], np.uint64)
    words = [int(next_word(streams, 0)) for _ in range(5)]
    assert words == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_normals_are_normal() -> None:
    sample = normals(COUNT)
    # The critical distance of Kolmogorov and Smirnov at 10⁻⁴ is 2.23/√n.
    assert kstest(sample, "norm").statistic < 2.23 / COUNT**0.5
    assert np.abs(sample).max() > 4.0
    assert (sample**4).mean() == pytest.approx(3.0, abs=5 * (96 / COUNT) ** 0.5)


@pytest.mark.parametrize("power", [1, 2])
def test_normals_are_independent(power: int) -> None:
    sample = normals(COUNT) ** power
    half, other = COUNT // 2, normals(COUNT, stream=1) ** power
    pairs = ((sample[:-1], sample[1:]), (sample[:half], sample[half:]), (sample, other))
    for left, right in pairs:
        assert abs(np.corrcoef(left, right)[0, 1]) < 5 / len(left) ** 0.5


def test_a_stream_goes_on_where_it_was() -> None:
    once, twice = draw_keys(np.random.default_rng(1), 1), draw_keys(np.random.default_rng(1), 1)
    scratch, whole = scratch_for(64)
    write_normals(once, 0, scratch, whole)
    for part in range(2):
        half = np.empty(32, np.float32)
        write_normals(twice, 0, scratch, half)
        order = np.r_[part * 16 : part * 16 + 16, 32 + part * 16 : 48 + part * 16]
        np.testing.assert_array_equal(half, whole[order])
    assert once[0] == twice[0]


def test_exponentials_and_uniforms() -> None:
    streams = draw_keys(np.random.default_rng(0), 1)
    exponentials = np.empty(COUNT, np.float32)
    write_exponentials(streams, 0, np.empty_like(exponentials), exponentials)
    assert kstest(exponentials.astype(np.float64), "expon").statistic < 2.23 / COUNT**0.5
    uniforms = [next_uniform(streams, 0) for _ in range(20_000)]
    assert kstest(uniforms, "uniform").statistic < 2.23 / 20_000**0.5
    assert min(uniforms) >= 0
    assert max(uniforms) < 1
