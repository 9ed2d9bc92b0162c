"""Networks with two hidden layers: by hand, against torch, and where they end."""

from typing import Any

import numpy as np
import pytest

from mec_moe_env import OffloadingConfig
from mec_moe_env.core.buffers import Floats
from mec_moe_env.core.rng import EXPERTS, PURPOSES, draw_keys, draw_normals, scratch_for
from mec_moe_env.perceptron import (
    Network,
    count_parameters,
    draw_network,
    judge_network,
    make_network,
    make_network_scratch,
    train_network,
)
from tests.environments import networks

TINY = Network(
    inputs=1, first=1, second=1, epochs=1, rate=0.1, batch=1, logistic=False, restart=False
)
TINY_MODEL = np.array([1.0, 0.0, 2.0, 0.0, 1.0, 0.0])
"""w₁, b₁, w₂, b₂, w₃, b₃."""


def train(network: Network, model: Floats, features: Any, labels: Any) -> Floats:
    out = np.empty(count_parameters(network))
    samples = np.asarray(features, np.float64), np.asarray(labels, np.float64)
    train_network(network, model, model, *samples, out, make_network_scratch(network))
    return out


def network_of(config: OffloadingConfig) -> Network:
    network = make_network(config)
    assert network is not None
    return network


def test_one_epoch_by_hand() -> None:
    """Two samples, one after the other.

    x = 1, y = 1: f = 1·2·1 = 2 and ∂L/∂f = 2(2 − 1) = 2. Back through w₃ = 1 and w₂ = 2 the slopes
    before the relus are 2 and 4; the inputs of the layers are 1, 1 and 2, so that steps of 0.1 give
    w₁ = 1 − 0.4, b₁ = −0.4, w₂ = 2 − 0.2, b₂ = −0.2, w₃ = 1 − 0.4, b₃ = −0.2.
    x = −1, y = −1: −0.6 − 0.4 < 0 and b₂ < 0, both relus are shut, f = b₃ = −0.2, and only b₃
    moves, by −0.1·2(−0.2 + 1).
    """
    first = train(TINY, TINY_MODEL, [[1.0]], [1.0])
    np.testing.assert_allclose(first, [0.6, -0.4, 1.8, -0.2, 0.6, -0.2])
    both = train(TINY, TINY_MODEL, [[1.0], [-1.0]], [1.0, -1.0])
    np.testing.assert_allclose(both, [0.6, -0.4, 1.8, -0.2, 0.6, -0.36])


def test_a_batch_takes_the_mean_gradient_by_hand() -> None:
    """At x = 1, y = 1 as above; at x = −1, y = −1 f = b₃ = 0 and only b₃ moves: ∂L/∂f = 2."""
    trained = train(TINY._replace(batch=2), TINY_MODEL, [[1.0], [-1.0]], [1.0, -1.0])
    np.testing.assert_allclose(trained, [0.8, -0.2, 1.9, -0.1, 0.8, -0.2])


def test_loss_and_accuracy_by_hand() -> None:
    """f(x) = 2·relu(x): 2 of 1, 0 of −1 (a guess), 4 of 2; a label of 0 follows the last sample."""
    scratch = make_network_scratch(TINY)
    features, labels = np.array([[1.0], [-1.0], [2.0], [5.0]]), np.array([1.0, 1.0, -1.0, 0.0])
    loss, accuracy = judge_network(TINY, TINY_MODEL, features, labels, scratch)
    assert loss == pytest.approx((1 + 1 + 25) / 3)
    assert accuracy == pytest.approx((1 + 0.5 + 0) / 3)
    logistic = TINY._replace(logistic=True)
    loss, _ = judge_network(logistic, TINY_MODEL, features, labels, scratch)
    assert loss == pytest.approx((np.log1p(np.exp(-2)) + np.log(2) + np.log1p(np.exp(4))) / 3)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize(("k", "batch"), [(7, 7), (7, 3), (4, 1)])
