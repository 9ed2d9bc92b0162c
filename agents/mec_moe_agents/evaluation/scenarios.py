"""From names to scenarios with the agents that meet there, checked before any work begins."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Self

from mec_moe_agents.evaluation.naming import (
    SEPARATOR,
    named_config,
    parse_scenarios,
    split_names,
)
from mec_moe_agents.evaluation.overrides import changed_settings, in_words, suffix
from mec_moe_agents.evaluation.rollout import (
    FIRST_RANKING_SEED,
    Traits,
    check_evaluation_seeds,
    make_vector_env,
    traits_of,
)
from mec_moe_agents.evaluation.trained import training_runs
from mec_moe_agents.outside.find import is_outside
from mec_moe_agents.outside.syntax import parse_reference, split_references
from mec_moe_agents.registry import agent_names, catalogue, find_agent, make_agent, origin_of
from mec_moe_agents.suite import frozen_baseline, shipped_plans
from mec_moe_env.config import Config, suggest

LAST_RESORT = "random"
"""The baseline where no other runs."""
CLAIRVOYANT = "clairvoyant"
"""The reference that plans with full foresight: seconds a seed, so that it runs on demand."""


@dataclass(frozen=True)
class Scenario:
    """A configuration with its name and the agents that are compared there."""

    name: str
    config: Config
    agents: Sequence[str]
    """Names, or where agents from outside the catalogue are to be found."""
    trust_zip: bool = False
    """Whether a `model.zip` among them may be loaded, which runs code that is in it."""

    @property
    def traits(self) -> Traits:
        """What its environment is like."""
        return traits_of(self.config)

    @cached_property
    def overrides(self) -> Mapping[str, str]:
        """What it has otherwise than the preset of its name, as `--set` takes it."""
        preset = named_config(self.name)
        return {} if preset is None else changed_settings(preset, self.config)

    @property
    def is_named(self) -> bool:
        """Whether its name is that of a preset or of a registered scenario, not of a file."""
        return named_config(self.name) is not None

    @property
    def origins(self) -> Mapping[str, Mapping[str, str]]:
        """Where the agents from outside the catalogue come from."""
        found = {name: dict(origin_of(name, self.config)) for name in self.agents}
        return {name: origin for name, origin in found.items() if origin}

    def build_agents(self) -> None:
        """Build the environment and every agent once, so that what is wrong is said at once.

        Raises:
            ValueError: an agent is unknown, or cannot act here.
            OSError: a file is missing.
            ImportError: something is not installed.
        """
        one = make_vector_env(self.config, 1)
        for agent in self.agents:
            make_agent(agent, one, trust_zip=self.trust_zip)
        one.close()

    @property
    def label(self) -> str:
        """Its name, and what it has otherwise."""
        return f"{self.name} with {in_words(self.overrides)}" if self.overrides else self.name

    @property
    def folder_name(self) -> str:
        """How its results are called under `runs`: another configuration's differ."""
        return self.name.replace(SEPARATOR, "-") + suffix(self.overrides)

    @property
    def summary(self) -> str:
        """The environment, the label and the size."""
        size = ", ".join(map(self._count, self.traits.summary))
        return f"{self.traits.title} · {self.label.rpartition(SEPARATOR)[2]}: {size}"

    @property
    def size(self) -> str:
        """The environment and the full size, with the papers' symbols."""
        size = ", ".join(f"{symbol} = {self._count(symbol)}" for symbol in self.traits.sizes)
        return f"{self.traits.title}: {size}"

    def _count(self, symbol: str) -> str:
        field, what = self.traits.sizes[symbol]
        return f"{getattr(self.config, field)} {what}".rstrip()

    @property
    def runners(self) -> list[str]:
        """The agents that must run: the ranked and a baseline.

        In the order of the catalogue, those with options or from outside behind them.
        """
        needed = {*self.agents, *([self.baseline] if self.baseline else ())}
        if not self.baselines(needed):
            needed.add(LAST_RESORT)
        listed = [name for name in agent_names(self.config) if name in needed]
        return [*listed, *(name for name in self.agents if name not in listed)]

    @cached_property
    def baseline(self) -> str | None:
        """The agent that the suite has frozen as score 0; None outside the suite."""
        frozen = frozen_baseline(self.config)
        return frozen if frozen in agent_names(self.config) else None

    def baselines(self, agents: Collection[str]) -> list[str]:
        """Return which of some agents are contenders that nobody trained."""
        return [name for name in agents if self.is_contender(name) and name not in self.trained]

    @property
    def trained(self) -> Mapping[str, int]:
        """The number of training runs of each compared agent that was trained."""
        runs = {name: training_runs(name, self.config) for name in self.agents}
        return {name: count for name, count in runs.items() if count}

    @property
    def references(self) -> list[str]:
        """The compared agents that are no contenders but show what can be reached."""
        return [name for name in self.agents if not self.is_contender(name)]

    def is_contender(self, agent: str) -> bool:
        """Tell whether an agent competes, or is a reference."""
        return find_agent(agent, self.config).contender


