"""What a ranking leaves behind: every episode, all figures of the tables, Markdown, a picture."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mec_moe_agents.evaluation import leaderboard
from mec_moe_agents.evaluation.drawing import save_figure
from mec_moe_agents.evaluation.figures import RANKING_DPI, draw_ranking
from mec_moe_agents.evaluation.provenance import Provenance
from mec_moe_agents.evaluation.rollout import Episodes
from mec_moe_agents.evaluation.scenarios import FLOOR, RankingRequest
from mec_moe_agents.evaluation.statistics import Estimate
from mec_moe_agents.evaluation.store import rows_of
from mec_moe_agents.evaluation.tables import all_ranking_columns
from mec_moe_agents.evaluation.verdict import SCORE, ranking_verdict, return_column
from mec_moe_env.files import write_csv, write_json, write_text

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


@dataclass(frozen=True)
class Ranking:
    """A finished ranking."""

    request: RankingRequest
    results: Mapping[str, Mapping[str, Episodes]]
    """Episodes by scenario and agent."""
    provenance: Provenance

    @cached_property
    def standings(self) -> Sequence[leaderboard.Standings]:
        """How the agents stand on each scenario."""
        return [leaderboard.rank(each, self.results[each.name]) for each in self.request.scenarios]

    @cached_property
    def aggregates(self) -> Sequence[leaderboard.Aggregate]:
        """How they stand over all scenarios of an environment."""
        return leaderboard.aggregate(self.standings)


def write_ranking(ranking: Ranking, folder: Path, markdown: Path | None = None) -> list[Path]:
    """Write ranking.csv, .json, .md and .png, the latter two also as `markdown`; list them all."""
    written = [folder / "ranking.csv", folder / "ranking.json"]
    write_csv(written[0], _episodes(ranking))
    write_json(written[1], _document(ranking), indent=1)
    figure = draw_ranking(ranking.standings, ranking.aggregates)
    for page in (folder / "ranking.md", *([markdown] if markdown else [])):
        picture = page.with_suffix(".png")
        write_text(page, as_markdown(ranking, picture.name))
        save_figure(figure, picture, RANKING_DPI)
        written += [page, picture]
    return written


def _episodes(ranking: Ranking) -> list[dict[str, object]]:
    """Return a row per scenario, agent and seed; what an environment does not measure is empty."""
    rows: list[dict[str, object]] = []
    for entry in ranking.standings:
        scenario = entry.scenario.name
        for agent, episodes in ranking.results[scenario].items():
            scores = entry.scale.score(episodes.metrics["return"]).tolist()
            for score, row in zip(scores, rows_of(episodes), strict=True):
                head = {"scenario": scenario, "agent": agent, "seed": row["seed"]}
                rows.append({**head, **ranking.provenance.columns, "score": score, **row})
    names = dict.fromkeys(name for row in rows for name in row)
    return [{name: row.get(name, "") for name in names} for row in rows]


def _document(ranking: Ranking) -> dict[str, Any]:
    request, provenance = ranking.request, ranking.provenance
    return {
        "version": provenance.version,
        "commit": provenance.commit,
        "code": provenance.fingerprint,
        "first_seed": request.seeds[0],
        "seeds": len(request.seeds),
        "scenarios": [_scenario(entry, request) for entry in ranking.standings],
        "aggregates": [
            {
                "environment": group.environment,
                "scenarios": group.scenarios,
                "profile_thresholds": leaderboard.THRESHOLDS,
                "agents": [_aggregate_line(line) for line in group.lines],
            }
            for group in ranking.aggregates
        ],
    }


def _scenario(entry: leaderboard.Standings, request: RankingRequest) -> dict[str, Any]:
    settings = entry.scenario.config.to_dict().items()
    return {
        "scenario": entry.scenario.name,
        # JSON has no infinity.
        "config": {name: str(value) if value == math.inf else value for name, value in settings},
        "floor": {"agent": FLOOR, "mean_return": entry.scale.floor},
        "ceiling": {"agent": entry.scenario.traits.ceiling, "mean_return": entry.scale.ceiling},
        "best_baseline": entry.opponent,
        "verdict": ranking_verdict(entry),
        "agents": [_line(line, entry, request) for line in entry.lines],
    }


def _line(
    line: leaderboard.Line, entry: leaderboard.Standings, request: RankingRequest
) -> dict[str, Any]:
    return {
        "agent": line.agent,
        "contender": line.contender,
        "return": _plain(line.mean_return),
        "to_best_baseline": _plain(line.gain),
        "score": _plain(line.score),
        "iqm": _plain(line.iqm),
        "better_on_seeds": _plain(line.better_on),
        "probability_of_improvement": _plain(line.improvement),
        "command": request.command([entry.scenario.name], [line.agent, entry.opponent]),
    }


def _aggregate_line(line: leaderboard.AggregateLine) -> dict[str, Any]:
    return {
        "agent": line.agent,
        "contender": line.contender,
        "iqm": _plain(line.iqm),
        "profile": line.profile.tolist(),
    }


def _plain(estimate: Estimate | None) -> list[float | None] | None:
    """Turn an estimate into [mean, low, high]; JSON has no NaN."""
    if estimate is None:
        return None
    return [None if math.isnan(number) else number for number in estimate]


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
        f"![Normalised scores by scenario, and their interquartile means]({picture})",
        f"## Who wins\n\n{_table(('scenario', 'verdict'), verdicts)}",
        *(text for group in ranking.aggregates for text in _aggregate_section(group, request)),
        f"## How to read it\n\n{EXPLANATION.rstrip()}",
        *(text for entry in standings for text in _scenario_section(entry, request)),
    ]
    return "\n\n".join(parts) + "\n"


def _aggregate_section(group: leaderboard.Aggregate, request: RankingRequest) -> list[str]:
    rows = [(_name(line), *SCORE.cell(line.iqm)) for line in group.lines]
    names = ", ".join(f"`{name}`" for name in group.scenarios)
    return [
        f"## {group.environment}: interquartile mean over scenarios",
        f"Normalised scores of all episodes on {names}, for the agents that act in all of "
        "them; resampled within each scenario.",
        _table(("agent", "IQM score", "95 % interval"), rows),
        _fenced(request.command(group.scenarios, [line.agent for line in group.lines])),
    ]


def _scenario_section(entry: leaderboard.Standings, request: RankingRequest) -> list[str]:
    scenario, columns = entry.scenario, all_ranking_columns(entry)
    column = return_column(entry.largest_return)
    headings = ["agent", *(column.heading for column, _ in columns), "to reproduce the row"]
    rows = []
    for line in entry.lines:
        command = request.command([scenario.name], [line.agent, entry.opponent])
        cells = (each.text(value(line)) for each, value in columns)
        rows.append([_name(line), *cells, f"`{command}`"])
    return [
        f"## `{scenario.name}`",
        f"{scenario.size}. Score 0 is `{FLOOR}` at {column.number(entry.scale.floor)}, "
        f"score 1 is `{scenario.traits.ceiling}` at {column.number(entry.scale.ceiling)}.",
        f"**{ranking_verdict(entry)}**",
        _table(headings, rows),
        _fenced(request.command([scenario.name])),
    ]


def _name(line: leaderboard.Line | leaderboard.AggregateLine) -> str:
    return f"`{line.agent}`" if line.contender else f"*`{line.agent}` (yardstick)*"


def _fenced(command: str) -> str:
    return f"```\n{command}\n```"


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
