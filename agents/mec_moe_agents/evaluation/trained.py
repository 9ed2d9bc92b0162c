"""Which agents were trained, and by how many runs: one run of a trained agent is one draw."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mec_moe_agents.dmoe.learned import DIGITS_MOE
from mec_moe_agents.offloading.learned import FOLDER, most_like, preset_for
from mec_moe_agents.outside.find import is_outside
from mec_moe_agents.outside.model import is_model
from mec_moe_agents.outside.syntax import parse_reference
from mec_moe_agents.registry import find_agent
from mec_moe_env import OffloadingConfig
from mec_moe_env.config import Config
from mec_moe_env.files import read_json

LEARNED = "learned"
"""The agent whose weights were trained; all other contenders are baselines."""
FIELD = "training_runs"
"""Of the manifest beside the weights."""


def training_runs(agent: str, config: Config) -> int:
    """Return how many training runs an agent's weights were chosen from; 0 if untrained."""
    target, options = parse_reference(agent)
    if target == LEARNED:
        # Of weights of one's own nothing is known but that they were trained.
        return 1 if options else _runs_of(_manifest(config))
    return find_agent(agent, config).training_runs if is_outside(target) else 0


def was_trained(agent: Any, config: Config) -> bool:
    """Tell whether an agent, by its name or as an object, was trained: training seeds are its."""
    if isinstance(agent, str):
        return training_runs(agent, config) > 0
    return is_model(agent) or bool(getattr(agent, FIELD, 0))


def _manifest(config: Config) -> Path:
    if isinstance(config, OffloadingConfig):
        return FOLDER / f"{preset_for(config) or most_like(config)}.json"
    return DIGITS_MOE


def _runs_of(manifest: Path) -> int:
    """Read the number from a manifest or its part about training; one where it says none."""
    content: Mapping[str, Any] = read_json(manifest)
    training: Mapping[str, Any] = content.get("training", {})
    return int(content.get(FIELD, training.get(FIELD, 1)))
