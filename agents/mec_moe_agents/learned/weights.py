"""The files of a learned scheduler: arrays as safetensors, how they came about as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.learned import features
from mec_moe_agents.learned.network import SHAPES, checked
from mec_moe_env.files import replacing

ARCHITECTURE = "deep-set"
SUFFIX = ".safetensors"


class Learned(NamedTuple):
    """Weights and where they come from."""

    weights: dict[str, NDArray[np.float32]]
    card: dict[str, Any]
    """What is written beside the weights: architecture, features' version, training."""


def export(model: Any, path: str | Path, training: Mapping[str, Any] | None = None) -> None:
    """Write what a Stable-Baselines3 model with the policy of the problem's shape has learned.

    The card beside the weights (`.json`) is written first: weights without one are refused.

    Args:
        model: its `policy` comes from `mec_moe_agents.learning.policy.shape_policy`.
        path: ends in `.safetensors`.
        training: what to note on the card, such as command, seed, steps and commit.

    Raises:
        ValueError: the path has another ending, or the policy another architecture.
        OSError: the folder cannot be written.
    """
    path = Path(path)
    if path.suffix != SUFFIX:
        raise ValueError(f"path = {path} is not allowed: it must end in {SUFFIX}")
    save_weights(path, arrays_of(model), training or {})


def arrays_of(model: Any) -> dict[str, NDArray[np.float32]]:
    """Return the weights of a Stable-Baselines3 model with the policy of the problem's shape.

    Raises:
        ValueError: the policy has another architecture.
    """
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


def save_weights(
    path: Path, weights: Mapping[str, NDArray[np.float32]], training: Mapping[str, Any]
) -> None:
    """Write weights and card, each to a temporary file that is then renamed."""
    from safetensors.numpy import save

    card = {
        "architecture": ARCHITECTURE,
        "features": features.VERSION,
        "hidden": int(weights["score.weight"].shape[1]),
        "training": dict(training),
    }
    with replacing(path.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    arrays = {name: np.ascontiguousarray(weights[name], np.float32) for name in SHAPES}
    with replacing(path) as temporary:
        temporary.write_bytes(save(arrays))


def load(path: str | Path) -> Learned:
    """Read what `export` wrote.

    Raises:
        FileNotFoundError: the weights or the card are missing.
        ValueError: a file is damaged, or of another architecture or version of the features.
    """
    path = Path(path)
    card = _read_card(path.with_suffix(".json"))
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected the weights of a learned scheduler")
    from safetensors import SafetensorError
    from safetensors.numpy import load as decode

    try:
        weights = checked(decode(path.read_bytes()))
    except (SafetensorError, ValueError, KeyError) as error:
        raise ValueError(f"{path}: not the weights of a learned scheduler ({error})") from error
    return Learned(weights, card)


def _read_card(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected the card that lies beside the weights")
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: not a JSON file ({error})") from error
    expected = {"architecture": ARCHITECTURE, "features": features.VERSION}
    for key, value in expected.items():
        found = card.get(key) if isinstance(card, dict) else None
        if found != value:
            raise ValueError(f"{path}: {key} is {found!r}, expected {value!r}")
    return dict(card)
