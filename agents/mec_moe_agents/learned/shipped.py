"""The weights that come with the package, and which of them suit a scenario."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mec_moe_agents.agent import Agent
from mec_moe_agents.learned.agent import LearnedAgent
from mec_moe_agents.learned.weights import SUFFIX, load
from mec_moe_env import OFFLOADING_PRESETS, OffloadingConfig
from mec_moe_env.config import Config, suggest

FOLDER = Path(__file__).with_name("weights")

TRANSFERABLE = (
    "num_servers",
    "num_subcarriers",
    "horizon",
    "doppler_hz",
    "failure_rate",
    "repair_rate",
    "area_m",
    "payload_mbit",
    "type_persistence",
)
"""Fields that may differ from the preset which the weights were trained on."""


def presets() -> list[str]:
    """Return the names of the presets with weights."""
    return sorted(path.stem for path in FOLDER.glob(f"*{SUFFIX}"))


def preset_for(config: Config) -> str | None:
    """Return the preset whose weights suit a scenario; None if there are none.

    The scenario may differ from it in `TRANSFERABLE` fields; of several that fit, the one with
    the nearest number of servers.
    """
    if not isinstance(config, OffloadingConfig):
        return None
    same = {
        name: abs(OFFLOADING_PRESETS[name].num_servers - config.num_servers)
        for name in presets()
        if _agree(OFFLOADING_PRESETS[name], config)
    }
    return min(same, key=lambda name: same[name]) if same else None


def learned_agent(
    config: OffloadingConfig,
    preset: str | None = None,
    path: str | Path | None = None,
    *,
    seed: int | Sequence[int] = 0,
) -> Agent:
    """Build the agent from shipped weights, or from weights of your own.

    Args:
        config: the environment's configuration.
        preset: whose weights to take; None is the one that suits the scenario, or failing that
            the one most like it.
        path: a `.safetensors` file that `export` wrote, instead.
        seed: of samples.

    Raises:
        ValueError: the preset has no weights, both arguments are given, or a file is damaged.
        FileNotFoundError: a file is missing.
    """
    if path is not None and preset is not None:
        raise ValueError(f"give preset = {preset!r} or path = {path}, not both")
    if path is None:
        path = FOLDER / f"{_chosen(config, preset)}{SUFFIX}"
    return LearnedAgent(config, load(path).weights, seed)


def _chosen(config: OffloadingConfig, preset: str | None) -> str:
    names = presets()
    if preset is None:
        return preset_for(config) or most_like(config)
    if preset not in names:
        raise ValueError(f"preset = {preset!r} has no weights: {suggest(preset, names)}")
    return preset


def most_like(config: OffloadingConfig) -> str:
    """Return the preset with weights that resembles a scenario for which nothing was trained."""
    if config.tasks in ("digits", "mnist"):
        name = "digits"
    elif config.num_tasks > 1:
        name = "joint"
    else:
        name = "scarce" if config.num_servers < 1.5 * config.num_types else "default"
    return name if name in presets() else "default"


def _agree(preset: OffloadingConfig, config: OffloadingConfig) -> bool:
    alike = {field: getattr(config, field) for field in TRANSFERABLE}
    return preset.override(**alike) == config
