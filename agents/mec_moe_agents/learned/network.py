"""The network of the learned scheduler in NumPy: the same numbers as in torch, without torch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.learned.features import AVAILABLE, CONTEXT, SERVER

Singles = NDArray[np.float32]

IMPOSSIBLE = np.float32(-1e8)
"""Logit of a server that cannot take the task."""

SHAPES: Mapping[str, str] = {
    "actor.embed_server.weight": "hs",
    "actor.embed_server.bias": "h",
    "actor.embed_context.weight": "hc",
    "actor.embed_context.bias": "h",
    "actor.pool.weight": "hp",
    "actor.pool.bias": "h",
    "actor.pool_context.weight": "hc",
    "actor.pool_context.bias": "h",
    "mix_server.weight": "hh",
    "mix_server.bias": "h",
    "mix_pool.weight": "hh",
    "mix_pool.bias": "h",
    "score.weight": "1h",
    "score.bias": "1",
    "skip.weight": "1s",
    "reject.weight": "1h",
    "reject.bias": "1",
}
"""The arrays; h hidden units, p = 2·h, s features of a server, c of the context."""


class Network:
    """A deep set over the servers (our extension).

    Each server is embedded by the same weights; mean and largest value over all servers describe
    the whole, from which each server and the rejection get their score.

    Args:
        weights: the arrays named in `SHAPES`, float32.

    Raises:
        ValueError: an array is missing, of another shape or not finite; it is named.
    """

    def __init__(self, weights: Mapping[str, Singles]) -> None:
        self._weights = checked(weights)

    def logits(self, features: Singles) -> Singles:
        """Return the logits of M servers and none, (n, M + 1), from features (n, width)."""
        context = features[:, :CONTEXT]
        servers = features[:, CONTEXT:].reshape(len(features), -1, SERVER)
        each = self._linear("actor.embed_server", servers)
        each += self._linear("actor.embed_context", context)[:, np.newaxis]
        np.maximum(each, 0.0, out=each)
        pooled = np.concatenate([each.mean(axis=1), each.max(axis=1)], axis=1)
        whole = self._linear("actor.pool", pooled) + self._linear("actor.pool_context", context)
        np.maximum(whole, 0.0, out=whole)
        each = self._linear("mix_server", each)
        each += self._linear("mix_pool", whole)[:, np.newaxis]
        np.maximum(each, 0.0, out=each)
        scores = self._linear("score", each) + servers @ self._weights["skip.weight"].T
        scores = np.where(servers[..., AVAILABLE] > 0, scores[..., 0], IMPOSSIBLE)
        logits: Singles = np.concatenate([scores, self._linear("reject", whole)], axis=1)
        return logits

    def _linear(self, layer: str, inputs: Singles) -> Singles:
        outputs: Singles = inputs @ self._weights[f"{layer}.weight"].T
        outputs += self._weights[f"{layer}.bias"]
        return outputs


def checked(weights: Mapping[str, Singles]) -> dict[str, Singles]:
    """Return the arrays of the network, those that fit together.

    Raises:
        ValueError: an array is missing, of another shape or type, or not finite.
    """
    sizes = {"s": SERVER, "c": CONTEXT, "1": 1}
    for name, axes in SHAPES.items():
        if name not in weights:
            raise ValueError(f"array {name!r} is missing")
        array = weights[name]
        if name == next(iter(SHAPES)) and array.ndim == 2:
            sizes |= {"h": array.shape[0], "p": 2 * array.shape[0]}
        expected = tuple(sizes.get(axis, -1) for axis in axes)
        if array.dtype != np.float32 or array.shape != expected:
            raise ValueError(
                f"array {name!r} is {array.dtype} of shape {array.shape}, "
                f"expected float32 of shape {expected}"
            )
        if not np.isfinite(array).all():
            raise ValueError(f"array {name!r} holds NaN or infinity, expected finite")
    return {name: np.asarray(weights[name]) for name in SHAPES}
