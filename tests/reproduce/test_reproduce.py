"""The papers' studies: small runs of each, and what their arithmetic promises."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("typer")
pytest.importorskip("matplotlib")

from mec_moe_agents import Episodes
from mec_moe_agents.cli import app
from mec_moe_agents.cli.reproduce import dmoe_studies
from mec_moe_agents.dmoe.agent import Plan
from mec_moe_agents.dmoe.schedulers import TopScheduler
from mec_moe_agents.evaluation.statistics import Estimate
from mec_moe_agents.report.reading import read_report
from mec_moe_agents.reproduce import (
    Headline,
    at_least,
    at_most,
    energy,
    layers,
    offloading,
    print_headlines,
    search,
    sensitivity,
)
from mec_moe_agents.reproduce.layers import jesa, jesa_and_bound, walk
from typer.testing import CliRunner, Result

from mec_moe_env import DMOE_PRESETS, DMoEConfig, Layer, __version__
from mec_moe_env.core.buffers import Floats
from mec_moe_env.theory import optimality_probability

PAPER = DMOE_PRESETS["paper"]


def shrink(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(energy, "IMPORTANCE", (0.7, 0.8, 0.9))
    monkeypatch.setattr(energy, "AGENTS", ("topk", "jesa", "jesa-plus"))
    monkeypatch.setattr(energy, "OPTIONS", {"jesa-plus": {"effort": 5}})
    monkeypatch.setattr(layers, "SUBCARRIERS", {4: (16, 64, 256)})
    monkeypatch.setattr(search, "EXPERTS", (8, 16, 128))
    monkeypatch.setitem(search.LIMITS, "highs", 128)


def mec_moe(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_every_study_writes_its_picture_and_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink(monkeypatch)
    result = mec_moe("reproduce", "dmoe", "--seeds", 2, "--out", tmp_path)
    assert result.exit_code == 0, result.output
    names = [study.name for study in dmoe_studies()]
    assert {path.name for path in tmp_path.iterdir()} == {
        *(f"{name}.{kind}" for name in names for kind in ("png", "svg", "pdf", "csv")),
        *("summary.json", "run.json"),
    }
    report = read_report(tmp_path)
    assert [section.title for section in report.sections] == list(names)
    for name in names:
        with (tmp_path / f"{name}.csv").open(newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert {row["seed"] for row in rows} == {"0", "1"}
        assert {row["version"] for row in rows} == {__version__}
        assert all(row["code"] for row in rows)
        assert "commit" in rows[0]  # empty outside a repository
        if name != "search":
            assert all(json.loads(row["config"])["num_layers"] >= 4 for row in rows)
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert f"[{len(names)}/{len(names)}]" in result.stderr
    assert max(map(len, result.stdout.splitlines()[:40])) <= 80


def test_only_runs_what_is_named_and_one_seed_is_enough(tmp_path: Path) -> None:
    command = ("reproduce", "dmoe", "--seeds", 1, "--out", tmp_path)
    assert mec_moe(*command, "--only", "staleness").exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        *("staleness.png", "staleness.svg", "staleness.pdf", "staleness.csv"),
        *("summary.json", "run.json"),
    }
    wrong = mec_moe(*command, "--only", "stalenes")
    assert wrong.exit_code == 2
    assert "did you mean 'staleness'" in wrong.stderr


def test_savings_reach_the_targets_on_few_seeds() -> None:
    top = np.concatenate(
        [step.info["energy_j"][None] for step in walk(PAPER, TopScheduler(PAPER), range(4))]
    ).sum(axis=0)
    for importance, target in energy.SAVINGS.items():
        spent, bound = jesa_and_bound(PAPER.override(importance=importance), range(4))
        assert 100 * (1 - spent.sum(axis=1) / top).mean() > target - 2
        assert (spent >= bound * (1 - 1e-6)).all()
        assert (spent.sum(axis=1) <= 1.01 * bound.sum(axis=1)).all()


def test_shares_of_distinct_subcarriers_follow_the_formula() -> None:
    for nodes, subcarriers in ((4, 64), (4, 256)):
        config = layers.independent(nodes, subcarriers).override(num_layers=60)
        measured = layers.measure(config, range(6))
        expected = optimality_probability(nodes, subcarriers)
        assert measured["distinct"].mean() == pytest.approx(expected, abs=0.09)
        # Where all best subcarriers differ, JESA is optimal; often it is elsewhere too.
        assert (measured["optimal"] >= measured["distinct"] - 1e-12).all()


def layer_of(efficiency: Floats) -> Layer:
    I, K, _ = efficiency.shape
    return Layer(
        gate=np.full((1, I, 1, K), 1 / K, dtype=np.float32),
        spectral_efficiency=efficiency[None].astype(np.float32),
        compute_energy=np.array([[0.0, 1.0, 2.0]], dtype=np.float32),
        available=np.ones((1, K), dtype=np.float32),
        layer=np.zeros((1, 4), dtype=np.float32),
        importance=np.ones((1, 1), dtype=np.float32),
    )


def test_links_to_itself_do_not_count_as_competitors() -> None:
    config = DMoEConfig(num_nodes=3, num_sources=1, num_subcarriers=2, tokens_per_source=1)
    efficiency = np.array([[[9.0, 1.0], [9.0, 1.0], [1.0, 9.0]]])
    assert layers.best_differ(layer_of(efficiency), config).tolist() == [1.0]
    efficiency[0, 2] = [9.0, 1.0]
    assert layers.best_differ(layer_of(efficiency), config).tolist() == [0.0]


def test_picks_are_counted_by_energy_rank() -> None:
    config = DMoEConfig(num_nodes=3, num_sources=1, num_subcarriers=2, tokens_per_source=1)
    layer = layer_of(np.array([[[9.0, 1.0], [1.0, 1.0], [1.0, 1.0]]]))
    selected = np.array([[[[True, False, True]]]])
    plan = Plan(selected, np.array([[[-1, -1, 0]]]))
    assert layers.picks_by_rank(layer, plan, config).tolist() == [[1.0, 0.0, 1.0]]


def test_solvers_of_the_search_study_agree() -> None:
    instances = [search.draw_instance(12, seed) for seed in range(8)]
    des, exhaustive, highs = (solve(instances) for solve in search.SOLVERS.values())
    for one, two, three in zip(des, exhaustive, highs, strict=True):
        assert one.energy_j == pytest.approx(two.energy_j, rel=1e-12)
        assert one.energy_j == pytest.approx(three.energy_j, rel=1e-9)
        assert two.nodes == 12 + 66 + 220 + 495


def test_old_knowledge_of_independent_slots_costs_energy() -> None:
    found = {}
    for delay in (0, 1):
        config = energy.stale(float("inf"), delay)
        steps = list(walk(config, jesa(config), range(4)))
        found[delay] = sum(step.info["energy_j"].sum() for step in steps)
        assert config.deadline_seconds == config.slot_seconds
    assert found[1] > 1.1 * found[0]


def test_the_cheapest_setting_within_a_point_is_named() -> None:
    n = 20
    top = (np.full(n, 10.0), np.full(n, 0.98))
    curves = {
        "topk": {2.0: top},
        "jesa": {
            0.9: (np.full(n, 9.0), np.full(n, 0.98)),
            0.5: (np.full(n, 5.0), np.full(n, 0.975)),
            0.2: (np.full(n, 2.0), np.full(n, 0.9)),
        },
    }
    lines = energy.accuracy_headlines(curves)
    assert "γ0 = 0.5" in lines[1].label
    assert lines[1].estimate.mean == pytest.approx(50.0)
    assert lines[2].estimate.mean == pytest.approx(0.5)
    assert all(line.holds for line in lines)


def test_targets() -> None:
    value = Estimate(2.0, 1.0, 3.0)
    assert at_least("x", value, 2.0).holds
    assert not at_least("x", value, 2.1).holds
    assert at_most("x", value, 2.0).holds
    assert not at_most("x", value, 1.9).holds


def made_up(finals: Sequence[float], middle: float = 4.0) -> Episodes:
    curve = np.column_stack([np.full(len(finals), middle), finals])
    return Episodes(np.arange(len(finals)), {"generalization_error": np.array(finals)}, curve)


def test_the_terminal_says_what_is_undecided(capsys: pytest.CaptureFixture[str]) -> None:
    figures = [
        Headline("met", Estimate(1.0, 0.9, 1.1), "> 0", True),
        Headline("missed", Estimate(-1.0, -1.1, -0.9), "> 0", False),
        Headline("open", Estimate(0.1, -1.0, 1.2), "> 0", None),
        Headline("no target", Estimate(3.0, 2.0, 4.0)),
    ]
    print_headlines({"signs": figures})
    last = [line.split()[-1] for line in capsys.readouterr().out.splitlines() if "]" in line]
    assert last[:3] == ["yes", "NO", "undecided"]
    assert last[3].endswith("]")


def test_claims_of_the_first_paper_are_judged() -> None:
    finals = {10: 4.0, 30: 2.0, 50: 2.5, 70: 5.0}
    found = {
        (servers, agent): made_up([finals[servers]] * 3 if agent == "gating" else [4.0, 6.0, 8.0])
        for servers in offloading.SERVERS
        for agent in offloading.AGENTS
    }
    lines = {line.label: line for line in offloading.headlines(found)}
    judged = [line for line in lines.values() if line.holds is not None]
    assert len(judged) == 7
    assert all(line.holds for line in judged)
    assert lines["nearest over gating, M = 30 (ratio)"].estimate.mean == 3.0
    assert lines["gating, M = 30, change over the second half (%)"].estimate.mean == -50.0
    found[30, "gating"] = made_up([5.5] * 3)
    found[30, "random"] = made_up([2.0] * 3)
    lost = [line.label for line in offloading.headlines(found) if line.holds is False]
    assert len(lost) == 4


def short(scenario: Any) -> Any:
    return lambda *condition: scenario(*condition).override(horizon=20)


def test_sensitivity_is_judged_by_paired_intervals() -> None:
    enough, noise = np.array([2.0, 2.5, 3.0]), np.array([0.01, 0.0, -0.01])
    few, rest = sensitivity.settings()[0], sensitivity.settings()[1:]
    found = {few: {10: enough + 1 + noise, 30: enough, 70: enough - 1 + noise}}
    found |= {setting: {10: enough, 30: enough, 70: enough + 20 * noise} for setting in rest}
    lines = {line.label: line for line in sensitivity.headlines(found)}
    first = lines["paper-synthetic, orthogonal, η = 0.5: G_T, M = 10 − M = 30"]
    assert first.holds
    assert first.estimate.mean == pytest.approx(1.0)
    counts = [line.estimate.mean for line in lines.values() if "settings of 16" in line.label]
    assert counts == [1, 0, 15, 0, 1, 15]


def test_sensitivity_shows_every_point() -> None:
    # Panels of a row share their axis: the second one has the larger errors.
    errors = {"orthogonal": np.array([0.4, 0.5]), "parallel": np.array([7.0, 9.0])}
    found = {
        setting: dict.fromkeys(sensitivity.SERVERS, errors[setting.direction])
        for setting in sensitivity.settings()
    }
    for axes in sensitivity.draw(found).axes:
        bottom, top = axes.get_ylim()
        assert bottom == 0
        assert top > 8.0


def test_offloading_reproduction_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for study in (offloading, sensitivity):
        monkeypatch.setattr(study, "scenario", short(study.scenario))
    result = mec_moe("reproduce", "offloading", "--seeds", 2, "--out", tmp_path)
    assert result.exit_code == 0, result.output
    with (tmp_path / "offloading.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 4 * 4 * 2
    assert {json.loads(row["config"])["num_servers"] for row in rows} == {10, 30, 50, 70}
    assert (tmp_path / "offloading.png").read_bytes().startswith(b"\x89PNG")
    with (tmp_path / "sensitivity.csv").open(newline="") as stream:
        found = list(csv.DictReader(stream))
    assert len(found) == 16 * 4 * 2
    assert {row["direction"] for row in found} == {"orthogonal", "parallel"}
    assert (tmp_path / "sensitivity.png").read_bytes().startswith(b"\x89PNG")
