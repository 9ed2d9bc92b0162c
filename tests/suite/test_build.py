"""What is shipped is computed piece by piece, resumes, and is checked by computing it anew."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mec_moe_agents
import numpy as np
import pytest

pytest.importorskip("typer")

from mec_moe_agents.cli import app
from mec_moe_agents.evaluation.rollout import Episodes, evaluate
from mec_moe_agents.evaluation.scenarios import CLAIRVOYANT
from mec_moe_agents.registry import agent_names, find_agent
from mec_moe_agents.suite import build, check, shipped_bounds, shipped_plans, shipped_rows, theory
from mec_moe_agents.suite.definitions import TEST
from mec_moe_agents.suite.play import play, replay
from mec_moe_agents.suite.shipped import load, path_of, save
from mec_moe_agents.suite.tasks import Task, tasks
from typer.testing import CliRunner

from tests.suite.tiny import TOY, toy_suite

__all__ = ["toy_suite"]


@pytest.fixture
def bounds(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """Let a bound of −seed/10⁶ be certified; return the seeds of each call with any."""
    calls: list[list[int]] = []

    def certified_bound(config: Any, seeds: Sequence[int]) -> Any:
        calls.extend([list(seeds)] if seeds else [])
        return -np.array(seeds) / 1e6

    for module in (theory, build, check):
        monkeypatch.setattr(module, "certified_bound", certified_bound)
    return calls


def build_all(task: Task, work: Path, split: str = TEST) -> int:
    chosen = task.split(split)
    pieces = build.pieces_of(chosen)
    units = build.missing_units(task, chosen, pieces, work)
    done = list(build.run_units(units, work))
    build.assemble(task, chosen, pieces, work)
    return len(done)


def test_pieces_are_built_once_and_found_by_configuration(
    toy_suite: Task, bounds: list[list[int]], tmp_path: Path
) -> None:
    work = tmp_path / "work"
    agents = [name for name in build.pieces_of(toy_suite.split(TEST)) if name != "bounds"]
    assert build_all(toy_suite, work) >= len(agents) + 2
    assert bounds == [[100_000, 100_001], [100_002]]
    first = path_of(toy_suite, toy_suite.split(TEST)).read_bytes()
    assert build_all(toy_suite, work) == 0
    path_of(toy_suite, toy_suite.split(TEST)).unlink()
    assert build_all(toy_suite, work) == 0
    assert path_of(toy_suite, toy_suite.split(TEST)).read_bytes() == first
    assert shipped_bounds(TOY, [100_002, 100_000]) == pytest.approx([-0.100002, -0.1])
    rows = shipped_rows(TOY, "guard", [100_001])
    assert rows is not None
    assert rows["return"] == evaluate("guard", TOY, [100_001]).metrics["return"]


def test_the_baseline_is_frozen_once_all_have_rows(toy_suite: Task, tmp_path: Path) -> None:
    assert build.best_untrained(toy_suite) is None
    assert build.settle(toy_suite) == toy_suite
    build_all(toy_suite, tmp_path)
    chosen = build.settle(toy_suite)
    best = max(
        (name for name in agent_names(TOY) if find_agent(name, TOY).contender),
        key=lambda name: evaluate(name, TOY, [100_000]).metrics["return"][0],
    )
    assert chosen.baseline == best
    assert chosen.complete == {TEST}
    assert tasks()["offloading-toy"] == chosen
    assert chosen.checksum == toy_suite.checksum


def test_what_a_complete_split_lacks_is_named(toy_suite: Task, tmp_path: Path) -> None:
    """A split that was never complete may lack anything."""
    assert check.check_complete() == []
    build_all(toy_suite, tmp_path)
    settled = build.settle(toy_suite)
    split = settled.split(TEST)
    shipped = load(settled, split)
    rows = {name: rows for name, rows in shipped.rows.items() if name != "guard"}
    save(settled, split, dataclasses.replace(shipped, rows=rows, bounds=None))
    assert check.check_complete() == [
        "offloading-toy test: bounds is missing",
        "offloading-toy test: guard is missing",
    ]
    assert build.settle(settled) == settled
    dataclasses.replace(settled, baseline=None).save()
    assert check.check_complete()[2:] == ["offloading-toy: no agent is score 0"]


def test_the_command_builds_and_checks(toy_suite: Task, tmp_path: Path) -> None:
    runner = CliRunner()
    command = ["suite", "build", "--task", "offloading-toy", "--work", str(tmp_path / "work")]
    first, second = runner.invoke(app, command), runner.invoke(app, command)
    assert first.exit_code == second.exit_code == 0, first.output
    assert "offloading-toy: score 0 is" in first.stdout
    assert first.stdout.endswith("shifted-test, test complete\n")
    assert first.stdout == second.stdout
    assert "offloading-toy.test.guard.100000" in first.stderr
    assert "guard" not in second.stderr
    unknown = runner.invoke(app, [*command, "--piece", "gaurd"])
    assert unknown.exit_code == 2
    assert "no piece 'gaurd': did you mean 'guard'?" in unknown.stderr
    checked = runner.invoke(app, ["suite", "check", "--sample", "4"])
    assert checked.exit_code == 1
    assert "task 'offloading-toy' is no longer defined" in checked.stdout
    assert "[4/4]" in checked.stderr


def test_data_of_another_task_count_as_absent(toy_suite: Task, tmp_path: Path) -> None:
    build_all(toy_suite, tmp_path)
    changed = Task(toy_suite.name, 2, toy_suite.environment, toy_suite.splits)
    assert load(toy_suite, toy_suite.split(TEST)).pieces
    assert not load(changed, changed.split(TEST)).pieces
    changed.save()
    assert check.check_shipped() == [
        "offloading-toy test: shipped for another checksum or other seeds"
    ]


def test_a_wrong_row_and_a_return_above_its_bound_are_named(
    toy_suite: Task, tmp_path: Path
) -> None:
    build_all(toy_suite, tmp_path)
    split = toy_suite.split(TEST)
    shipped = load(toy_suite, split)
    samples = check.draw_samples(1000, 0)
    drawn = len(shipped.pieces - {CLAIRVOYANT})
    assert len(samples) == len({sample.name for sample in samples}) == 3 * drawn
    assert [check.check_sample(sample) for sample in samples] == [None] * len(samples)
    rows = {name: values.copy() for name, values in shipped.rows["guard"].items()}
    rows["return"][1] += 0.5
    bound = {"bounds": shipped.rows["guard"]["return"] + 0.25}
    low = shipped.with_piece("guard", rows).with_piece("bounds", bound)
    save(toy_suite, split, low)
    wrong = next(sample for sample in samples if (sample.piece, sample.row) == ("guard", 1))
    assert "guard, seed 100001: return is" in str(check.check_sample(wrong))
    assert any("guard returns" in each and "100001" in each for each in check.check_shipped())


@pytest.mark.parametrize(
    ("old", "message"),
    [(("return",), "energy_j is not shipped"), (("return", "joules"), "joules is no longer")],
)
def test_rows_with_other_metrics_than_todays_are_named(
    toy_suite: Task, monkeypatch: pytest.MonkeyPatch, old: tuple[str, ...], message: str
) -> None:
    split, today = toy_suite.split(TEST), ("return", "energy_j")[: 3 - len(old)]
    rows = {name: np.zeros(3) for name in old}
    save(toy_suite, split, load(toy_suite, split).with_piece("guard", rows))
    played = Episodes(np.array([100_000]), {name: np.zeros(1) for name in today}, np.empty((1, 0)))
    monkeypatch.setattr(check, "evaluate", lambda *_: played)
    assert message in str(check.check_sample(check.draw_samples(1, 0)[0]))


def test_a_shipped_plan_is_played(toy_suite: Task) -> None:
    """Of the hand-made toy any actions may stand for a plan."""
    split = toy_suite.split(TEST)
    recording = play(_agent("guard"), TOY, split.seeds)
    shipped = load(toy_suite, split).with_piece("plans", {"plans": recording.actions})
    shipped = shipped.with_piece("clairvoyant", dict(recording.episodes.metrics))
    save(toy_suite, split, shipped)
    plans = shipped_plans(TOY, [100_002])
    assert plans is not None
    assert plans.shape == (1, 4, 2)
    assert replay(plans, TOY, [100_002]).returns[0] == recording.returns[2]
    samples = check.draw_samples(9, 0)
    assert {sample.piece for sample in samples} == {"plans"}
    assert [check.check_sample(sample) for sample in samples] == [None] * 3


def _agent(name: str) -> Any:
    return lambda env, seeds: mec_moe_agents.make_agent(name, env, seed=list(seeds))
