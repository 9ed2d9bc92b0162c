"""The ranking as Markdown; the same text for the same results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mec_moe_agents.evaluation.provenance import Provenance
from mec_moe_agents.ranking.aggregate import Aggregate
from mec_moe_agents.ranking.columns import SCORE, all_columns
from mec_moe_agents.ranking.command import command_for, command_for_row
from mec_moe_agents.ranking.contest import FLOOR
from mec_moe_agents.ranking.request import RankingRequest
from mec_moe_agents.ranking.scenarios import AnyConfig, environment_of
from mec_moe_agents.ranking.standings import Standings
from mec_moe_agents.ranking.verdict import verdict
from mec_moe_agents.report.columns import return_column
from mec_moe_env import DMoEConfig

EXPLANATION = """\
No training has seen these seeds: evaluation seeds are below 2³¹, training's are above. All agents
meet the same worlds on the same seeds. In brackets are 95 % bootstrap intervals over seeds.

- **To …**: return minus that of the best baseline (any contender that nobody trained), paired by
  seed. Which one is best is decided on these same seeds, which favours it.
- **Score**: the return on a scale on which the mean of `random` is 0 and that of the reference is
  1. In Offloading that is `oracle`, which sees the true model errors but does not plan: a
  yardstick, never a contender. In DMoE no agent sees more than a scheduler can; there 1 is
  `jesa-plus`, the best solver of the paper's problem P1 that every preset admits. It solves P1's
  constraints, which the return only prices, so that more than 1 is possible.
- **IQM score**: interquartile mean of the scores of single episodes
  ([Agarwal et al. 2021](https://arxiv.org/abs/2108.13264)).
- **Better on seeds** is paired: the share of seeds with the higher return, ties half, with
  Wilson's interval. **P(improvement)** is unpaired, as in rliable: the probability that an episode
  beats an independent one of the best baseline.
"""


def as_markdown(
    request: RankingRequest,
    standings: Sequence[Standings],
    aggregates: Sequence[Aggregate],
    provenance: Provenance,
    picture: str,
) -> str:
    """Write all tables, verdicts and commands.

    Args:
        request: what was asked.
        standings: one per scenario.
        aggregates: over scenarios.
        provenance: which code the results come from.
        picture: path of the figure from where the text will lie.
    """
    seeds = request.seeds
    command = command_for(request, [entry.contest.scenario for entry in standings])
    parts = [
        "# Ranking",
        f"{len(seeds)} held-out seeds, {seeds[0]} to {seeds[-1]}, for every agent and scenario. "
        f"mec-moe-env {provenance.version}, code {provenance.fingerprint}.",
        _fenced(command),
        f"![Normalised scores by scenario, and their interquartile means]({picture})",
        _verdicts(standings),
        *(_aggregate(group, request) for group in aggregates),
        f"## How to read it\n\n{EXPLANATION.rstrip()}",
        *(_scenario(entry, request) for entry in standings),
    ]
    return "\n\n".join(parts) + "\n"


def _verdicts(standings: Sequence[Standings]) -> str:
    rows = [(f"`{entry.contest.scenario}`", verdict(entry)) for entry in standings]
    return f"## Who wins\n\n{_table(('scenario', 'verdict'), rows)}"


def _aggregate(group: Aggregate, request: RankingRequest) -> str:
    agents = [line.agent for line in group.lines]
    rows = [
        (
            _name(line.agent, line.contender),
            SCORE.number(line.iqm.mean),
            SCORE.interval(line.iqm),
        )
        for line in group.lines
    ]
    names = ", ".join(f"`{name}`" for name in group.scenarios)
    return "\n\n".join(
        [
            f"## {group.environment}: interquartile mean over scenarios",
            f"Normalised scores of all episodes on {names}, for the agents that act in all of "
            "them; resampled within each scenario.",
            _table(("agent", "IQM score", "95 % interval"), rows),
            _fenced(command_for(request, group.scenarios, agents)),
        ]
    )


def _scenario(entry: Standings, request: RankingRequest) -> str:
    contest, column = entry.contest, return_column(entry.largest_return)
    columns = all_columns(entry)
    headings = ["agent", *(shown.column.heading for shown in columns), "to reproduce the row"]
    rows = [
        (
            _name(line.agent, line.contender),
            *(" ".join(shown.cell(line)).rstrip() for shown in columns),
            f"`{command_for_row(request, entry, line)}`",
        )
        for line in entry.lines
    ]
    return "\n\n".join(
        [
            f"## `{contest.scenario}`",
            f"{describe(contest.config)}. Score 0 is `{FLOOR}` at "
            f"{column.number(entry.scale.floor)}, score 1 is `{contest.ceiling}` at "
            f"{column.number(entry.scale.ceiling)}.",
            f"**{verdict(entry)}**",
            _table(headings, rows),
            _fenced(command_for(request, [contest.scenario])),
        ]
    )


def describe(config: AnyConfig) -> str:
    """Write the size of a scenario."""
    if isinstance(config, DMoEConfig):
        return (
            f"{environment_of(config)}: K = {config.num_nodes} nodes, "
            f"I = {config.sources} sources, Q = {config.tokens_per_source} tokens each, "
            f"L = {config.num_layers} layers, S = {config.num_subcarriers} subcarriers, "
            f"D = {config.max_experts}"
        )
    return (
        f"{environment_of(config)}: M = {config.num_servers} servers, S = {config.num_subcarriers} "
        f"subcarriers, N = {config.num_types} task types, T = {config.horizon} slots, "
        f"U = {config.num_tasks}, D = {config.max_experts}"
    )


def _name(agent: str, contender: bool) -> str:
    return f"`{agent}`" if contender else f"*`{agent}` (yardstick)*"


def _fenced(command: str) -> str:
    return f"```\n{command}\n```"


def _table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(headings)]
    lines.append(["---"] * len(lines[0]))
    lines += [list(row) for row in rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
