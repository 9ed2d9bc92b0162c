"""What a ranking was asked for, checked before any work begins."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from mec_moe_agents.evaluation.measures import make_vector_env
from mec_moe_agents.evaluation.seeds import check_evaluation_seeds
from mec_moe_agents.ranking.contest import Contest
from mec_moe_agents.ranking.scenarios import AnyConfig, parse_scenarios
from mec_moe_agents.registry import agent_names
from mec_moe_env.config import suggest

GROUPS = frozenset({"all", "offloading", "dmoe"})


@dataclass(frozen=True)
class RankingRequest:
    """A ranking that can run."""

    contests: tuple[Contest, ...]
    seeds: range
    mnist: Path | None = None

    @classmethod
    def check(cls, scenarios: str, agents: str, seeds: range, mnist: Path | None = None) -> Self:
        """Resolve every name and build every environment once.

        Raises:
            ValueError: a scenario or agent is unknown (the nearest is given), a named scenario has
                none of the agents, or the seeds are training's.
            OSError: the data of a scenario are missing.
            ImportError: a scenario needs an extra that is not installed.
        """
        check_evaluation_seeds((seeds[0], seeds[-1]))
        configs = parse_scenarios(scenarios, mnist)
        wanted = _parse_agents(agents, configs.values())
        named = {part.strip() for part in scenarios.split(",")} - GROUPS
        contests = []
        for scenario, config in configs.items():
            here = [name for name in agent_names(config) if name in wanted]
            if here:
                contests.append(Contest(scenario, config, here))
            elif scenario in named:
                raise ValueError(
                    f"none of --agents {agents} is ranked on scenario {scenario!r}: "
                    f"it has {', '.join(agent_names(config))}"
                )
        for contest in contests:
            make_vector_env(contest.config, 1).close()
        return cls(tuple(contests), seeds, mnist)


def _parse_agents(agents: str, configs: Collection[AnyConfig]) -> set[str]:
    """Split names at commas; `all` stands for every agent.

    Raises:
        ValueError: a name is in none of the scenarios, or there is none.
    """
    known = {name for config in configs for name in agent_names(config)}
    wanted: set[str] = set()
    for name in filter(None, (part.strip() for part in agents.split(","))):
        if name != "all" and name not in known:
            raise ValueError(f"no agent {name!r} in these scenarios: {suggest(name, known)}")
        wanted |= known if name == "all" else {name}
    if not wanted:
        raise ValueError("--agents names no agent")
    return wanted
