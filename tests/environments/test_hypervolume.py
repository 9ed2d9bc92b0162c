"""The hypervolume: values worked out by hand, a published one, and counted cells."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec_moe_env.fronts import hypervolume, nondominated
from mec_moe_env.multiobjective import MODMoEEnv, MOOffloadingEnv

TREASURES = (1, 2, 3, 5, 8, 16, 24, 50, 74, 124)
TIMES = (1, 3, 5, 7, 8, 9, 13, 14, 17, 19)
SIDE = 4


def volume(points: object, *reference: float) -> float:
    return float(hypervolume(np.array(points, np.float64), np.array(reference)))


def test_by_hand() -> None:
    assert volume([[3.0]], 1.0) == 2.0
    assert volume([[2.0, 1.0], [1.0, 3.0]], 0.0, 0.0) == 4.0
    # Two boxes of 2·1·1 and 1·2·2 that share 1·1·1.
    assert volume([[2.0, 1.0, 1.0], [1.0, 2.0, 2.0]], 0.0, 0.0, 0.0) == 5.0
    assert volume([[-1.0, -2.0]], -3.0, -3.0) == 2.0


def test_what_does_not_exceed_the_reference_counts_for_nothing() -> None:
    assert volume([[5.0, 0.0], [9.0, -1.0]], 0.0, 0.0) == 0.0
    assert volume([[1.0, 1.0], [5.0, -1.0], [1.0, 1.0], [0.5, 0.5]], 0.0, 0.0) == 1.0


def test_deep_sea_treasure_has_its_published_value() -> None:
    """1155 above (0, -25): Vamplew et al. 2011, "Empirical evaluation methods for MORL"."""
    front = np.stack([TREASURES, np.negative(TIMES)], axis=1)
    assert volume(front, 0.0, -25.0) == 1155.0


def test_that_of_mo_gymnasiums_environment_too() -> None:
    mo_gymnasium = pytest.importorskip("mo_gymnasium")
    env = mo_gymnasium.make("deep-sea-treasure-concave-v0").unwrapped
    assert volume(env.pareto_front(gamma=1.0), 0.0, -25.0) == 1155.0


def test_the_toys_by_hand() -> None:
    """Offloading's six points above (-10, -10, -20), slab by slab of delay; DMoE's above (-4, -9).

    Delays 0, 1, 3, 4, 6, 11 from best to worst. Between two of them the area in error and energy
    is that of the points whose delay is at most the lesser.
    """
    offloading = np.array(MOOffloadingEnv("toy").pareto_front())
    by_delay = offloading[np.argsort(-offloading[:, 2])]
    by_hand = [
        *([-10.0, 0.0, 0.0], [-6.0, -0.1, -1.0], [-2.0, -0.3, -3.0]),
        *([-2.0, -0.22, -4.0], [-1.0, -0.42, -6.0], [0.0, -0.66, -11.0]),
    ]
    assert by_delay == pytest.approx(np.array(by_hand))
    third = 4 * 9.9 + 4 * 9.7
    fourth = 4 * 9.9 + 4 * 9.78
    fifth = fourth + 9.58
    sixth = fifth + 9.34
    expected = 2 * (4 * 9.9) + 1 * third + 2 * fourth + 5 * fifth + 9 * sixth
    assert volume(offloading, -10.0, -10.0, -20.0) == pytest.approx(expected)
    layers = np.array(MODMoEEnv("toy").pareto_front())
    falling = layers[np.argsort(-layers[:, 0])] + np.array([4.0, 9.0])
    staircase = sum(
        (here[0] - below) * here[1]
        for here, below in zip(falling, [*falling[1:, 0], 0.0], strict=True)
    )
    assert volume(layers, -4.0, -9.0) == pytest.approx(staircase)


POINTS = st.integers(1, 4).flatmap(
    lambda k: st.lists(st.lists(st.integers(0, SIDE), min_size=k, max_size=k), min_size=1)
)


@given(POINTS)
def test_it_counts_the_cells_that_somebody_dominates(points: list[list[int]]) -> None:
    k = len(points[0])
    cells = np.array(list(product(range(SIDE), repeat=k)))
    dominated = (np.array(points)[:, np.newaxis] > cells).all(axis=-1).any(axis=0).sum()
    assert volume(points, *[0.0] * k) == dominated
    assert volume(nondominated(np.array(points, np.float64)), *[0.0] * k) == dominated


def test_many_at_once() -> None:
    rng = np.random.default_rng(0)
    points, references = rng.random((3, 2, 7, 3)), rng.random((3, 2, 3)) / 2
    found = hypervolume(points, references)
    assert found.shape == (3, 2)
    for place in np.ndindex(3, 2):
        assert found[place] == pytest.approx(volume(points[place], *references[place]))


def test_wrong_shapes_are_named() -> None:
    with pytest.raises(ValueError, match=r"points \(2, 3\) and reference \(2,\) do not fit"):
        hypervolume(np.zeros((2, 3)), np.zeros(2))


def test_lists_are_points_too() -> None:
    assert hypervolume([[2, 1], [1, 3]], [0, 0]) == 4.0
    assert nondominated([[0, 1], [0, 0]]).tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_named(value: float) -> None:
    points = [[-2.0, -2.0], [-1.0, value]]
    message = rf"points\[1, 1\] = {value} is not allowed: .* finite"
    with pytest.raises(ValueError, match=message):
        nondominated(points)
    with pytest.raises(ValueError, match=message):
        hypervolume(points, [-3.0, -3.0])
    with pytest.raises(ValueError, match=rf"reference\[0\] = {value} is not allowed"):
        hypervolume([[1.0]], [value])


def test_what_is_no_table_of_numbers_is_named() -> None:
    for points in ([1.0, 2.0], [[[1.0]]]):
        with pytest.raises(ValueError, match=r"points has shape .* must be \(n, k\)"):
            nondominated(points)
    for ragged in ([[1.0], [1.0, 2.0]], [["a"]], None):
        with pytest.raises(ValueError, match="points = .* must be"):
            nondominated(ragged)  # type: ignore[arg-type]