@dataclass(frozen=True)
class RankingRequest:
    """A ranking that can run."""

    scenarios: tuple[Scenario, ...]
    seeds: range
    mnist: Path | None = None
    certify: bool = False
    """Whether bounds and clairvoyant plans that are not shipped are computed."""
    files: Mapping[str, Path] = field(default_factory=dict)
    """Where the scenarios come from that are called after files."""

    @classmethod
    def check(
        cls,
        scenarios: str,
        agents: str,
        seeds: range,
        mnist: Path | None = None,
        files: Sequence[Path] = (),
        *,
        certify: bool = False,
        trust_zip: bool = False,
    ) -> Self:
        """Resolve every name and build every environment once.

        Raises:
            ValueError: a scenario or agent is unknown (the nearest is given), a named scenario has
                none of the agents, or the seeds are training's.
            OSError: the data of a scenario are missing.
            ImportError: a scenario needs an extra that is not installed.
        """
        check_evaluation_seeds((seeds[0], seeds[-1]))
        configs = parse_scenarios(scenarios, mnist, files)
        named = list(configs)[len(configs) - len(files) :]
        wanted = _parse_agents_of(agents, configs.values())
        found = []
        for name, config in configs.items():
            here = [agent for agent in agent_names(config) if agent in wanted]
            here += [agent for agent in wanted if agent not in here and _acts(agent, config)]
            if here:
                here = with_clairvoyant(here, config, seeds, certify=certify)
                found.append(Scenario(name, config, here, trust_zip))
            elif name in split_names(scenarios):
                raise ValueError(
                    f"none of --agents {agents} is ranked on scenario {name!r}: "
                    f"it has {', '.join(agent_names(config))}"
                )
        for scenario in found:
            scenario.build_agents()
        return cls(tuple(found), seeds, mnist, certify, dict(zip(named, files, strict=True)))

    def command(self, scenarios: Collection[str], agents: Collection[str] = ()) -> str:
        """Write the command that ranks these agents, or all, on these scenarios as this one."""
        names = [name for name in scenarios if name not in self.files]
        words = ["mec-moe", "rank", *(["--scenario", ",".join(names)] if names else [])]
        for name in scenarios:
            words += ["--config", str(self.files[name])] if name in self.files else []
        if agents:
            words += ["--agents", ",".join(dict.fromkeys(agents))]
        words += ["--seeds", str(len(self.seeds))]
        if self.seeds.start != FIRST_RANKING_SEED:
            words += ["--first-seed", str(self.seeds.start)]
        if self.mnist is not None:
            words += ["--mnist", str(self.mnist)]
        words += ["--certify"] if self.certify else []
        words += ["--trust-zip"] if any(each.trust_zip for each in self.scenarios) else []
        return shlex.join(words)


def parse_agents(agents: str, config: Config) -> list[str]:
    """Split names at commas; `all` stands for every agent that differs on this config.

    It does not stand for the clairvoyant (see `with_clairvoyant`).
    """
    everyone = [name for name in agent_names(config) if name != CLAIRVOYANT]
    names: list[str] = []
    for name in split_references(agents):
        names += everyone if name == "all" else [name]
    if not names:
        raise ValueError("--agents names no agent")
    for name in names:
        find_agent(name, config)
    return list(dict.fromkeys(names))


def with_clairvoyant(
    agents: Sequence[str], config: Config, seeds: Sequence[int], *, certify: bool
) -> list[str]:
    """Add the clairvoyant where it exists, if its plans are shipped or to be made."""
    if CLAIRVOYANT in agents or CLAIRVOYANT not in agent_names(config):
        return list(agents)
    takes_part = certify or shipped_plans(config, seeds) is not None
    return [*agents, CLAIRVOYANT] if takes_part else list(agents)


def _parse_agents_of(agents: str, configs: Collection[Config]) -> list[str]:
    """Split names at commas; `all` stands for every agent but the clairvoyant."""
    known = list(dict.fromkeys(name for config in configs for name in agent_names(config)))
    names = split_references(agents)
    for name in names:
        target = parse_reference(name).target
        if target not in known and name != "all" and not is_outside(target):
            raise ValueError(f"no agent {name!r} in these scenarios: {suggest(target, known)}")
    if not names:
        raise ValueError("--agents names no agent")
    everyone = [name for name in known if name != CLAIRVOYANT] if "all" in names else []
    return list(dict.fromkeys([*everyone, *(name for name in names if name != "all")]))


def _acts(agent: str, config: Config) -> bool:
    """Tell whether an agent with options, or one from outside, can act in a scenario."""
    target = parse_reference(agent).target
    known = target != agent and target in catalogue(config)
    return (known or is_outside(target)) and find_agent(agent, config).serves(config)
