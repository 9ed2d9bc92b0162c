"""Networks with two hidden layers written a second time, by definition: the tests' oracle."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from mec_moe_env import OffloadingConfig
from tests.environments.reference import ReferenceOffloading, Task

Layers = list[tuple[np.ndarray, np.ndarray]]


def layers_of(model: np.ndarray, config: OffloadingConfig) -> Layers:
    """View a network's numbers as the weights and biases of its layers."""
    sizes, start, layers = (config.feature_dim, *config.hidden_widths, 1), 0, []
    for a, b in itertools.pairwise(sizes):
        weights = model[start : start + a * b].reshape(a, b)
        layers.append((weights, model[start + a * b : start + (a + 1) * b]))
        start += (a + 1) * b
    assert start == len(model)
    return layers


def outputs(layers: Layers, samples: np.ndarray) -> list[np.ndarray]:
    """Return what goes into each layer, and what comes out of the last, for samples (n, d)."""
    values = [samples]
    for weights, bias in layers[:-1]:
        values.append(np.maximum(values[-1] @ weights + bias, 0.0))
    weights, bias = layers[-1]
    return [*values, values[-1] @ weights + bias]


def losses(f: np.ndarray, y: np.ndarray, config: OffloadingConfig) -> np.ndarray:
    if config.expert_loss == "squared":
        return np.asarray((f - y) ** 2)
    return np.asarray(np.logaddexp(0.0, -y * f))


def train(
    model: np.ndarray, features: np.ndarray, labels: np.ndarray, config: OffloadingConfig
) -> np.ndarray:
    """Return what the configured SGD makes of a network, on samples (k, d)."""
    model = model.copy()
    layers = layers_of(model, config)
    for _ in range(config.sgd_epochs):
        for start in range(0, len(labels), config.sgd_batch):
            batch = slice(start, start + config.sgd_batch)
            values, y = outputs(layers, features[batch]), labels[batch, np.newaxis]
            f = values.pop()
            squared = config.expert_loss == "squared"
            slope = (2 * (f - y) if squared else -y / (1 + np.exp(y * f))) / len(y)
            steps = []
            for (weights, _), value in zip(reversed(layers), reversed(values), strict=True):
                steps.append((value.T @ slope, slope.sum(axis=0)))
                slope = (slope @ weights.T) * (value > 0)
            for layer, step in zip(reversed(layers), steps, strict=True):
                for numbers, gradient in zip(layer, step, strict=True):
                    numbers -= config.sgd_rate * gradient
    return model


@dataclass(kw_only=True)
class NetworkTask(Task):
    features: np.ndarray
    labels: np.ndarray
    config: OffloadingConfig

    def error_under(self, model: np.ndarray) -> float:
        f = outputs(layers_of(model, self.config), self.features)[-1][:, 0]
        return float(losses(f, self.labels, self.config).mean())


class ReferenceNetworks(ReferenceOffloading):
    """The offloading model by definition, where servers train networks."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self.initial = self.simulator.state.initial[0].copy()
        self.models = [self.initial.copy() for _ in self.models]

    def _new_task(self, slot: dict[str, Any], u: int) -> Task:
        n, params = slot["type"][u], self.simulator.params
        real = params.heldout_labels[n] != 0
        return NetworkTask(
            quadratic=np.empty(0),
            linear=np.empty(0),
            constant=float(slot["constant"][u]),
            servers=[],
            features=params.heldout_features[n][real],
            labels=params.heldout_labels[n][real],
            config=self.config,
        )

    def trained(self, server: int, X: np.ndarray, y: np.ndarray) -> np.ndarray:
        begin = self.initial if self.config.expert_restart else self.models[server]
        return train(begin, X.T, y, self.config)
