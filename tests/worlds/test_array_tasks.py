"""Labelled arrays as tasks: what they become, and what is refused."""

from typing import Any

import numpy as np
import pytest

from mec_moe_env import OffloadingConfig, OffloadingEnv, foresight
from mec_moe_env.tasks import ArrayTasks

X = np.arange(48.0).reshape(24, 2)
Y = np.arange(24) % 4
SIZES: dict[str, Any] = {"num_types": 2, "feature_dim": 2, "samples_per_task": 3, "horizon": 12}


def test_tasks_are_training_samples_with_their_labels() -> None:
    held = np.arange(24) >= 16
    future = foresight(OffloadingConfig(tasks=ArrayTasks(X, Y, heldout=held), **SIZES), seed=0)
    rows = (future.features[..., 0] / 2).astype(int)
    np.testing.assert_array_equal(future.features[..., 1], 2 * rows + 1)
    assert rows.max() < 16
    # Classes 0 and 1 are type 0, classes 2 and 3 type 1; the greater of each pair is +1.
    np.testing.assert_array_equal(Y[rows] // 2, future.types[..., np.newaxis] + 0 * rows)
    np.testing.assert_array_equal(future.labels, np.where(Y[rows] % 2 == 1, 1, -1))
    # b = mean of y·x over the held-out samples of the type: rows 16, 17, 20, 21 of type 0.
    expected = (X[[17, 21]].sum(axis=0) - X[[16, 20]].sum(axis=0)) / 4
    of_type = future.linear[future.types == 0]
    np.testing.assert_allclose(of_type, np.tile(expected, (len(of_type), 1)))


def test_types_and_any_two_labels() -> None:
    config = OffloadingConfig(tasks=ArrayTasks(X, Y > 1, types=Y % 2, heldout=0.25), **SIZES)
    future = foresight(config, seed=0)
    rows = (future.features[..., 0] / 2).astype(int)
    np.testing.assert_array_equal(Y[rows] % 2, future.types[..., np.newaxis] + 0 * rows)
    np.testing.assert_array_equal(future.labels, np.where(Y[rows] > 1, 1, -1))


def test_images_are_flattened_and_the_split_has_a_seed() -> None:
    images = np.arange(24 * 4.0).reshape(24, 2, 2)
    assert ArrayTasks(images, Y).feature_dim == 4
    texts = {repr(ArrayTasks(X, Y, split_seed=seed)) for seed in (0, 0, 1)}
    assert len(texts) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"X": np.full((24, 2), np.nan)}, r"X\[0, 0\] = nan is not allowed: .* finite"),
        ({"X": np.arange(24.0)}, r"X has shape \(24,\): it must be \(n, features\)"),
        ({"y": Y[:-1]}, r"y has dtype int64 and shape \(23,\)"),
        ({"y": np.where(Y == 3, np.nan, Y)}, r"y\[3\] = nan is not allowed: .* finite"),
        ({"y": np.arange(24) % 3}, "y has 3 classes: they must be even in number"),
        ({"types": Y}, "y has the labels 0, 1, 2, 3: with types there must be two kinds"),
        ({"y": Y > 1, "types": Y - 1}, r"types\[0\] = -1 is not allowed"),
        ({"y": Y > 1, "types": 2 * (Y % 2)}, "type 1 has no training sample"),
        ({"heldout": 1.5}, r"heldout = 1.5 is not allowed: .* \[0.0, 1.0\]"),
        ({"heldout": 0.0}, "type 0 has no held-out sample"),
        ({"heldout": np.ones(3, bool)}, r"heldout has dtype bool and shape \(3,\)"),
    ],
)
def test_bad_arrays_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ArrayTasks(**({"X": X, "y": Y} | arguments))


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ({"num_types": 3}, "num_types = 3 is not allowed: .* 2, as in ArrayTasks"),
        ({"feature_dim": 3}, "feature_dim = 3 is not allowed: .* 2, as in ArrayTasks"),
        ({"samples_per_task": 20}, "samples_per_task = 20 is not allowed: .* at most"),
    ],
)
def test_the_scenario_must_have_their_sizes(field: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OffloadingEnv(tasks=ArrayTasks(X, Y), **(SIZES | field))
