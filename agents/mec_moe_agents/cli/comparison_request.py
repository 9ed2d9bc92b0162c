"""What a comparison was asked to do, checked before any work begins."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from mec_moe_agents.cli.overrides import parse_overrides
from mec_moe_agents.registry import agent_names, find_agent
from mec_moe_env import OFFLOADING_PRESETS, OffloadingConfig, OffloadingEnv
from mec_moe_env.scenarios import resolve


@dataclass(frozen=True)
class ComparisonRequest:
    """A comparison that can run."""

    scenario: str
    config: OffloadingConfig
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
    ) -> Self:
        """Resolve every name, open the data and the output folder.

        Raises:
            ValueError: the scenario, an agent or a setting is wrong; the nearest name is given.
            OSError: the data are missing, or the output folder cannot be written.
            ImportError: the scenario needs an extra that is not installed.
        """
        config = resolve(scenario, OFFLOADING_PRESETS, parse_overrides(settings))
        names = parse_agents(agents, config)
        OffloadingEnv(config).close()
        folder = out or Path("runs") / scenario
        check_writable(folder)
        return cls(scenario, config, names, seeds, folder)


def parse_agents(agents: str, config: OffloadingConfig) -> list[str]:
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
