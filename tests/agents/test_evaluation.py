"""Episodes, statistics, storage: what stands behind a table."""

import csv
import dataclasses
import subprocess

import numpy as np
import pytest
from mec_moe_agents import Episodes, evaluate, make_agent
from mec_moe_agents.evaluation import provenance, rollout
from mec_moe_agents.evaluation.cell import Cell, CellStore
from mec_moe_agents.evaluation.comparison import compare
from mec_moe_agents.evaluation.rows import write_curves, write_rows
from mec_moe_agents.evaluation.statistics import curve_band, estimate_mean
from mec_moe_agents.evaluation.summary import summarize

from mec_moe_env import OFFLOADING_PRESETS, OffloadingConfig, OffloadingEnv
from mec_moe_env.files import replacing

SMALL = OffloadingConfig(horizon=30, failure_rate=0.02)
TOY = OFFLOADING_PRESETS["toy"]


class Silence:
    def found(self, agent):
        self.heard = [*getattr(self, "heard", []), f"found {agent}"]

    def began(self, agent, steps):
        self.heard = [*getattr(self, "heard", []), f"began {agent} {steps}"]

    def stepped(self, steps):
        pass

    def finished(self, agent, seconds):
        pass


def episodes(returns, **metrics):
    returns = np.array(returns, dtype=float)
    extra = {name: np.array(values, dtype=float) for name, values in metrics.items()}
    n = returns.size
    return Episodes(np.arange(n), {"return": returns, **extra}, np.ones((n, 3)))


def cell(**changes):
    plain = Cell(SMALL, "guard", {}, (0, 1), "0.1.0+abc")
    return dataclasses.replace(plain, **changes)


def test_metrics_are_those_of_a_loop_by_hand():
    found = evaluate("guard", SMALL, [4]).metrics
    env = OffloadingEnv(SMALL)
    agent = make_agent("guard", env, seed=4)
    observation, _ = env.reset(seed=4)
    state, sums, ended = None, {}, False
    while not ended:
        action, state = agent.predict(observation, state)
        observation, reward, ended, _, info = env.step(action)
        for key in ("energy_j", "delay_slots", "accepted", "rejected"):
            sums[key] = sums.get(key, 0.0) + info[key]
        sums["return"] = sums.get("return", 0.0) + reward
    assert found["return"][0] == pytest.approx(sums["return"])
    assert found["generalization_error"][0] == info["generalization_error"]
    assert found["energy_per_task_j"][0] == pytest.approx(sums["energy_j"] / sums["accepted"])
    assert found["mean_delay_slots"][0] == pytest.approx(sums["delay_slots"] / sums["accepted"])
    assert found["rejected_share"][0] == sums["rejected"] / SMALL.horizon


def test_no_accepted_task_has_no_energy_per_task():
    found = evaluate("reject-all", SMALL, [0]).metrics
    assert np.isnan(found["energy_per_task_j"]).all()
    assert found["energy_per_arrival_j"].tolist() == [0.0]
    assert "accuracy" not in found


def test_real_data_have_an_accuracy():
    config = OFFLOADING_PRESETS["digits"].override(horizon=20)
    accuracy = evaluate("profile", config, [0]).metrics["accuracy"]
    assert 0.5 < accuracy[0] <= 1.0


def test_splitting_a_batch_changes_nothing(monkeypatch):
    whole = evaluate("random", SMALL, range(5))
    monkeypatch.setattr(rollout, "BATCH_NUMBERS", 300)
    assert len(rollout.batches(SMALL, range(5))) > 1
    parts = evaluate("random", SMALL, range(5))
    np.testing.assert_array_equal(whole.curve, parts.curve)
    np.testing.assert_array_equal(whole.seeds, parts.seeds)


@pytest.mark.parametrize("count", [8, 20, 30])
def test_the_bootstrap_interval_covers(count):
    rng = np.random.default_rng(0)
    draws = (rng.normal(1.0, 2.0, count) for _ in range(400))
    estimates = [estimate_mean(values, resamples=2000) for values in draws]
    covered = np.mean([estimate.low <= 1.0 <= estimate.high for estimate in estimates])
    # Standard error 0.011; the plain percentile interval covers only 0.88 of n = 8.
    assert 0.915 < covered < 0.985


def test_estimates_of_few_values():
    assert estimate_mean(np.array([1.0, np.nan, 3.0])).mean == 2.0
    assert estimate_mean(np.array([5.0]))[0] == 5.0
    assert np.isnan(estimate_mean(np.array([5.0])).low)
    assert np.isnan(estimate_mean(np.array([np.nan])).mean)
    assert estimate_mean(np.full(9, 2.0)) == (2.0, 2.0, 2.0)


def test_curve_band_surrounds_the_mean():
    curves = np.random.default_rng(0).normal(size=(20, 50))
    low, high = curve_band(curves)
    assert ((low < curves.mean(axis=0)) & (curves.mean(axis=0) < high)).all()


def test_ranking_is_by_return_and_differences_are_paired():
    noise = np.random.default_rng(0).normal(0, 100, 12)
    results = {
        "slow": episodes(noise - 3.0),
        "seer": episodes(noise + 9.0),
        "good": episodes(noise),
    }
    summary = summarize(results, yardsticks=["seer"])
    assert [line.agent for line in summary.standings] == ["seer", "good", "slow"]
    assert summary.best.agent == "good"
    assert summary.best.to_best is None
    # The seeds' noise is far larger than the difference; pairing takes it out.
    np.testing.assert_allclose(summary.standings[2].to_best, -3.0)


def test_nothing_to_rank():
    with pytest.raises(ValueError, match="nothing to compare"):
        summarize({})


