"""A quick likeness of `digits-moe`, on channels of training seeds, to search schedules in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.dmoe.layer import SAFETY, token_joules
from mec_moe_agents.evaluation.seeds import check_training_seeds
from mec_moe_agents.solvers import select_experts
from mec_moe_env import DMoEConfig, DMoEVectorEnv, Layer
from mec_moe_env.moe import (
    apply_experts,
    classify,
    cross_entropy,
    embed,
    gate_scores,
    load_digits_moe,
)
from mec_moe_env.tasks.digits import load_digits_split

Floats = NDArray[np.float64]


class Outcome(NamedTuple):
    """What a schedule brings, means over the tokens."""

    joules: float
    """Energy over all layers."""
    loss: float
    """Cross-entropy of the final output, nats."""
    accuracy: float


class PracticeWorld:
    """Digits through the mixture of experts, each token with the cheapest experts allowed.

    Prices are those of the environment's own channels. Every link has its best subcarrier, as in
    LB(γ0, D) of Qin et al. 2025, from which JESA differs by a fraction of a percent where
    subcarriers abound: tokens are then independent of each other, and a schedule is judged in a
    tenth of the time.

    Args:
        config: `digits-moe`, or it with other fields of the radio network.
        seeds: of the episodes whose channels are taken, and of the images.
        images: `heldout`, which the environment shows too, or `train`, those that the classifier
            learned from.

    Raises:
        ValueError: a seed is below 2³¹, where evaluation has its own.
        ImportError: scikit-learn, the extra `digits`, is not installed.
    """

    def __init__(
        self,
        config: DMoEConfig,
        seeds: Sequence[int],
        images: Literal["heldout", "train"] = "heldout",
    ) -> None:
        check_training_seeds(seeds)
        self._config = config
        self._weights = load_digits_moe()
        self._prices = record_prices(config, seeds)
        split = load_digits_split()
        shown, classes = {
            "heldout": (split.heldout, split.heldout_classes),
            "train": (split.train, split.train_classes),
        }[images]
        rng = np.random.default_rng(list(seeds))
        chosen = rng.integers(len(shown), size=self._prices.shape[1])
        self._labels = classes[chosen]
        self._hidden = embed(self._weights, shown[chosen])

    def run(self, importance: Sequence[float]) -> Outcome:
        """Take all tokens through all layers, layer l at the threshold z·importance[l]."""
        hidden = self._hidden.copy()
        scores, joules = np.empty(self._prices.shape[1:]), 0.0
        for layer, prices in enumerate(self._prices):
            gate_scores(self._weights, layer, hidden, scores)
            threshold = self._config.qos * importance[layer] * (1.0 + SAFETY)
            selected = select_experts(prices, scores, threshold, self._config.max_experts).selected
            joules += float((prices * selected).sum(axis=1).mean())
            apply_experts(self._weights, layer, scores, selected, hidden)
        logits = classify(self._weights, hidden)
        return Outcome(
            joules,
            float(cross_entropy(logits, self._labels).mean()),
            float((logits.argmax(axis=1) == self._labels).mean()),
        )


def record_prices(config: DMoEConfig, seeds: Sequence[int]) -> Floats:
    """Return joules per token on every node, best subcarriers, (L, tokens, K).

    The channel does not depend on what a scheduler does.
    """
    env = DMoEVectorEnv(len(seeds), config)
    observation, _ = env.reset(seed=list(seeds))
    idle = np.zeros((len(seeds), len(env.single_action_space.nvec)), np.int64)  # type: ignore[attr-defined]
    prices = []
    for _ in range(config.num_layers):
        layer = Layer.read(observation, config)
        prices.append(np.repeat(token_joules(layer, config), config.tokens_per_source, axis=1))
        observation, *_ = env.step(idle)
    env.close()
    return np.stack(prices).reshape(config.num_layers, -1, config.num_nodes)
