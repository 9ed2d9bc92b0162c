"""Tables fit their terminal, pictures have every agent."""

import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mec_moe_agents import Episodes, evaluate
from mec_moe_agents.evaluation.aggregate import aggregate
from mec_moe_agents.evaluation.columns import COLUMNS, ENERGY_OF_A_TASK
from mec_moe_agents.evaluation.leaderboard import summarize

from mec_moe_env import DMOE_PRESETS, OffloadingConfig

pytest.importorskip("rich")
pytest.importorskip("matplotlib")

from mec_moe_agents.evaluation.comparison_figure import draw_comparison
from mec_moe_agents.evaluation.drawing import save_figure
from mec_moe_agents.evaluation.ranking_figure import draw_ranking
from mec_moe_agents.evaluation.tables import print_comparison, print_ranking
from rich.console import Console

from tests.evaluation.made_up import bounds_of, standings

CONFIG = OffloadingConfig(horizon=30)


@pytest.fixture(scope="module")
def results() -> Mapping[str, Episodes]:
    return {agent: evaluate(agent, CONFIG, range(4)) for agent in ("guard", "nearest", "gating")}


@pytest.mark.parametrize("width", [80, 100, 200])
def test_the_table_fits_and_says_everything(results: Mapping[str, Episodes], width: int) -> None:
    out = io.StringIO()
    board = summarize(results, ["gating"], bounds=bounds_of(-0.5, 4))
    print_comparison(Console(file=out, width=width), "title", board, "default")
    text = out.getvalue()
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    assert "\x1b" not in text
    for heading in (
        "Return",
        "To best",
        "p (Holm)",
        "Score",
        "Final error",
        "mJ/arrival",
        "Rejected",
    ):
        assert heading in text
    assert "Accuracy" not in text
    assert "Lost tasks" not in text
    assert "certified bound" in text
    assert "(reference)" in text


def test_tables_and_pictures_show_the_same_energy(results: Mapping[str, Episodes]) -> None:
    board = summarize(results)
    figure = draw_comparison(board, "title")
    energy = COLUMNS[ENERGY_OF_A_TASK]
    drawn = {round(float(np.asarray(line.get_xdata())[0]), 6) for line in figure.axes[1].lines}
    for line in board.lines:
        mean = line.metrics[ENERGY_OF_A_TASK].mean
        assert round(mean * energy.scale, 6) in drawn
        totals = line.episodes.metrics
        arrived = totals["accepted"] + totals["rejected"]
        assert mean == pytest.approx((totals["energy_j"] / arrived).mean())
    assert "arriving task" in figure.axes[1].get_xlabel()
    assert [name for name in COLUMNS if name.startswith("energy_per_task")] == []


def test_nothing_to_gain_stands_in_table_and_picture(results: Mapping[str, Episodes]) -> None:
    top = max(float(episodes.metrics["return"].max()) for episodes in results.values())
    returns = {agent: replace_returns(each, top) for agent, each in results.items()}
    board = summarize(returns, bounds=bounds_of(top, 4))
    out = io.StringIO()
    print_comparison(Console(file=out, width=100), "title", board, "default")
    words = "o scale: guard reaches the bound; there is nothing to gain"
    assert f"N{words}." in " ".join(out.getvalue().split())
    label = draw_comparison(board, "title").axes[2].get_xlabel()
    assert f"n{words}" in " ".join(label.split())


def replace_returns(episodes: Episodes, value: float) -> Episodes:
    returns = {"return": np.full(episodes.seeds.size, value)}
    return replace(episodes, metrics={**episodes.metrics, **returns})


def test_a_ranking_says_what_it_leaves_out() -> None:
    returns = {"random": [-900.0] * 9, "guard": [-502.0, -501.0, -503.0] * 3}
    entries = [standings(name, bounds=-1.0, **returns) for name in ("scarce", "joint")]
    entries += [standings("default", bounds=-500.0, **returns), standings("digits", **returns)]
    left_out = "nothing to gain: default; no certified bound: digits"
    out = io.StringIO()
    print_ranking(Console(file=out, width=200), entries, aggregate(entries))
    assert f"Left out, without a score ({left_out})." in out.getvalue()
    assert left_out in draw_ranking(entries, aggregate(entries)).axes[0].get_xlabel()
    alone = draw_ranking(entries[2:], ())
    assert any(left_out in text.get_text() for axes in alone.axes for text in axes.texts)


def test_without_a_bound_there_is_no_score(results: Mapping[str, Episodes]) -> None:
    out = io.StringIO()
    print_comparison(Console(file=out, width=80), "title", summarize(results), "default")
    assert "Score" not in out.getvalue()
    assert "certified bound" not in out.getvalue()


@pytest.mark.parametrize("width", [40, 80])
def test_a_ranking_fits_and_says_everything(width: int) -> None:
    returns = {"random": [-30.0] * 9, "guard": [-9.0, -11.0, -10.0] * 3, "clairvoyant": [-2.0] * 9}
    entries = [standings(scenario, bounds=-1.0, **returns) for scenario in ("scarce", "joint")]
    out = io.StringIO()
    print_ranking(Console(file=out, width=width), entries, aggregate(entries))
    text = out.getvalue()
    assert max(map(len, text.splitlines())) <= width
    for words in (
        "scarce, 9 seeds",
        "To guard",
        "Score",
        "Better on %",
        "IQM score",
        "(reference)",
        "certified bound",
        "p (Holm)",
    ):
        assert words in text


def test_the_picture_has_its_panels_and_every_agent(
    results: Mapping[str, Episodes], tmp_path: Path
) -> None:
    summary = summarize(results, ["gating"], bounds=bounds_of(-0.5, 4))
    figure = draw_comparison(summary, "title")
    over_time, plane, returns = figure.axes
    assert len(over_time.lines) == 3
    assert "slot" in over_time.get_xlabel().lower()
    assert "mJ" in plane.get_xlabel()
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert set(names) == {"guard", "nearest", "gating (reference)", "certified bound"}
    assert [text.get_text() for text in returns.get_yticklabels()] == [
        line.agent for line in summary.lines
    ]
    low, high = returns.get_xlim()
    assert low < summary.lines[-1].mean_return.mean < -0.5 < high
    save_figure(figure, tmp_path / "comparison.png")
    assert (tmp_path / "comparison.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("scenario", "vertical"), [("default", "below the threshold"), ("digits-moe", "Accuracy")]
)
def test_dmoe_has_a_picture_of_its_own(scenario: str, vertical: str) -> None:
    config = DMOE_PRESETS[scenario]
    results = {agent: evaluate(agent, config, range(3)) for agent in ("topk", "jesa")}
    by_layer, plane, _ = draw_comparison(summarize(results), "title").axes
    assert by_layer.get_xlabel() == "Layer"
    assert np.size(by_layer.lines[0].get_xdata()) == config.num_layers
    assert "(mJ)" in plane.get_xlabel()
    assert vertical in plane.get_ylabel()


def test_one_seed_and_no_error_can_be_drawn() -> None:
    results = {"reject-all": evaluate("reject-all", CONFIG.override(horizon=1), [0])}
    draw_comparison(summarize(results), "title").canvas.draw()
