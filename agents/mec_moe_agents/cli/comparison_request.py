"""What a comparison was asked to do, checked before any work begins."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from mec_moe_agents.cli.overrides import parse_overrides
from mec_moe_agents.registry import agent_names, find_agent, make_agent
from mec_moe_env import (
    DMOE_PRESETS,
    OFFLOADING_PRESETS,
    DMoEConfig,
    DMoEEnv,
    OffloadingConfig,
    OffloadingEnv,
)
from mec_moe_env.config import resolve, suggest

ENVIRONMENTS = ("offloading", "dmoe")


@dataclass(frozen=True)
class ComparisonRequest:
    """A comparison that can run."""

    scenario: str
    config: OffloadingConfig | DMoEConfig
    agents: Sequence[str]
    seeds: Sequence[int]
    out: Path

    @classmethod
    def check(
        cls,
        scenario: str,
        agents: str,
        seeds: Sequence[int],
        out: Path | None,
        settings: Sequence[str],
        env: str = "offloading",
    ) -> Self:
        """Resolve every name, open the data and the output folder.

        Raises:
            ValueError: the environment, the scenario, an agent or a setting is wrong; the nearest
                name is given.
            OSError: the data are missing, or the output folder cannot be written.
            ImportError: the scenario needs an extra that is not installed.
        """
        config = find_config(env, scenario, settings)
        names = parse_agents(agents, config)
        if isinstance(config, DMoEConfig):
            dmoe = DMoEEnv(config)
            for name in names:
                make_agent(name, dmoe)  # refuses a scenario that is too large for it
        else:
            OffloadingEnv(config).close()
        folder = out or Path("runs") / (scenario if env == "offloading" else f"{env}-{scenario}")
        check_writable(folder)
        return cls(scenario, config, names, seeds, folder)


def find_config(env: str, scenario: str, settings: Sequence[str]) -> OffloadingConfig | DMoEConfig:
    """Find a scenario of an environment and override its fields.

    Raises:
        ValueError: the environment, the scenario or a setting is wrong; the nearest name is given,
            or the environment that has the scenario.
    """
    overrides = parse_overrides(settings)
    if env not in ENVIRONMENTS:
        raise ValueError(f"unknown environment {env!r}: {suggest(env, ENVIRONMENTS)}")
    here: Collection[str] = DMOE_PRESETS if env == "dmoe" else OFFLOADING_PRESETS
    there: Collection[str] = OFFLOADING_PRESETS if env == "dmoe" else DMOE_PRESETS
    if scenario not in here and scenario in there:
        other = next(name for name in ENVIRONMENTS if name != env)
        raise ValueError(f"scenario {scenario!r} belongs to --env {other}")
    if env == "dmoe":
        return resolve(scenario, DMOE_PRESETS, overrides)
    return resolve(scenario, OFFLOADING_PRESETS, overrides)


def parse_agents(agents: str, config: OffloadingConfig | DMoEConfig) -> list[str]:
    """Split names at commas; `all` stands for every agent that differs on this config.

    Raises:
        ValueError: a name is unknown, or there is none.
    """
    names: list[str] = []
    for name in filter(None, (part.strip() for part in agents.split(","))):
        names += agent_names(config) if name == "all" else [name]
    if not names:
        raise ValueError("--agents names no agent")
    for name in names:
        find_agent(name, config)
    return list(dict.fromkeys(names))


def check_writable(folder: Path) -> None:
    """Make the folder and see that a file can be written there.

    Raises:
        OSError: it cannot; the message names the folder.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OSError(f"cannot write to the output folder {folder}: {error.strerror}") from error
