"""What task types are called and how they look: a letter each, and a colour."""

from __future__ import annotations

import string
from typing import Any

from mec_moe_env import OffloadingConfig
from mec_moe_env.tasks.images import CLASS_PAIRS

COLORS = (
    *("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#7F5AA8"),
)
"""Okabe and Ito's, told apart by colour-blind readers, and one more; letters differ too."""
LETTERS = string.ascii_uppercase + string.ascii_lowercase
OF_IMAGES = {"digits": "digits", "mnist": "MNIST digits"}


def type_documents(config: OffloadingConfig) -> list[dict[str, Any]]:
    """Return name, letter and colour of each task type; letters repeat beyond 52."""
    return [
        {
            "name": _name(config, n),
            "letter": LETTERS[n % len(LETTERS)],
            "color": COLORS[n % len(COLORS)],
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
