"""What is known of a configuration's seeds without running anything, from the suite's data."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from mec_moe_agents.evaluation.rollout import Episodes
from mec_moe_env.config import Config
from mec_moe_env.core.buffers import Floats

SUITE = "mec_moe_agents.suite"


class Suite(Protocol):
    """The look-up of the suite's data, by configuration and seeds."""

    def shipped_bounds(self, config: Config, seeds: Sequence[int]) -> Floats | None:
        """Return certified bounds, (n,), or None unless all seeds have one."""
        ...

    def shipped_plans(self, config: Config, seeds: Sequence[int]) -> Any | None:
        """Return the clairvoyant's flat actions, (n, T, A), or None unless all seeds have them."""
        ...

    def frozen_baseline(self, config: Config) -> str | None:
        """Return the agent that is score 0 of a configuration's task, if it has one."""
        ...


def _suite() -> Suite | None:
    # Imported on use: the suite is computed by this package.
    suite: Suite | None = import_module(SUITE) if find_spec(SUITE) is not None else None
    return suite


def frozen_baseline(config: Config) -> str | None:
    """Return the agent whose mean return is score 0 of a task of the suite; None outside it."""
    suite = _suite()
    return None if suite is None else suite.frozen_baseline(config)


def shipped_bounds(config: Config, seeds: Sequence[int]) -> Floats | None:
    """Return certified bounds, (n,), or None unless all seeds have one."""
    suite = _suite()
    return None if suite is None else suite.shipped_bounds(config, seeds)


def has_plans(config: Config, seeds: Sequence[int]) -> bool:
    """Tell whether all seeds have a clairvoyant plan."""
    suite = _suite()
    return suite is not None and suite.shipped_plans(config, seeds) is not None


def play_plans(config: Config, seeds: Sequence[int]) -> Episodes | None:
    """Play the clairvoyant plans of all seeds, or return None unless all have one."""
    suite = _suite()
    plans = None if suite is None else suite.shipped_plans(config, seeds)
    if plans is None:
        return None
    episodes: Episodes = import_module(f"{SUITE}.play").replay(plans, config, seeds).episodes
    return episodes
