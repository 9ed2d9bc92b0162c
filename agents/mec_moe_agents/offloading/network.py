"""The network of the learned scheduler in NumPy, as in torch but without it, and its files.

Weights are an `.npz` file; how they came about tells a card beside it, the same name in `.json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mec_moe_agents.offloading.features import CONTEXT, OF_SERVER, SERVER, VERSION
from mec_moe_env.core.buffers import Singles
from mec_moe_env.files import read_arrays, read_json, write_arrays, write_json

ARCHITECTURE = "deep-set"
SUFFIX = ".npz"

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


class Learned(NamedTuple):
    """Weights and where they come from."""

    weights: dict[str, Singles]
    card: dict[str, Any]
    """What is written beside the weights: architecture, features' version, training."""


class Network:
    """A deep set over the servers (our extension): their order does not matter.

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
        scores = np.where(servers[..., OF_SERVER.available] > 0, scores[..., 0], IMPOSSIBLE)
        logits: Singles = np.concatenate([scores, self._linear("reject", whole)], axis=1)
        return logits

    def _linear(self, layer: str, inputs: Singles) -> Singles:
        outputs: Singles = inputs @ self._weights[f"{layer}.weight"].T
        outputs += self._weights[f"{layer}.bias"]
        return outputs


def checked(weights: Mapping[str, Singles]) -> dict[str, Singles]:
    """Return the arrays of the network; ValueError if one is missing, does not fit or is NaN."""
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


def export(model: Any, path: str | Path, training: Mapping[str, Any] | None = None) -> None:
    """Write what a Stable-Baselines3 model with the permutation-equivariant policy has learned.

    The card is written before the weights: weights without one are refused.

    Args:
        model: trained by `mec-moe train --policy shape`.
        path: ends in `.npz`.
        training: what to note on the card, such as command, seed, steps and commit.

    Raises:
        ValueError: the path has another ending, or the policy another architecture.
        OSError: the folder cannot be written.
    """
    path = Path(path)
    if path.suffix != SUFFIX:
        raise ValueError(f"path = {path} is not allowed: it must end in {SUFFIX}")
    weights = arrays_of(model)
    card = {
        "architecture": ARCHITECTURE,
        "features": VERSION,
        "hidden": int(weights["score.weight"].shape[1]),
        "training": dict(training or {}),
    }
    write_json(path.with_suffix(".json"), card)
    write_arrays(path, {name: np.ascontiguousarray(weights[name], np.float32) for name in SHAPES})


def arrays_of(model: Any) -> dict[str, Singles]:
    """Return the weights of a model with the deep-set policy; ValueError if it has another."""
    prefix = "mlp_extractor."
    found = {
        name.removeprefix(prefix): np.asarray(tensor.detach().cpu().numpy(), np.float32)
        for name, tensor in model.policy.state_dict().items()
        if name.startswith(prefix)
    }
    try:
        return checked(found)
    except ValueError as error:
        raise ValueError(f"the policy has not the problem's shape: {error}") from error


def load(path: str | Path) -> Learned:
    """Read what `export` wrote.

    Raises:
        FileNotFoundError: the weights or the card are missing.
        ValueError: a file is damaged, or of another architecture or version of the features.
    """
    path = Path(path)
    card = _read_card(path.with_suffix(".json"))
    try:
        return Learned(checked(read_arrays(path)), card)
    except ValueError as error:
        reason = str(error).removeprefix(f"{path}: ")
        raise ValueError(f"{path}: not the weights of a learned scheduler ({reason})") from error


def _read_card(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected the card that lies beside the weights")
    card = read_json(path)
    expected = {"architecture": ARCHITECTURE, "features": VERSION}
    for key, value in expected.items():
        found = card.get(key) if isinstance(card, dict) else None
        if found != value:
            raise ValueError(f"{path}: {key} is {found!r}, expected {value!r}")
    return dict(card)
