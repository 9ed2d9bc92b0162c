"""A run that is stopped, killed or extended ends in the weights of one that went through."""

import json
import multiprocessing
import random
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NoReturn

import pytest

pytest.importorskip("sb3_contrib")

from mec_moe_agents.training import run as training
from mec_moe_agents.training.learner import Learner

from mec_moe_env.files import recover_folder
from tests.training.runs import SEGMENT, Silent, assert_same, contents, run, tiny_plan

ALGORITHMS = ("ppo", "maskable-ppo", "recurrent-ppo", "a2c", "dqn")


@pytest.mark.parametrize(
    ("algo", "policy"),
    [*((algo, "mlp") for algo in ALGORITHMS), ("maskable-ppo", "shape"), ("dqn", "features")],
)
def test_stages_equal_one_run(algo: str, policy: str, tmp_path: Path) -> None:
    plan = tiny_plan(algo, policy=policy)
    run(plan, tmp_path / "through", 3 * SEGMENT)
    for steps in (1, 2 * SEGMENT, 2 * SEGMENT, 3 * SEGMENT):
        progress = run(plan, tmp_path / "stages", steps)
    assert [one.steps for one in progress.evaluations] == [n * SEGMENT for n in range(4)]
    assert_same(tmp_path / "through", tmp_path / "stages")


def test_dmoe_too(tmp_path: Path) -> None:
    plan = tiny_plan("maskable-ppo", "dmoe")
    run(plan, tmp_path / "through", 3 * SEGMENT)
    run(plan, tmp_path / "stages", SEGMENT)
    run(plan, tmp_path / "stages", 3 * SEGMENT)
    assert_same(tmp_path / "through", tmp_path / "stages")


def test_a_stop_within_a_segment_costs_only_the_segment(tmp_path: Path) -> None:
    class Stops(Silent):
        def stepped(self, steps: int) -> None:
            super().stepped(steps)
            if self.steps > 1.5 * SEGMENT:
                raise KeyboardInterrupt

    plan = tiny_plan()
    run(plan, tmp_path / "through", 2 * SEGMENT)
    with pytest.raises(KeyboardInterrupt):
        run(plan, tmp_path / "stopped", 2 * SEGMENT, Stops())
    watcher = Silent()
    run(plan, tmp_path / "stopped", 2 * SEGMENT, watcher)
    assert watcher.evaluations == 1
    assert_same(tmp_path / "through", tmp_path / "stopped")


def test_a_crash_between_best_and_last_repeats_the_segment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = tiny_plan()
    run(plan, tmp_path / "through", 3 * SEGMENT)
    run(plan, tmp_path / "crashed", SEGMENT)

    def crash(*_: object) -> NoReturn:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(training, "save_checkpoint", crash)
        with pytest.raises(OSError, match="disk full"):
            run(plan, tmp_path / "crashed", 3 * SEGMENT)
    run(plan, tmp_path / "crashed", 3 * SEGMENT)
    assert_same(tmp_path / "through", tmp_path / "crashed")


def test_seeds_give_other_weights_and_the_threads_of_torch_come_back(tmp_path: Path) -> None:
    import torch

    before = torch.get_num_threads()
    run(tiny_plan(seed=0), tmp_path / "0", SEGMENT)
    run(tiny_plan(seed=1), tmp_path / "1", SEGMENT)
    assert torch.get_num_threads() == before
    one, other = contents(tmp_path / "0"), contents(tmp_path / "1")
    assert any((one[key] != other[key]).any() for key in one)


def test_segments_hold_whole_episodes() -> None:
    for algo, least in (("ppo", SEGMENT), ("ppo", SEGMENT + 1), ("dqn", SEGMENT)):
        hyper = tiny_plan(algo).hyperparameters.override(steps_per_leg=least)
        plan = tiny_plan(algo, hyperparameters=hyper)
        steps = Learner(plan).segment_steps
        assert steps % (20 * 4) == 0
        assert 0 <= steps - plan.hyperparameters.steps_per_leg < 80
    uneven = tiny_plan().hyperparameters.override(rollout_steps=7)
    assert Learner(tiny_plan(hyperparameters=uneven)).segment_steps == 4 * 21


