"""What a comparison and a ranking leave behind: every episode, all figures, tables, a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mec_moe_agents.evaluation import leaderboard
from mec_moe_agents.evaluation.comparison_figure import draw_comparison
from mec_moe_agents.evaluation.drawing import save_drawings, save_figure
from mec_moe_agents.evaluation.markdown import as_markdown
from mec_moe_agents.evaluation.provenance import Provenance
from mec_moe_agents.evaluation.ranking import Ranking
from mec_moe_agents.evaluation.ranking_figure import DPI, draw_ranking
from mec_moe_agents.evaluation.rollout import Episodes
from mec_moe_agents.evaluation.scenarios import RankingRequest, Scenario
from mec_moe_agents.evaluation.store import rows_of, write_curves, write_rows
from mec_moe_agents.evaluation.summary import Document, standing, summary
from mec_moe_agents.evaluation.verdict import ranking_verdict, verdict
from mec_moe_env.files import write_csv, write_json, write_text

ROWS, SUMMARY, CURVES, PICTURE = "rows.csv", "summary.json", "curves.npz", "comparison.png"
"""What `write_comparison` writes; the picture is there as SVG and PDF, too."""


def write_comparison(
    folder: Path,
    scenario: Scenario,
    results: Mapping[str, Episodes],
    board: leaderboard.Leaderboard,
    provenance: Provenance,
    title: str,
) -> dict[str, Path]:
    """Write every episode, curves over the episode, all figures and the picture; name them."""
    seeds = board.lines[0].episodes.seeds.tolist()
    answer = standing(board, scenario, verdict(board, scenario.name))
    write_rows(folder / ROWS, results, scenario.config, provenance, board.bounds.values)
    write_curves(folder / CURVES, results)
    write_json(folder / SUMMARY, summary(provenance, seeds, [answer]), indent=1)
    save_drawings(draw_comparison(board, title), folder / PICTURE)
    named = {"picture": PICTURE, "raw rows": ROWS, "curves": CURVES, "summary": SUMMARY}
    return {what: folder / name for what, name in named.items()}


def write_ranking(ranking: Ranking, folder: Path, markdown: Path | None = None) -> list[Path]:
    """Write ranking.csv, .json, .md and .png, the latter two also as `markdown`; list them all.

    In the folder the picture is there as SVG and PDF, too.
    """
    written = [folder / "ranking.csv", folder / "ranking.json"]
    write_csv(written[0], _episodes(ranking))
    write_json(written[1], _document(ranking), indent=1)
    figure = draw_ranking(ranking.standings, ranking.aggregates)
    for page in (folder / "ranking.md", *([markdown] if markdown else [])):
        picture = page.with_suffix(".png")
        write_text(page, as_markdown(ranking, picture.name))
        save = save_figure if page is markdown else save_drawings
        save(figure, picture, DPI)
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


def _document(ranking: Ranking) -> Document:
    request = ranking.request
    scenarios = []
    for entry in ranking.standings:
        document = standing(entry, entry.scenario, ranking_verdict(entry))
        for line in document["agents"]:
            line["command"] = _command(line["agent"], entry, request)
        scenarios.append(document)
    return summary(ranking.provenance, request.seeds, scenarios, ranking.aggregates)


def _command(agent: str, entry: leaderboard.Standings, request: RankingRequest) -> str:
    return request.command([entry.scenario.name], [agent, entry.opponent])
