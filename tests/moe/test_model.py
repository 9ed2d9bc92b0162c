"""The layer against its formula, by hand and by an independent implementation."""

from typing import Any

import numpy as np
import pytest

from mec_moe_env.core.kernels import kernel
from mec_moe_env.moe import (
    MoEWeights,
    apply_experts,
    classify,
    cross_entropy,
    embed,
    gate_scores,
)
from tests.moe.tiny import random_model, random_states, scores_of


def constant_experts() -> MoEWeights:
    """Two experts that always return (1, 0) and (0, 2), and a gate of scores 0.2 and 0.8."""
    return MoEWeights(
        embed_matrix=np.eye(2),
        embed_bias=np.zeros(2),
        norm_scale=np.ones((1, 2)),
        gate_matrix=np.array([[[0.0, np.log(4.0)], [0.0, 0.0]]]),
        up_matrix=np.zeros((1, 2, 2, 1)),
        up_bias=np.zeros((1, 2, 1)),
        down_matrix=np.zeros((1, 2, 1, 2)),
        down_bias=np.array([[[1.0, 0.0], [0.0, 2.0]]]),
        head_scale=np.ones(2),
        head_matrix=np.eye(2),
        head_bias=np.array([0.0, 1.0]),
    )


def test_by_hand() -> None:
    weights = constant_experts()
    # (1, 1) and (3, 3) are both (1, 1) when normalised; the gate reads the first coordinate.
    hidden = embed(weights, np.array([[1.0, 1.0], [1.0, 1.0], [3.0, 3.0], [3.0, 3.0]]))
    scores = scores_of(weights, 0, hidden)
    np.testing.assert_allclose(scores, [[0.2, 0.8]] * 4, rtol=1e-5)
    selected = np.array([[True, True], [True, False], [False, True], [False, False]])
    apply_experts(weights, 0, scores, selected, hidden)
    # 0.2·(1, 0) + 0.8·(0, 2); a lone expert has the full weight; no expert: unchanged.
    np.testing.assert_allclose(hidden, [[1.2, 2.6], [2.0, 1.0], [3.0, 5.0], [3.0, 3.0]], rtol=1e-5)
    logits = classify(weights, np.array([[1.0, 1.0]]))
    np.testing.assert_allclose(logits, [[1, 2]], rtol=1e-5)
    expected = np.log(1 + np.exp(1))
    np.testing.assert_allclose(cross_entropy(logits, np.array([0])), expected, rtol=1e-5)


def test_relu_experts_by_hand() -> None:
    """One expert: relu(n·2 - 1) · 3 on n = 1 adds 3; n = -1 is cut to 0."""
    weights = MoEWeights(
        embed_matrix=np.eye(1),
        embed_bias=np.zeros(1),
        norm_scale=np.ones((1, 1)),
        gate_matrix=np.zeros((1, 1, 1)),
        up_matrix=np.full((1, 1, 1, 1), 2.0),
        up_bias=np.full((1, 1, 1), -1.0),
        down_matrix=np.full((1, 1, 1, 1), 3.0),
        down_bias=np.zeros((1, 1, 1)),
        head_scale=np.ones(1),
        head_matrix=np.eye(1),
        head_bias=np.zeros(1),
    )
    hidden = np.array([[5.0], [-5.0]])
    scores = scores_of(weights, 0, hidden)
    apply_experts(weights, 0, scores, np.ones((2, 1), np.bool_), hidden)
    np.testing.assert_allclose(hidden, [[8], [-5]], rtol=1e-6)


def test_scores_are_a_distribution() -> None:
    weights = random_model()
    scores = scores_of(weights, 1, 1e6 * random_states(weights, 50))
    assert (scores >= 0).all()
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-12)


def test_token_without_expert_passes_unchanged() -> None:
    weights = random_model()
    hidden = random_states(weights, 5)
    before = hidden.copy()
    scores = scores_of(weights, 0, hidden)
    selected = np.zeros((5, 4), np.bool_)
    selected[2, 1] = True
    apply_experts(weights, 0, scores, selected, hidden)
    assert (hidden[[0, 1, 3, 4]] == before[[0, 1, 3, 4]]).all()
    assert (hidden[2] != before[2]).any()


def test_experts_of_score_zero_leave_the_token_unchanged() -> None:
    weights = random_model()
    hidden = random_states(weights, 1)
    before = hidden.copy()
    scores = np.array([[1.0, 0.0, 0.0, 0.0]])
    apply_experts(weights, 0, scores, np.array([[False, True, True, False]]), hidden)
    assert (hidden == before).all()


def test_results_do_not_depend_on_the_batch() -> None:
    """A token alone, in a batch, or in another order: the same to the last bit."""
    weights = random_model()
    rng = np.random.default_rng(3)
    images = rng.standard_normal((33, 6))
    chosen = rng.random((3, 33, 4)) < 0.5
    logits = forward(weights, images, chosen)
    for token in range(33):
        alone = forward(weights, images[token : token + 1], chosen[:, token : token + 1])
        assert (alone == logits[token]).all()
    order = rng.permutation(33)
    assert (forward(weights, images[order], chosen[:, order]) == logits[order]).all()


