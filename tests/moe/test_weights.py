"""The shipped classifier, and what happens to damaged files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mec_moe_env.moe import (
    MoEWeights,
    apply_experts,
    classify,
    embed,
    load_digits_moe,
    load_moe,
    save_moe,
)
from mec_moe_env.moe.weights import DIGITS_MOE
from tests.moe.tiny import random_model, scores_of


@pytest.fixture(scope="module")
def digits() -> MoEWeights:
    return load_digits_moe()


def classify_heldout(weights: MoEWeights, importance: float) -> tuple[float, float]:
    """Return held-out accuracy, and experts per token and layer.

    Each token takes its best expert, and the second too unless the best reaches γ0^l.
    """
    pytest.importorskip("sklearn")
    from mec_moe_env.tasks.images import load_digits_split

    split = load_digits_split()
    hidden, work = embed(weights, split.heldout), 0.0
    layers = weights.norm_scale.shape[0]
    for layer in range(layers):
        scores = scores_of(weights, layer, hidden)
        rank = np.argsort(np.argsort(-scores, axis=1), axis=1)
        enough = scores.max(axis=1, keepdims=True) >= importance ** (layer + 1)
        selected = (rank == 0) | ((rank == 1) & ~enough)
        work += selected.sum(axis=1).mean() / layers
        apply_experts(weights, layer, scores, selected, hidden)
    right = classify(weights, hidden).argmax(axis=1) == split.heldout_classes
    return float(right.mean()), work


def test_shipped_model_classifies(digits: MoEWeights) -> None:
    accuracy, work = classify_heldout(digits, importance=1.0)
    assert work == 2
    assert accuracy >= 0.96


def test_a_threshold_saves_two_fifths_of_the_work(digits: MoEWeights) -> None:
    best, _ = classify_heldout(digits, importance=1.0)
    outcomes = [classify_heldout(digits, importance) for importance in (0.7, 0.6, 0.5, 0.4)]
    assert any(work <= 0.6 * 2 and accuracy >= best - 0.01 for accuracy, work in outcomes)


def test_shipped_model_is_small_and_of_the_promised_shape(digits: MoEWeights) -> None:
    assert DIGITS_MOE.stat().st_size < 1e6
    layers, _, experts = digits.gate_matrix.shape
    assert layers >= 4
    assert experts == 8
    assert digits.embed_matrix.shape[0] == 64
    assert digits.head_bias.shape == (10,)


def test_round_trip(tmp_path: Path) -> None:
    weights = random_model()
    save_moe(tmp_path / "w.npz", weights)
    for name, array in load_moe(tmp_path / "w.npz")._asdict().items():
        assert (array == getattr(weights, name)).all()
        assert array.dtype == np.float64
        assert array.flags.c_contiguous
    assert [path.name for path in tmp_path.iterdir()] == ["w.npz"]


def stored(**changes: np.ndarray) -> dict[str, Any]:
    arrays: dict[str, Any] = {
        name: array.astype(np.float32) for name, array in random_model()._asdict().items()
    }
    return arrays | changes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gate_matrix": np.ones((3, 5, 4))}, "'gate_matrix' is float64, expected float32"),
        ({"up_bias": np.ones((3, 4, 6), np.float32)}, r"'up_bias'.*expected \(3, 4, 7\)"),
        ({"head_bias": np.ones((3, 1), np.float32)}, r"'head_bias'.*expected \(3\)"),
        ({"embed_bias": np.array([1, 2, np.nan, 4, 5], np.float32)}, "'embed_bias' holds NaN"),
        ({"embed_matrix": np.ones((0, 5), np.float32)}, r"'embed_matrix'.*expected \(P, h\)"),
        ({"head_scale": np.array([None] * 5)}, "'head_scale' is damaged or pickled"),
    ],
)
def test_bad_arrays(tmp_path: Path, changes: dict[str, np.ndarray], message: str) -> None:
    path = tmp_path / "bad.npz"
    np.savez(path, **stored(**changes))
    with pytest.raises(ValueError, match=rf"bad\.npz.*{message}"):
        load_moe(path)


def test_missing_array(tmp_path: Path) -> None:
    arrays = stored()
    del arrays["down_bias"]
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(ValueError, match="missing down_bias"):
        load_moe(tmp_path / "bad.npz")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="none.npz"):
        load_moe(tmp_path / "none.npz")


@pytest.mark.parametrize("kept", [0, 10, 1000, -30])
def test_truncated_file(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "cut.npz"
    path.write_bytes(DIGITS_MOE.read_bytes()[:kept])
    with pytest.raises(ValueError, match=r"cut\.npz"):
        load_moe(path)


def test_damaged_file(tmp_path: Path) -> None:
    content = bytearray(DIGITS_MOE.read_bytes())
    content[len(content) // 2] ^= 1
    path = tmp_path / "bent.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"bent\.npz.*(damaged|not a whole)"):
        load_moe(path)


def test_saving_refuses_bad_weights_and_leaves_the_old_file(tmp_path: Path) -> None:
    weights, path = random_model(), tmp_path / "w.npz"
    save_moe(path, weights)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="'head_bias' holds NaN"):
        save_moe(path, weights._replace(head_bias=np.full(3, np.nan)))
    assert path.read_bytes() == before
