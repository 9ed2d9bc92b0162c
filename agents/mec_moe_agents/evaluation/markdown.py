"""A ranking as a page of Markdown: verdicts, tables, and the command behind each row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mec_moe_agents.evaluation import aggregate, leaderboard
from mec_moe_agents.evaluation.aggregate import by_reason
from mec_moe_agents.evaluation.bounds import BOUND
from mec_moe_agents.evaluation.columns import SCORE, return_column
from mec_moe_agents.evaluation.line import Line
from mec_moe_agents.evaluation.ranking import Ranking
from mec_moe_agents.evaluation.scenarios import RankingRequest
from mec_moe_agents.evaluation.tables import all_ranking_columns
from mec_moe_agents.evaluation.verdict import ranking_verdict, sentence

EXPLANATION = """\
No training has seen these seeds: evaluation seeds are below 2³¹, training's are above. All agents
meet the same tasks and channels on the same seeds. In brackets are 95 % bootstrap intervals over
seeds; what they tell is how the agents do on other seeds, not how another training run would do:
of an agent that was trained the verdict names the number of runs.

- **Certified bound**: proved for each seed, no policy returns more, not even one that knows the
  whole episode beforehand. How much of the distance to it is open to any policy is not known;
  *`clairvoyant`* shows a part: it plans with full foresight, and its plan is played; in DMoE
  *`optimal`* does, which solves the return itself. These are references, as is every agent that
  sees what no scheduler can; none is ranked as best.
- **Score**: 0 is the mean return of the best baseline (a contender that nobody trained; for the
  tasks of `mec-moe-1` it is fixed in the suite), 1 the mean of the certified bounds. No score
  exceeds 1; whoever does worse than the baseline has a negative one. Where nothing is certified,
  or the best baseline stands within 1 % of the bound so that there is nothing to gain, there are
  returns and no scores, and the scenario is left out of the interquartile means.
- **To …**: return minus that of the best baseline, paired by seed. Outside the suite that
  baseline is chosen on these same seeds, which favours it.
- **p (Holm)**: two-sided, from the paired sign-flip permutation test of the mean difference,
  adjusted by Holm for all comparisons of the scenario's table; the command behind a row alone
  has a smaller family, and so at most the same p. "Beats" in a verdict asks for an interval
  without zero and p below 0.05.
- **IQM score**: interquartile mean of the scores of single episodes
  ([Agarwal et al. 2021](https://arxiv.org/abs/2108.13264)), each 1 minus its distance from its own
  seed's bound, in units of the distance between both ends of the scale.
- **Better on seeds** is paired: the share of seeds with the higher return, ties half, with
  Wilson's interval. **P(improvement)** is unpaired, as in rliable: the probability that an episode
  beats an independent one of the best baseline.
- **Feasibility**: the share of token layers below their threshold (Violated) in DMoE; in
  Offloading the share of tasks that were rejected and, where there are any, how many were lost to
  a failure and how many picks were dropped in an episode.
"""


def as_markdown(ranking: Ranking, picture: str) -> str:
    """Write all tables, verdicts and commands beside a picture: the same for the same results."""
    request, standings, provenance = ranking.request, ranking.standings, ranking.provenance
    seeds = request.seeds
    verdicts = [(f"`{entry.scenario.name}`", ranking_verdict(entry)) for entry in standings]
    parts = [
        "# Ranking",
        f"{len(seeds)} held-out seeds, {seeds[0]} to {seeds[-1]}, for every agent and scenario. "
        f"mec-moe-env {provenance.version}, code {provenance.fingerprint}.",
        _fenced(request.command([entry.scenario.name for entry in standings])),
        f"![Scores by scenario, and their interquartile means]({picture})",
        f"## Who wins\n\n{_table(('scenario', 'verdict'), verdicts)}",
        *(text for group in ranking.aggregates for text in _aggregate_section(group, request)),
        f"## How to read it\n\n{EXPLANATION.rstrip()}",
        *(text for entry in standings for text in _scenario_section(entry, request)),
    ]
    return "\n\n".join(parts) + "\n"


def _aggregate_section(group: aggregate.Aggregate, request: RankingRequest) -> list[str]:
    rows = [(_name(line), *SCORE.cell(line.iqm)) for line in group.lines]
    return [
        f"## {group.environment}: interquartile mean over scenarios",
        f"Scores of all episodes on {_quoted(group.scenarios)}, for the agents that act in all of "
        f"them; resampled within each scenario.{_left_out(group)}",
        _table(("agent", "IQM score", "95 % interval"), rows),
        _fenced(request.command(group.scenarios, [line.agent for line in group.lines])),
    ]


def _left_out(group: aggregate.Aggregate) -> str:
    if not group.left_out:
        return ""
    names = by_reason(group.left_out, lambda name: f"`{name}`")
    return f" Left out, since no score is defined there ({names})."


def _scenario_section(entry: leaderboard.Standings, request: RankingRequest) -> list[str]:
    scenario, columns = entry.scenario, all_ranking_columns(entry)
    headings = ["agent", *(column.heading for column, _ in columns), "to reproduce the row"]
    rows = []
    for line in entry.shown:
        cells = (each.text(value(line)) for each, value in columns)
        rows.append([_name(line), *cells, _row_command(line, entry, request)])
    return [
        f"## `{scenario.name}`",
        f"{scenario.size}. {scale_in_words(entry)}",
        f"**{ranking_verdict(entry)}**",
        _table(headings, rows),
        _fenced(request.command([scenario.name])),
    ]


def scale_in_words(entry: leaderboard.Leaderboard) -> str:
    """Say what both ends of the scale are, or why there is none."""
    column, bounds = return_column(entry.largest_return), entry.bounds
    baseline = f"`{entry.baseline}` at {column.number(entry.scale.baseline)}"
    if bounds.values is None:
        return f"No scores: {bounds.source}. The best baseline is {baseline}."
    bound = f"the {BOUND} ({bounds.source}) at {column.number(entry.scale.bound)}"
    if not entry.scale.is_defined:
        why = sentence(entry.scale.why_none(f"`{entry.baseline}`"))
        return f"{why} The best baseline is {baseline}, {bound}."
    return f"Score 0 is {baseline}, score 1 is {bound}."


def _row_command(line: Line, entry: leaderboard.Standings, request: RankingRequest) -> str:
    agents = [entry.opponent] if line is entry.bound else [line.agent, entry.opponent]
    return f"`{request.command([entry.scenario.name], agents)}`"


def _name(line: Line | aggregate.AggregateLine) -> str:
    if line.agent == BOUND:
        return f"*{BOUND}*"
    return f"`{line.agent}`" if line.contender else f"*`{line.agent}` (reference)*"


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _fenced(command: str) -> str:
    return f"```\n{command}\n```"


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
