"""What a ranking leaves behind: every episode, all figures of the tables, Markdown, a picture."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from mec_moe_agents.evaluation import aggregate, leaderboard
from mec_moe_agents.evaluation.columns import FEASIBILITY
from mec_moe_agents.evaluation.drawing import save_figure
from mec_moe_agents.evaluation.line import Line
from mec_moe_agents.evaluation.markdown import as_markdown
from mec_moe_agents.evaluation.ranking import Ranking
from mec_moe_agents.evaluation.ranking_figure import DPI, draw_ranking
from mec_moe_agents.evaluation.scenarios import RankingRequest
from mec_moe_agents.evaluation.statistics import Estimate
from mec_moe_agents.evaluation.store import rows_of
from mec_moe_agents.evaluation.verdict import ranking_verdict
from mec_moe_env.files import write_csv, write_json, write_text


def write_ranking(ranking: Ranking, folder: Path, markdown: Path | None = None) -> list[Path]:
    """Write ranking.csv, .json, .md and .png, the latter two also as `markdown`; list them all."""
    written = [folder / "ranking.csv", folder / "ranking.json"]
    write_csv(written[0], _episodes(ranking))
    write_json(written[1], _document(ranking), indent=1)
    figure = draw_ranking(ranking.standings, ranking.aggregates)
    for page in (folder / "ranking.md", *([markdown] if markdown else [])):
        picture = page.with_suffix(".png")
        write_text(page, as_markdown(ranking, picture.name))
        save_figure(figure, picture, DPI)
        written += [page, picture]
    return written


def _episodes(ranking: Ranking) -> list[dict[str, object]]:
    """Return a row per scenario, agent and seed; what an environment does not measure is empty."""
    rows: list[dict[str, object]] = []
    for entry in ranking.standings:
        scenario, bounds = entry.scenario.name, entry.bounds.values
        for agent, episodes in ranking.results[scenario].items():
            scores = entry.scale.score(episodes.metrics["return"]).tolist()
            for place, row in enumerate(rows_of(episodes)):
                head = {"scenario": scenario, "agent": agent, "seed": row["seed"]}
                theory = {
                    "p_holm": entry.adjusted.get(agent, ""),
                    "bound": "" if bounds is None else bounds[place].item(),
                    "score": scores[place] if entry.scale.is_defined else "",
                }
                rows.append({**head, **ranking.provenance.columns, **theory, **row})
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
                "left_out": dict(group.left_out),
                "profile_thresholds": aggregate.THRESHOLDS,
                "agents": [_aggregate_line(line) for line in group.lines],
            }
            for group in ranking.aggregates
        ],
    }


def _scenario(entry: leaderboard.Standings, request: RankingRequest) -> dict[str, Any]:
    settings, bound = entry.scenario.config.to_dict().items(), entry.bound
    return {
        "scenario": entry.scenario.name,
        # JSON has no infinity.
        "config": {name: str(value) if value == math.inf else value for name, value in settings},
        "baseline": {"agent": entry.baseline, "mean_return": entry.scale.baseline},
        "certified_bound": {
            "source": entry.bounds.source,
            "mean_return": None if bound is None else _plain(bound.mean_return),
            "to_baseline": None if bound is None else _plain(bound.gain),
        },
        "no_scale": entry.scale.why_none(entry.baseline) or entry.scale.lack or None,
        "verdict": ranking_verdict(entry),
        "agents": [_line(line, entry, request) for line in entry.lines],
    }


def _line(line: Line, entry: leaderboard.Standings, request: RankingRequest) -> dict[str, Any]:
    return {
        "agent": line.agent,
        "contender": line.contender,
        "training_runs": line.training_runs,
        "return": _plain(line.mean_return),
        "to_baseline": _plain(line.gain),
        "p": line.p_value,
        "p_holm": entry.adjusted.get(line.agent),
        "score": _plain(line.score),
        "iqm": _plain(line.iqm),
        "better_on_seeds": _plain(line.better_on),
        "probability_of_improvement": _plain(line.improvement),
        "feasibility": {
            name: _plain(line.metrics[name]) for name in FEASIBILITY if name in line.metrics
        },
        "command": request.command([entry.scenario.name], [line.agent, entry.opponent]),
    }


def _aggregate_line(line: aggregate.AggregateLine) -> dict[str, Any]:
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
