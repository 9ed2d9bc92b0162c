"""The command that reproduces a row or a section."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from mec_moe_agents.evaluation.seeds import FIRST_RANKING_SEED
from mec_moe_agents.ranking.request import RankingRequest
from mec_moe_agents.ranking.standings import Line, Standings


def command_for(
    request: RankingRequest, scenarios: Iterable[str], agents: Iterable[str] = ()
) -> str:
    """Write the command that ranks these agents, or all, on these scenarios as `request` does."""
    words = ["mec-moe", "rank", "--scenarios", ",".join(scenarios)]
    if names := list(dict.fromkeys(agents)):
        words += ["--agents", ",".join(names)]
    words += ["--seeds", str(len(request.seeds))]
    if request.seeds.start != FIRST_RANKING_SEED:
        words += ["--first-seed", str(request.seeds.start)]
    if request.mnist is not None:
        words += ["--mnist", str(request.mnist)]
    return shlex.join(words)


def command_for_row(request: RankingRequest, standings: Standings, line: Line) -> str:
    """Write the command that reproduces one agent's line, the rival beside it."""
    return command_for(request, [standings.contest.scenario], [line.agent, standings.rival])
