"""What task types are called and how they look: a letter each, and a colour."""

from __future__ import annotations

from typing import Any

from mec_moe_env import OffloadingConfig
from mec_moe_env.rendering.palette import color_of
from mec_moe_env.rendering.words import letter
from mec_moe_env.tasks.images import CLASS_PAIRS

OF_IMAGES = {"digits": "digits", "mnist": "MNIST digits"}


def type_documents(config: OffloadingConfig) -> list[dict[str, Any]]:
    """Return name, letter and colour of each task type, as frames show them."""
    return [
        {
            "name": _name(config, n),
            "letter": letter(n),
            "color": "#{:02X}{:02X}{:02X}".format(*color_of(n)),
        }
        for n in range(config.num_types)
    ]


def _name(config: OffloadingConfig, n: int) -> str:
    """Name a type; beyond five the pairs of digits repeat under other transforms of the pixels."""
    what = OF_IMAGES.get(config.tasks) if isinstance(config.tasks, str) else None
    if what is None:
        return f"type {n}"
    transform, pair = divmod(n, len(CLASS_PAIRS))
    low, high = CLASS_PAIRS[pair]
    again = f", transform {transform}" if transform else ""
    return f"{what} {low}/{high}{again}"
