"""What `run.json` says of a comparison, an evaluation, a training run and a ranking."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mec_moe_agents.evaluation.export import PICTURE, ROWS, SUMMARY
from mec_moe_agents.evaluation.provenance import Provenance
from mec_moe_agents.evaluation.ranking import Ranking
from mec_moe_agents.evaluation.scenarios import Scenario
from mec_moe_agents.report.record import Drawing, Invocation, Record
from mec_moe_agents.report.setup import Setup

COMPARISON = Drawing(
    Path(PICTURE).stem, "The agents over the episode, against energy, and by return."
)
RANKING = Drawing(
    "ranking", "Scores by scenario, their interquartile means, and performance profiles."
)


def record_comparison(
    folder: Path,
    called: Invocation,
    provenance: Provenance,
    scenario: Scenario,
    seeds: Sequence[int],
    *,
    drawings: Sequence[Drawing] = (),
    reproduce: Sequence[str] | None = None,
) -> None:
    """Write the record of what `write_comparison` wrote; `drawings` are there besides."""
    Record.of(
        called,
        provenance,
        [Setup.of(scenario)],
        seeds,
        summary=SUMMARY,
        rows=[ROWS],
        drawings=[COMPARISON, *drawings],
        reproduce=reproduce,
    ).write(folder)


def record_ranking(folder: Path, called: Invocation, ranking: Ranking) -> None:
    """Write the record of what `write_ranking` wrote."""
    request = ranking.request
    Record.of(
        called,
        ranking.provenance,
        [Setup.of(scenario) for scenario in request.scenarios],
        request.seeds,
        summary="ranking.json",
        rows=["ranking.csv"],
        drawings=[RANKING],
    ).write(folder)
