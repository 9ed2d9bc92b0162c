"""Whose actions are recorded: an agent of the catalogue, a training run, or code of one's own."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from mec_moe_agents.agent import Agent
from mec_moe_agents.registry import find_agent, make_agent
from mec_moe_agents.suite.manifest import SeedRanges
from mec_moe_agents.suite.play import Factory
from mec_moe_env.config import Config


def find_entrant(name: str, config: Config) -> Factory:
    """Return what builds an agent.

    Args:
        name: an agent of the catalogue; the folder of a run of `mec-moe train`, whose best
            checkpoint acts; or `module:factory`, where `factory(env, seeds)` returns anything with
            Stable-Baselines3's `predict` for a native vector environment, one seed per row.
        config: the scenario it is to act in.

    Raises:
        ValueError: there is no such agent, module or factory, or the run is of other sizes.
        ImportError: a training run is named, and the extra `rl` is not installed.
    """
    if Path(name).is_dir():
        return _of_run(Path(name), config)
    if ":" in name:
        return _of_module(name)
    if os.sep in name:
        raise ValueError(f"{name}: no such folder of a training run")
    find_agent(name, config)
    return lambda env, seeds: make_agent(name, env, seed=list(seeds))


def seeds_of_run(name: str) -> tuple[SeedRanges, SeedRanges, int]:
    """Return the seeds of training and of tuning, and the number of runs, that are known.

    Those of a training run follow from its plan; of others nothing is known.
    """
    if not Path(name).is_dir():
        return (), (), 0
    from mec_moe_agents.training.plan import EPISODE_SEEDS, validation_seeds
    from mec_moe_agents.training.run_folder import read_plan

    chosen_by = validation_seeds(read_plan(Path(name)).validation_episodes)
    training, tuning = (((seeds[0], seeds[-1]),) for seeds in (EPISODE_SEEDS, chosen_by))
    return training, tuning, 1


def _of_run(folder: Path, config: Config) -> Factory:
    from mec_moe_agents.training.run import load_agent
    from mec_moe_agents.training.run_folder import read_plan

    trained = read_plan(folder).config
    if trained.observation_shapes != config.observation_shapes:
        raise ValueError(
            f"{folder} was trained for observations of the shapes {trained.observation_shapes}, "
            f"this task has {config.observation_shapes}"
        )

    def build(env: Any, seeds: Sequence[int]) -> Agent:
        return load_agent(folder, env)

    return build


def _of_module(name: str) -> Factory:
    module, _, attribute = name.partition(":")
    if os.getcwd() not in sys.path:
        # As `python -m` does: a module of one's own lies where one works.
        sys.path.insert(0, os.getcwd())
    try:
        factory: Callable[[Any, Sequence[int]], Agent] = getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0] and error.name != module:
            raise
        raise ValueError(f"agent {name!r}: there is no module {module!r}") from error
    except AttributeError as error:
        raise ValueError(f"agent {name!r}: module {module!r} has no {attribute!r}") from error
    return factory