def test_training_is_that_of_torch(loss: str, k: int, batch: int) -> None:
    torch = pytest.importorskip("torch")
    config = OffloadingConfig(
        tasks="teacher",
        experts="mlp",
        feature_dim=9,
        samples_per_task=k,
        hidden_widths=(6, 5),
        expert_loss=loss,
        sgd_epochs=3,
        sgd_rate=0.05,
        sgd_batch=batch,
    )
    network, rng = network_of(config), np.random.default_rng(k * batch)
    model = 0.5 * rng.standard_normal(count_parameters(network))
    features, labels = rng.standard_normal((k, 9)), rng.choice([-1.0, 1.0], k)
    layers = [
        [torch.tensor(numbers, requires_grad=True) for numbers in layer]
        for layer in networks.layers_of(model, config)
    ]
    parameters = [numbers for layer in layers for numbers in layer]
    optimizer = torch.optim.SGD(parameters, lr=config.sgd_rate)
    for start in [*range(0, k, batch)] * config.sgd_epochs:
        values, y = torch.tensor(features[start : start + batch]), labels[start : start + batch]
        for weights, bias in layers[:-1]:
            values = torch.relu(values @ weights + bias)
        f = (values @ layers[-1][0] + layers[-1][1])[:, 0]
        y = torch.tensor(y)
        mean = (((f - y) ** 2) if loss == "squared" else torch.log1p(torch.exp(-y * f))).mean()
        optimizer.zero_grad()
        mean.backward()
        optimizer.step()
    expected = np.concatenate([numbers.detach().numpy().ravel() for numbers in parameters])
    trained = train(network, model, features, labels)
    assert np.abs(trained - model).max() > 0.01
    np.testing.assert_allclose(trained, expected, rtol=1e-10, atol=1e-12)
    oracle = networks.train(model, features, labels, config)
    np.testing.assert_allclose(trained, oracle, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize(
    ("d", "k", "batch", "widths"),
    [(3, 1, 1, (2, 1)), (4, 5, 5, (3, 2)), (5, 7, 3, (4, 5)), (9, 6, 4, (6, 7))],
)
def test_training_and_judging_are_by_definition(
    loss: str, d: int, k: int, batch: int, widths: tuple[int, int]
) -> None:
    """Sums of four at once and what is left over, in samples, inputs and hidden units."""
    config = OffloadingConfig(
        tasks="teacher",
        experts="mlp",
        feature_dim=d,
        samples_per_task=k,
        hidden_widths=widths,
        expert_loss=loss,
        sgd_epochs=2,
        sgd_rate=0.1,
        sgd_batch=batch,
    )
    network, rng = network_of(config), np.random.default_rng(d + k)
    model = 0.7 * rng.standard_normal(count_parameters(network))
    features, labels = rng.standard_normal((k, d)), rng.choice([-1.0, 1.0], k)
    expected = networks.train(model, features, labels, config)
    assert np.abs(expected - model).max() > 0.01
    np.testing.assert_allclose(train(network, model, features, labels), expected, rtol=1e-12)
    # More than a block of samples, and labels that end inside the last one.
    samples, sides = rng.standard_normal((41, d)), rng.choice([-1.0, 1.0], 41)
    sides[35:] = 0.0
    mean, share = judge_network(network, model, samples, sides, make_network_scratch(network))
    f = networks.outputs(networks.layers_of(model, config), samples[:35])[-1][:, 0]
    assert mean == pytest.approx(networks.losses(f, sides[:35], config).mean(), rel=1e-12)
    assert share == pytest.approx((f * sides[:35] > 0).mean())


def test_an_initial_network_is_that_of_he() -> None:
    config = OffloadingConfig(
        tasks="teacher", experts="mlp", feature_dim=3, hidden_widths=(5, 4), samples_per_task=2
    )
    network, streams = network_of(config), draw_keys(np.random.default_rng(0), PURPOSES)
    model, scratch = np.empty(count_parameters(network)), make_network_scratch(network)
    draw_network(streams.copy(), network, scratch, model)
    normals = scratch_for(35)
    draw_normals(streams, EXPERTS, normals, 35)
    (first, bias), (second, other), (last, one) = networks.layers_of(model, config)
    np.testing.assert_allclose(first.ravel(), np.sqrt(2 / 3) * normals.normals[:15], rtol=1e-6)
    np.testing.assert_allclose(second.ravel(), np.sqrt(2 / 5) * normals.normals[15:35], rtol=1e-6)
    assert not bias.any()
    assert not other.any()
    assert not last.any()
    assert not one.any()


@pytest.mark.parametrize("rate", [1e3, 50.0])
def test_a_training_that_diverges_is_undone(rate: float) -> None:
    rng = np.random.default_rng(0)
    config = OffloadingConfig(
        tasks="teacher",
        experts="mlp",
        feature_dim=5,
        samples_per_task=4,
        sgd_rate=rate,
        hidden_widths=(8, 8),
    )
    network = network_of(config)
    model = rng.standard_normal(count_parameters(network))
    features, labels = 10 * rng.standard_normal((4, 5)), np.array([1.0, -1.0, 1.0, -1.0])
    with np.errstate(all="ignore"):  # as compiled code and kernels do
        np.testing.assert_array_equal(train(network, model, features, labels), model)


def test_extreme_margins_have_finite_losses() -> None:
    model = TINY_MODEL * np.array([1e4, 1, 1, 1, 1, 1])
    features, labels = np.array([[1.0], [1.0]]), np.array([1.0, -1.0])
    logistic = TINY._replace(logistic=True)
    loss, accuracy = judge_network(
        logistic, model, features, labels, make_network_scratch(logistic)
    )
    assert loss == pytest.approx(1e4)
    assert accuracy == 0.5