def test_nothing_is_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pickle

    import numpy as np
    import torch

    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("unpickled")

    plan = tiny_plan("dqn")
    run(plan, tmp_path, SEGMENT)
    for module, name in ((pickle, "load"), (pickle, "loads"), (torch, "load")):
        monkeypatch.setattr(module, name, refuse)
    numpy: Any = np.lib
    monkeypatch.setattr(numpy._npyio_impl.pickle, "load", refuse)
    run(plan, tmp_path, 2 * SEGMENT)


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    plan = tiny_plan()
    run(plan, tmp_path, SEGMENT)
    state, weights = tmp_path / "last" / "state.json", tmp_path / "last" / "policy.npz"
    whole = state.read_text()
    for damage in ("{", "[]", json.dumps({"progress": {}, "counters": {}, "optimizer": {}})):
        state.write_text(damage)
        with pytest.raises(ValueError, match=r"state.json"):
            run(plan, tmp_path, 2 * SEGMENT)
    state.write_text(whole)
    versions = tmp_path / "versions.json"
    for damage in ("[]", "{}", '{"sessions": [1]}'):
        versions.write_text(damage)
        with pytest.raises(ValueError, match=r"versions.json: expected a"):
            run(plan, tmp_path, 2 * SEGMENT)
    weights.write_bytes(weights.read_bytes()[:-9])
    with pytest.raises(ValueError, match=r"policy.npz: expected an .npz file"):
        run(plan, tmp_path, 2 * SEGMENT)
    weights.unlink()
    with pytest.raises(FileNotFoundError, match=r"policy.npz: expected an .npz file"):
        run(plan, tmp_path, 2 * SEGMENT)


@pytest.mark.parametrize("kills", [2, pytest.param(10, marks=pytest.mark.slow)])
def test_sigkill_at_random_moments(kills: int, tmp_path: Path) -> None:
    """Every kill leaves whole files, and what is run again ends as if nothing had happened."""
    plan, killed = tiny_plan(policy="shape"), tmp_path / "killed"
    steps = (kills + 10) * SEGMENT
    run(plan, tmp_path / "through", steps)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["sb3_contrib", "mec_moe_agents.training.run"])
    moments, segments = random.Random(kills), []
    for number in range(kills):
        # While the run begins or goes on, and while it trains, evaluates or writes.
        sign = killed / ("evaluations.csv" if number % 2 else "versions.json")
        process = context.Process(target=run, args=(plan, killed, steps))
        before = written(sign)
        process.start()
        wait_while(process, lambda sign, before: written(sign) == before, sign, before)
        if number % 2:
            # Past the evaluation of untrained weights: a segment has been stored, however slow.
            wait_while(process, lambda sign: len(sign.read_text().splitlines()) < 3, sign)
        time.sleep(moments.uniform(0.0, 0.3))
        process.kill()
        process.join()
        assert process.exitcode in (-9, 0)
        segments.append(segment_of(killed))
    assert segments == sorted(segments)
    assert segments[-1] > 0
    run(plan, killed, steps)
    assert_same(tmp_path / "through", killed)
    leftovers = {path.name for path in killed.iterdir()}
    assert leftovers == {path.name for path in (tmp_path / "through").iterdir()}


def written(path: Path) -> int | None:
    return path.stat().st_mtime_ns if path.exists() else None


def wait_while(process: BaseProcess, condition: Callable[..., bool], *arguments: object) -> None:
    deadline = time.monotonic() + 300
    while process.is_alive() and condition(*arguments) and time.monotonic() < deadline:
        time.sleep(0.005)


def segment_of(folder: Path) -> int:
    recover_folder(folder / "last")
    state = folder / "last" / "state.json"
    return int(json.loads(state.read_text())["progress"]["leg"]) if state.exists() else 0


@pytest.mark.parametrize("algo", ["ppo", "dqn"])
def test_schedules_follow_the_steps_and_not_the_length_of_the_run(
    algo: str, tmp_path: Path
) -> None:
    hyper: Any = tiny_plan(algo).hyperparameters.override(decay_steps=4 * SEGMENT)
    plan = tiny_plan(algo, hyperparameters=hyper)
    run(plan, tmp_path, 2 * SEGMENT)
    state = json.loads((tmp_path / "last" / "state.json").read_text())
    middle = (hyper.learning_rate + hyper.final_learning_rate) / 2
    assert state["optimizer"]["param_groups"][0]["lr"] == pytest.approx(middle)
    if algo == "dqn":
        share = 2 * SEGMENT / hyper.exploration_steps
        expected = 1 + (hyper.final_exploration - 1) * share
        assert state["counters"]["exploration_rate"] == pytest.approx(expected)
