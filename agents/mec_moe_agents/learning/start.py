"""Where the weights of a run come from, if it does not begin with fresh ones."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from mec_moe_agents.learning.plan import Plan
from mec_moe_agents.learning.policy import start_from
from mec_moe_agents.offloading.learned import FOLDER, presets
from mec_moe_agents.offloading.network import SUFFIX, load


def find_weights(start: str) -> Path:
    """Return the file that the name of a preset with shipped weights, or a path, stands for.

    Raises:
        ValueError: it is neither.
    """
    if start in presets():
        return FOLDER / f"{start}{SUFFIX}"
    path = Path(start)
    if path.suffix != SUFFIX or not path.is_file():
        raise ValueError(
            f"--from {start!r} is neither a {SUFFIX} file nor a preset with shipped weights "
            f"({', '.join(presets()) or 'there are none'})"
        )
    return path


def digest(path: Path) -> str:
    """Return what tells these weights from others."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def begin_from(plan: Plan, model: Any) -> None:
    """Give a model with fresh weights those that its plan begins with, if any.

    Raises:
        ValueError: the file is missing, damaged, or not what it was when the plan was made.
    """
    if plan.start is None:
        return
    path = find_weights(plan.start)
    if digest(path) != plan.start_digest:
        raise ValueError(f"--from {plan.start}: {path} has changed since this run was begun")
    start_from(model, load(path).weights)
