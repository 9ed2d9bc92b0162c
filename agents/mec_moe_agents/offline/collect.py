"""From an agent to a dataset: its episodes on seeds of training, with all that made them."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from mec_moe_agents.environments import environment_of
from mec_moe_agents.evaluation.overrides import file_stem
from mec_moe_agents.evaluation.provenance import current_provenance
from mec_moe_agents.evaluation.rollout import (
    BATCH_NUMBERS,
    Episodes,
    episodes_of,
    make_vector_env,
    run_episodes,
)
from mec_moe_agents.evaluation.scenarios import CLAIRVOYANT
from mec_moe_agents.evaluation.statistics import Estimate, estimate_mean
from mec_moe_agents.evaluation.store import data_digests
from mec_moe_agents.evaluation.summary import plain_config, plain_estimate
from mec_moe_agents.offline.tape import Steps, Tape
from mec_moe_agents.registry import act_in, agent_names, find_agent, origin_of
from mec_moe_agents.training.plan import FIRST_EPISODE_SEED, validation_seeds
from mec_moe_env.config import Config, Whole, reject

NAMESPACE = "mec-moe"
VERSION = 0
"""Of the datasets' form."""
LOWEST = "random"
REFERENCE_EPISODES = 20
PACKAGES = ("gymnasium", "h5py", "minari", "numba", "numpy", "scipy")


@dataclass(frozen=True)
class Scores:
    """The scale of returns: `low` is 0 and `high` is 1."""

    low: Estimate
    """Of `random`."""
    high: Estimate
    """Of the contender with the highest mean."""
    best: str
    """Its name."""
    episodes: int
    """On so many seeds of validation."""

    def score(self, value: float) -> float:
        """Place a return on the scale; NaN where it has no length."""
        span = self.high.mean - self.low.mean
        return (value - self.low.mean) / span if span else np.nan


def reference_scores(config: Config, episodes: int = REFERENCE_EPISODES) -> Scores:
    """Run the contenders of a scenario on seeds of validation.

    Raises:
        ValueError: `episodes` is not positive.
    """
    if not Whole(1).admits(episodes):
        raise reject("references", episodes, Whole(1))
    names = [
        name
        for name in agent_names(config)
        if name != CLAIRVOYANT and find_agent(name, config).contender
    ]
    seeds = validation_seeds(episodes)
    returns = {name: episodes_of(name, config, seeds).metrics["return"] for name in names}
    best = max(names, key=lambda name: float(returns[name].mean()))
    return Scores(estimate_mean(returns[LOWEST]), estimate_mean(returns[best]), best, episodes)


@dataclass(frozen=True)
class Collection:
    """One agent's dataset: everything that determines it.

    Raises:
        ValueError: a seed is not one of training's, or there is none.
    """

    agent: str
    config: Config
    scenario: str
    """What the scenario is called."""
    seeds: Sequence[int]
    """One episode each; consecutive, none of them of evaluation or validation."""
    scores: Scores
    trust_zip: bool = False
    """Whether a `model.zip` may be loaded, which runs code that is in it."""

    def __post_init__(self) -> None:
        check_seeds(self.seeds)

    @property
    def id(self) -> str:
        """As Minari has it."""
        return dataset_id(self.agent, self.scenario)

    @property
    def keywords(self) -> dict[str, Any]:
        """With which `gymnasium.make` builds the environment: the nearest preset, and what differs.

        Raises:
            ValueError: a field has no JSON form, such as a task stream of one's own.
        """
        fields = self.config.to_dict()
        for name, value in fields.items():
            if not isinstance(value, str | int | float | tuple | None):
                raise reject(name, value, "text or numbers in a dataset")
        changed = {
            name: {key: value for key, value in fields.items() if preset.to_dict()[key] != value}
            for name, preset in environment_of(self.config).presets.items()
        }
        nearest = min(changed, key=lambda name: len(changed[name]))
        return {"scenario": nearest, **changed[nearest]}

    def episodes(self) -> Iterator[tuple[Episodes, list[Steps]]]:
        """Run the agent, and yield what it did, as many episodes at a time as fit in memory."""
        for chunk in self._chunks:
            env = make_vector_env(self.config, len(chunk))
            tape: Any = Tape(env)
            acting = act_in(self.agent, env, seed=chunk, trust_zip=self.trust_zip)
            found = run_episodes(acting, tape, chunk, name=self.agent)
            env.close()
            yield found, tape.episodes

    @property
    def _chunks(self) -> list[Sequence[int]]:
        numbers = sum(int(np.prod(shape)) for shape in self.config.observation_shapes.values())
        rows = max(1, BATCH_NUMBERS // (numbers * (self.config.steps + 1)))
        return [self.seeds[first : first + rows] for first in range(0, len(self.seeds), rows)]

    def describe(self, episodes: Episodes) -> dict[str, Any]:
        """Return what `metadata.json` says under `mec_moe`: equal for equal code, seeds, packages.

        Args:
            episodes: of the dataset.
        """
        provenance, config = current_provenance(), plain_config(self.config)
        estimates = {name: estimate_mean(each) for name, each in episodes.metrics.items()}
        return {
            "scenario": self.scenario,
            "environment": environment_of(self.config).id,
            "keywords": {name: config.get(name, value) for name, value in self.keywords.items()},
            "config": config,
            "data": data_digests(self.config),
            "agent": self.agent,
            "origin": dict(origin_of(self.agent, self.config)),
            "first_seed": self.seeds[0],
            "episodes": len(self.seeds),
            "metrics": {name: plain_estimate(each) for name, each in estimates.items()},
            "references": {
                LOWEST: plain_estimate(self.scores.low),
                self.scores.best: plain_estimate(self.scores.high),
                "episodes": self.scores.episodes,
                "first_seed": validation_seeds(1)[0],
            },
            "version": provenance.version,
            "commit": provenance.commit,
            "code": provenance.fingerprint,
            "python": platform.python_version(),
            "packages": {name: version(name) for name in PACKAGES},
        }


def check_seeds(seeds: Sequence[int]) -> None:
    """See that seeds are those of training alone, at least one and one after the other.

    Raises:
        ValueError: they are not.
    """
    allowed = Whole(FIRST_EPISODE_SEED)
    why = "those below are for evaluation and for the choice of checkpoints"
    if not seeds:
        raise ValueError("a dataset needs one episode at least")
    for seed in seeds:
        if not allowed.admits(seed):
            raise reject("seed", seed, f"{allowed}: {why}")
    if list(seeds) != list(range(seeds[0], seeds[0] + len(seeds))):
        raise ValueError("the seeds of a dataset follow each other without gaps")


def dataset_id(agent: str, scenario: str) -> str:
    """Return the name of a dataset, as Minari has it: letters, digits, `-`, `_` and `/`."""
    plain = (re.sub(r"[^\w/-]+", "-", name) for name in (scenario, file_stem(agent)))
    return "/".join([NAMESPACE, *plain]) + f"-v{VERSION}"
