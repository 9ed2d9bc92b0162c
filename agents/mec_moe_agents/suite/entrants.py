"""Whose actions are recorded: an agent of the catalogue, a training run, or code of one's own."""

from __future__ import annotations

from pathlib import Path

from mec_moe_agents.registry import find_agent, make_agent
from mec_moe_agents.suite.manifest import SeedRanges
from mec_moe_agents.suite.play import Factory
from mec_moe_env.config import Config


def find_entrant(name: str, config: Config, *, trust_zip: bool = False) -> Factory:
    """Return what builds an agent for a native vector environment, from one seed per row.

    Args:
        name: an agent of the catalogue or from outside, see `mec_moe_agents.registry.find_agent`;
            a class or function gets what it takes of `config`, `env` and `seeds`.
        config: the scenario it is to act in.
        trust_zip: whether a `model.zip` may be loaded, which runs code that is in it.

    Raises:
        ValueError: there is no such agent, module or name, or it cannot act in the scenario.
        OSError: a file is missing.
        ImportError: a trained model is named, and the extra `rl` is not installed.
    """
    find_agent(name, config, trust_zip=trust_zip)
    return lambda env, seeds: make_agent(name, env, seed=list(seeds), trust_zip=trust_zip)


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