def test_stored_cells_come_back(tmp_path):
    store = CellStore(tmp_path / "cells")
    assert store.load(cell()) is None
    kept = episodes([1.0, 2.0], accuracy=[0.5, np.nan])
    store.save(cell(), kept)
    back = store.load(cell())
    np.testing.assert_array_equal(back.curve, kept.curve)
    np.testing.assert_array_equal(back.seeds, kept.seeds)
    assert back.metrics.keys() == kept.metrics.keys()
    np.testing.assert_array_equal(back.metrics["accuracy"], [0.5, np.nan])


@pytest.mark.parametrize(
    "change",
    [
        {"config": SMALL.override(horizon=31)},
        {"agent": "profile"},
        {"options": {"threshold": 0.4}},
        {"seeds": (0, 2)},
        {"code": "0.2.0+abc"},
        {"code": "0.1.0+abd"},
    ],
)
def test_another_cell_is_never_taken_for_this_one(tmp_path, change):
    store = CellStore(tmp_path)
    store.save(cell(), episodes([1.0, 2.0]))
    assert store.load(cell(**change)) is None


@pytest.mark.parametrize("named_by", ["config", "option"])
def test_a_file_with_other_content_makes_another_cell(tmp_path, named_by):
    data = tmp_path / "data.npz"
    data.write_bytes(b"old")
    config = SMALL.override(data_path=str(data)) if named_by == "config" else SMALL
    options = {} if named_by == "config" else {"weights": data}
    before = cell(config=config, options=options)
    assert before.key == cell(config=config, options=options).key
    data.write_bytes(b"new")
    assert before.key != cell(config=config, options=options).key


def test_a_folder_of_data_counts_with_all_its_files(tmp_path):
    (tmp_path / "images").write_bytes(b"old")
    config = SMALL.override(data_path=str(tmp_path))
    keys = [cell(config=config).key]
    (tmp_path / "images").write_bytes(b"new")
    keys.append(cell(config=config).key)
    (tmp_path / "images").rename(tmp_path / "labels")
    keys.append(cell(config=config).key)
    assert len(set(keys)) == 3


def test_a_missing_file_has_no_cell(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        cell(config=SMALL.override(data_path=str(tmp_path / "nowhere.npz")))


@pytest.mark.parametrize("content", [b"", b"not a zip", None])
def test_damaged_cells_are_computed_again(tmp_path, content):
    store = CellStore(tmp_path)
    store.save(cell(), episodes([1.0, 2.0]))
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-200] if content is None else content)
    assert store.load(cell()) is None


def write_half(path):
    with replacing(path) as temporary:
        temporary.write_text("half")
        raise OSError("disk full")


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("old")
    with pytest.raises(OSError, match="disk full"):
        write_half(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_compare_finds_finished_cells(tmp_path):
    store, first, second = CellStore(tmp_path), Silence(), Silence()
    compare(TOY, ["nearest"], [0, 1], store, "code", first)
    both = compare(TOY, ["nearest", "guard"], [0, 1], store, "code", second)
    assert first.heard == ["began nearest 8"]
    assert second.heard == ["found nearest", "began guard 8"]
    again = Silence()
    fresh = compare(TOY, ["guard"], [0, 1], store, "code", again, fresh=True)
    assert again.heard == ["began guard 8"]
    np.testing.assert_array_equal(fresh["guard"].curve, both["guard"].curve)


def test_rows_hold_metrics_config_and_code(tmp_path):
    results = {"guard": evaluate("guard", TOY, [3, 4]), "nearest": evaluate("nearest", TOY, [3, 4])}
    source = provenance.Provenance("0.1.0", "c0ffee", "abc")
    write_rows(tmp_path / "rows.csv", results, TOY, source)
    with (tmp_path / "rows.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["agent"], row["seed"]) for row in rows] == [
        ("guard", "3"),
        ("guard", "4"),
        ("nearest", "3"),
        ("nearest", "4"),
    ]
    assert float(rows[1]["return"]) == results["guard"].metrics["return"][1]
    assert {field.name for field in dataclasses.fields(TOY)} == {
        name.removeprefix("config.") for name in rows[0] if name.startswith("config.")
    }
    assert rows[0]["config.horizon"] == "4"
    assert (rows[0]["version"], rows[0]["commit"], rows[0]["code"]) == ("0.1.0", "c0ffee", "abc")


def test_curves_rebuild_the_picture(tmp_path):
    results = {"guard": evaluate("guard", TOY, [3, 4])}
    write_curves(tmp_path / "curves.npz", results)
    with np.load(tmp_path / "curves.npz", allow_pickle=False) as stored:
        np.testing.assert_array_equal(stored["guard"], results["guard"].curve)
        assert stored["seeds"].tolist() == [3, 4]


@pytest.mark.parametrize("folder", ["cli", "report", "reproduce", "ranking", "bench"])
def test_the_fingerprint_leaves_out_what_cannot_change_results(tmp_path, folder):
    (tmp_path / folder).mkdir()
    before = provenance.fingerprint(tmp_path)
    (tmp_path / folder / "compare.py").write_text("print()")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "agent.pyc").write_text("bytes")
    assert provenance.fingerprint(tmp_path) == before


@pytest.mark.parametrize("name", ["agent.py", "weights.npz", "learned.safetensors", "shape.json"])
def test_the_fingerprint_follows_what_results_depend_on(tmp_path, name):
    (tmp_path / name).write_text("a")
    before = provenance.fingerprint(tmp_path)
    (tmp_path / name).write_text("b")
    assert provenance.fingerprint(tmp_path) != before


def test_a_foreign_repository_is_not_our_commit(tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    package = tmp_path / "site" / "package"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    assert provenance.git_commit(package) is None