def forward(weights: MoEWeights, images: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    hidden = embed(weights, images)
    for layer in range(len(chosen)):
        apply_experts(weights, layer, scores_of(weights, layer, hidden), chosen[layer], hidden)
    return classify(weights, hidden)


def test_equals_torch() -> None:
    torch = pytest.importorskip("torch")
    weights = random_model()
    rng = np.random.default_rng(4)
    images, chosen = rng.standard_normal((20, 6)), rng.random((3, 20, 4)) < 0.6
    expected = torch_forward(torch, weights, images, chosen)
    np.testing.assert_allclose(forward(weights, images, chosen), expected, rtol=1e-9, atol=1e-9)
    labels = rng.integers(0, 3, 20)
    losses = torch.nn.functional.cross_entropy(
        torch.tensor(expected), torch.tensor(labels), reduction="none"
    )
    np.testing.assert_allclose(cross_entropy(expected, labels), losses.numpy(), rtol=1e-9)


def torch_forward(
    torch: Any, weights: MoEWeights, images: np.ndarray, chosen: np.ndarray
) -> np.ndarray:
    """Run the model with torch's own layers, every expert computed and then weighted."""
    w = MoEWeights(*(torch.tensor(array) for array in weights))
    linear, norm = torch.nn.functional.linear, torch.nn.functional.rms_norm
    hidden = linear(torch.tensor(images), w.embed_matrix.T, w.embed_bias)
    for layer in range(len(chosen)):
        normed = norm(hidden, (hidden.shape[1],), w.norm_scale[layer], eps=1e-6)
        scores = linear(normed, w.gate_matrix[layer].T).softmax(dim=1)
        kept = scores * torch.tensor(chosen[layer])
        share = torch.nan_to_num(kept / kept.sum(dim=1, keepdim=True))
        for j in range(scores.shape[1]):
            units = linear(normed, w.up_matrix[layer, j].T, w.up_bias[layer, j]).relu()
            output = linear(units, w.down_matrix[layer, j].T, w.down_bias[layer, j])
            hidden = hidden + share[:, j : j + 1] * output
    normed = norm(hidden, (hidden.shape[1],), w.head_scale, eps=1e-6)
    return np.asarray(linear(normed, w.head_matrix.T, w.head_bias))


@kernel
def compiled_layer(weights: MoEWeights, images: np.ndarray, selected: np.ndarray) -> np.ndarray:
    hidden = embed(weights, images)
    scores = np.empty(selected.shape)
    gate_scores(weights, 0, hidden, scores)
    apply_experts(weights, 0, scores, selected, hidden)
    return classify(weights, hidden)


def test_callable_from_compiled_code() -> None:
    weights = random_model()
    rng = np.random.default_rng(5)
    images, chosen = rng.standard_normal((8, 6)), rng.random((1, 8, 4)) < 0.5
    assert (compiled_layer(weights, images, chosen[0]) == forward(weights, images, chosen)).all()


def test_cross_entropy_of_sure_answers() -> None:
    losses = cross_entropy(np.array([[1e4, 0.0], [0.0, 1e4]]), np.array([0, 0]))
    np.testing.assert_allclose(losses, [0, 1e4])


def test_wrong_shapes_raise() -> None:
    weights, tokens = random_model(), 2
    hidden, scores = np.ones((tokens, 5)), np.full((tokens, 4), 0.25)
    chosen = np.ones((tokens, 4), np.bool_)
    with pytest.raises(ValueError, match="images must be"):
        embed(weights, np.ones((tokens, 5)))
    for layer in (-1, 3):
        with pytest.raises(ValueError, match="layer must be"):
            gate_scores(weights, layer, hidden, scores)
        with pytest.raises(ValueError, match="layer must be"):
            apply_experts(weights, layer, scores, chosen, hidden)
    with pytest.raises(ValueError, match=r"out \(tokens, K\)"):
        gate_scores(weights, 0, hidden, np.ones((tokens, 3)))
    with pytest.raises(ValueError, match="scores and selected"):
        apply_experts(weights, 0, scores, chosen[:1], hidden)
    with pytest.raises(ValueError, match="hidden must be"):
        apply_experts(weights, 0, scores, chosen, np.ones((tokens, 4)))
    with pytest.raises(ValueError, match="hidden must be"):
        classify(weights, np.ones((tokens, 4)))
    with pytest.raises(ValueError, match="labels must be"):
        cross_entropy(np.ones((tokens, 3)), np.array([0, 3]))
    with pytest.raises(ValueError, match="labels must be"):
        cross_entropy(np.ones((tokens, 3)), np.array([0]))
