"""What a comparison leaves behind: table, verdict, picture, rows, curves."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console

from mec_moe_agents.cli.comparison_request import ComparisonRequest
from mec_moe_agents.evaluation.episodes import Episodes
from mec_moe_agents.evaluation.provenance import Provenance
from mec_moe_agents.evaluation.rows import write_curves, write_rows
from mec_moe_agents.evaluation.summary import Summary, summarize
from mec_moe_agents.registry import find_agent
from mec_moe_agents.report.figure import draw_comparison, save_figure
from mec_moe_agents.report.table import print_ranking
from mec_moe_agents.report.verdict import verdict
from mec_moe_env import DMoEConfig


def present(
    request: ComparisonRequest, results: Mapping[str, Episodes], provenance: Provenance
) -> None:
    """Write the files, then print the answer.

    Raises:
        OSError: a file cannot be written.
    """
    yardsticks = [name for name in results if not find_agent(name, request.config).contender]
    summary = summarize(results, yardsticks)
    rows, curves = request.out / "rows.csv", request.out / "curves.npz"
    picture = request.out / "comparison.png"
    write_rows(rows, results, request.config, provenance)
    write_curves(curves, results)
    save_figure(draw_comparison(results, summary, _title(request)), picture)
    _print(request, summary)
    for path, what in ((picture, "picture"), (rows, "raw rows"), (curves, "curves")):
        print(f"{what:>12}  {path}")


def _print(request: ComparisonRequest, summary: Summary) -> None:
    console = Console(highlight=False)
    console.print(f"\n{_title(request)}; beneath each mean its 95 % bootstrap interval\n")
    print_ranking(console, summary)
    console.print(verdict(summary, request.scenario), style="bold")
    console.print()


def _title(request: ComparisonRequest) -> str:
    config = request.config
    if isinstance(config, DMoEConfig):
        return (
            f"DMoE · {request.scenario}: {config.num_nodes} nodes, {config.num_layers} layers, "
            f"{config.num_subcarriers} subcarriers, {len(request.seeds)} seeds"
        )
    return (
        f"Offloading · {request.scenario}: {config.num_servers} servers, {config.num_types} task "
        f"types, {config.horizon} slots, {len(request.seeds)} seeds"
    )
