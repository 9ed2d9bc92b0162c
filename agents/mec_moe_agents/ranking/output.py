"""What a ranking leaves behind: every episode, all figures of the tables, Markdown, a picture."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mec_moe_agents.evaluation.episodes import Episodes
from mec_moe_agents.evaluation.provenance import Provenance
from mec_moe_agents.ranking.aggregate import THRESHOLDS, Aggregate
from mec_moe_agents.ranking.command import command_for_row
from mec_moe_agents.ranking.figure import DPI, draw_ranking
from mec_moe_agents.ranking.markdown import as_markdown
from mec_moe_agents.ranking.request import RankingRequest
from mec_moe_agents.ranking.scenarios import AnyConfig
from mec_moe_agents.ranking.standings import Line, Standings
from mec_moe_agents.ranking.verdict import verdict
from mec_moe_agents.report.figure import save_figure
from mec_moe_env.files import replacing


@dataclass(frozen=True)
class Ranking:
    """A finished ranking."""

    request: RankingRequest
    results: Mapping[str, Mapping[str, Episodes]]
    """Episodes by scenario and agent."""
    standings: Sequence[Standings]
    aggregates: Sequence[Aggregate]
    provenance: Provenance


def write_ranking(ranking: Ranking, folder: Path, markdown: Path | None = None) -> list[Path]:
    """Write ranking.csv, .json, .md and .png; the latter two also as `markdown` and beside it.

    Returns:
        What was written.

    Raises:
        OSError: a file cannot be written.
    """
    pages = [folder / "ranking.md", *([markdown] if markdown else [])]
    written = [folder / "ranking.csv", folder / "ranking.json"]
    _write_episodes(written[0], ranking)
    _write_text(written[1], json.dumps(_as_json(ranking), indent=1, allow_nan=False) + "\n")
    figure = draw_ranking(ranking.standings, ranking.aggregates)
    for page in pages:
        picture = page.with_suffix(".png")
        text = as_markdown(
            ranking.request,
            ranking.standings,
            ranking.aggregates,
            ranking.provenance,
            picture.name,
        )
        _write_text(page, text)
        save_figure(figure, picture, DPI)
        written += [page, picture]
    return written


def _write_text(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _write_episodes(path: Path, ranking: Ranking) -> None:
    """Write a CSV row per scenario, agent and seed: score and metrics, version and commit."""
    rows = [row for entry in ranking.standings for row in _episodes(entry, ranking)]
    fields = list(dict.fromkeys(name for row in rows for name in row))
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=fields)
        writer.writeheader()
        writer.writerows(rows)


def _episodes(entry: Standings, ranking: Ranking) -> list[dict[str, object]]:
    source = {
        "version": ranking.provenance.version,
        "commit": ranking.provenance.commit or "",
        "code": ranking.provenance.fingerprint,
    }
    rows: list[dict[str, object]] = []
    for agent, episodes in ranking.results[entry.contest.scenario].items():
        scores = entry.scale.score(episodes.metrics["return"]).tolist()
        for index, seed in enumerate(episodes.seeds.tolist()):
            metrics = {name: values[index].item() for name, values in episodes.metrics.items()}
            head = {"scenario": entry.contest.scenario, "agent": agent, "seed": seed}
            rows.append({**head, **source, "score": scores[index], **metrics})
    return rows


def _as_json(ranking: Ranking) -> dict[str, Any]:
    seeds = ranking.request.seeds
    return {
        "version": ranking.provenance.version,
        "commit": ranking.provenance.commit,
        "code": ranking.provenance.fingerprint,
        "first_seed": seeds[0],
        "seeds": len(seeds),
        "scenarios": [_scenario(entry, ranking.request) for entry in ranking.standings],
        "aggregates": [
            {
                "environment": group.environment,
                "scenarios": group.scenarios,
                "profile_thresholds": THRESHOLDS,
                "agents": [
                    {
                        "agent": line.agent,
                        "contender": line.contender,
                        "iqm": _plain(line.iqm),
                        "profile": line.profile.tolist(),
                    }
                    for line in group.lines
                ],
            }
            for group in ranking.aggregates
        ],
    }


def _scenario(entry: Standings, request: RankingRequest) -> dict[str, Any]:
    contest = entry.contest
    return {
        "scenario": contest.scenario,
        "config": _settings(contest.config),
        "floor": {"agent": "random", "mean_return": entry.scale.floor},
        "ceiling": {"agent": contest.ceiling, "mean_return": entry.scale.ceiling},
        "best_baseline": entry.rival,
        "verdict": verdict(entry),
        "agents": [_line(line, entry, request) for line in entry.lines],
    }


def _line(line: Line, entry: Standings, request: RankingRequest) -> dict[str, Any]:
    return {
        "agent": line.agent,
        "contender": line.contender,
        "return": _plain(line.mean_return),
        "to_best_baseline": _plain(line.to_rival),
        "score": _plain(line.score),
        "iqm": _plain(line.iqm),
        "better_on_seeds": _plain(line.better_on),
        "probability_of_improvement": _plain(line.improvement),
        "command": command_for_row(request, entry, line),
    }


def _settings(config: AnyConfig) -> dict[str, object]:
    """Return all fields; what JSON does not have (infinity) as text."""
    return {
        name: str(value) if isinstance(value, float) and math.isinf(value) else value
        for name, value in dataclasses.asdict(config).items()
    }


def _plain(estimate: Sequence[float] | None) -> list[float | None] | None:
    """Turn an estimate into [mean, low, high]; JSON has no NaN."""
    if estimate is None:
        return None
    return [None if math.isnan(number) else number for number in estimate]
