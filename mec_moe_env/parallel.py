"""The way to the multi-agent environment that imports PettingZoo only where it is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mec_moe_env.multiagent import OffloadingParallelEnv


def parallel_env(
    scenario: Any = "default", *, render_mode: str | None = None, **overrides: Any
) -> OffloadingParallelEnv:
    """Build offloading as a PettingZoo `ParallelEnv`: an agent per base station, one reward.

    Args:
        scenario: the name of a preset, an `OffloadingConfig`, or a mapping of its fields.
        render_mode: as of `OffloadingEnv`.
        overrides: fields of the scenario.

    Raises:
        ImportError: PettingZoo, the extra `multiagent`, is not installed.
        ValueError: as of `OffloadingEnv`.
        TypeError: as of `OffloadingEnv`.
    """
    from mec_moe_env.multiagent import OffloadingParallelEnv

    return OffloadingParallelEnv(scenario, render_mode=render_mode, **overrides)
