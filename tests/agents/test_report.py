import io

import numpy as np
import pytest
from mec_moe_agents import Episodes, evaluate
from mec_moe_agents.evaluation.summary import summarize
from mec_moe_agents.report.columns import Column, return_column
from mec_moe_agents.report.table import print_ranking
from mec_moe_agents.report.verdict import verdict
from rich.console import Console

from mec_moe_env import DMOE_PRESETS, OffloadingConfig

CONFIG = OffloadingConfig(horizon=30)


def made_up(**returns):
    """Return episodes with these returns, one agent each, otherwise alike."""
    return {
        agent.replace("_", "-"): Episodes(
            np.arange(len(values)),
            {
                "return": np.array(values, dtype=float),
                "generalization_error": np.full(len(values), 0.25),
                "energy_per_task_j": np.full(len(values), np.nan),
            },
            np.ones((len(values), 4)),
        )
        for agent, values in returns.items()
    }


@pytest.fixture(scope="module")
def results():
    return {agent: evaluate(agent, CONFIG, range(4)) for agent in ("guard", "nearest", "oracle")}


@pytest.mark.parametrize("width", [80, 100, 200])
def test_the_table_fits_and_says_everything(results, width):
    out = io.StringIO()
    print_ranking(Console(file=out, width=width), summarize(results, ["oracle"]))
    text = out.getvalue()
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    assert "\x1b" not in text
    for heading in ("Return", "To best", "Final error", "mJ/task", "Delay slots", "Rejected %"):
        assert heading in text
    assert "Accuracy" not in text
    assert "(yardstick)" in text


def test_a_clear_winner():
    results = made_up(guard=[-10, -20, -30] * 3, gating=[-15, -25, -36] * 3)
    text = verdict(summarize(results), "digits")
    assert text.startswith("Best on digits: guard. Its return beats the next, gating, by 5.33 [")
    assert "9 seeds" in text
    assert "final error 0.250" in text


def test_a_lead_that_may_be_chance():
    summary = summarize(
        made_up(guard=[-10, -20, -30] * 3, profile=[-5, -30, -30] * 3, random=[-40, -50, -60] * 3)
    )
    text = verdict(summary, "digits")
    assert "may be chance" in text
    assert "It beats random by 30.00" in text


def test_a_yardstick_is_never_best():
    results = made_up(oracle=[-1, -2, -3], guard=[-10, -20, -30], nearest=[-100, -200, -300])
    text = verdict(summarize(results, ["oracle"]), "digits")
    assert text.startswith("Best on digits: guard")
    assert "The oracle, which sees what no scheduler can, stands 18.0 above it." in text


def test_one_seed_and_one_agent():
    text = verdict(summarize(made_up(guard=[-1], nearest=[-2])), "toy")
    assert "too few seeds to tell it from chance" in text
    few = verdict(summarize(made_up(guard=[-1] * 7, nearest=[-2] * 7)), "toy")
    assert "too few seeds" in few
    assert "beats" not in few
    assert "nothing to compare" in verdict(summarize(made_up(guard=[-1, -2])), "toy")


def test_numbers_are_written_plainly():
    share = Column("Share", 1, scale=100.0)
    assert share.number(0.1234) == "12.3"
    assert share.number(float("nan")) == "–"
    assert Column("x", 1, signed=True).number(-0.001) == "+0.0"
    assert return_column(12345.6).number(-12345.6) == "-12346"
    assert return_column(1.0).number(0.25) == "0.250"
    assert return_column(0.0).decimals == 3


def test_the_picture_has_both_panels_and_every_agent(results, tmp_path):
    figures = pytest.importorskip("mec_moe_agents.report.figure")
    summary = summarize(results, ["oracle"])
    figure = figures.draw_comparison(results, summary, "title")
    over_time, plane = figure.axes
    assert len(over_time.lines) == 3
    assert "slot" in over_time.get_xlabel().lower()
    assert "mJ" in plane.get_xlabel()
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert set(names) == {"guard", "nearest", "oracle (yardstick)"}
    figures.save_figure(figure, tmp_path / "comparison.png")
    assert (tmp_path / "comparison.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("scenario", "vertical"), [("default", "below the threshold"), ("digits-moe", "Accuracy")]
)
def test_dmoe_has_a_picture_of_its_own(scenario, vertical):
    figures = pytest.importorskip("mec_moe_agents.report.figure")
    config = DMOE_PRESETS[scenario]
    results = {agent: evaluate(agent, config, range(3)) for agent in ("topk", "jesa")}
    by_layer, plane = figures.draw_comparison(results, summarize(results), "title").axes
    assert by_layer.get_xlabel() == "Layer"
    assert len(by_layer.lines[0].get_xdata()) == config.num_layers
    assert "(mJ)" in plane.get_xlabel()
    assert vertical in plane.get_ylabel()


def test_one_seed_and_no_error_can_be_drawn():
    figures = pytest.importorskip("mec_moe_agents.report.figure")
    results = {"reject-all": evaluate("reject-all", CONFIG.override(horizon=1), [0])}
    figures.draw_comparison(results, summarize(results), "title").canvas.draw()
