"""A submission written elsewhere is accepted; whatever is changed in one is named."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import mec_moe_agents
import numpy as np
import pytest

pytest.importorskip("typer")

from mec_moe_agents.cli import app
from mec_moe_agents.suite.manifest import Claims, Manifest
from mec_moe_agents.suite.play import play
from mec_moe_agents.suite.submission import Submission
from mec_moe_agents.suite.tasks import find_task
from mec_moe_agents.suite.verification import verify
from typer.testing import CliRunner, Result

from mec_moe_env.files import read_arrays, write_arrays

OWN = """
from mec_moe_agents import RoutingAgent, make_gate

def make(env, seeds):
    return RoutingAgent(env.config, make_gate("guard", env.config, seed=list(seeds)))
"""


def mec_moe(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def submit_elsewhere(folder: Path, *arguments: object) -> None:
    words = [str(argument) for argument in arguments]
    command = [sys.executable, "-m", "mec_moe_agents", "submit", "--split", "validation", *words]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("task", "agent", "options"),
    [
        ("offloading-default", "own:make", ("--threads", 2, "--batch", 4)),
        ("dmoe-default", "random", ("--threads", 3, "--batch", 3)),
    ],
)
def test_what_another_process_wrote_is_accepted(
    tmp_path: Path, task: str, agent: str, options: tuple[object, ...]
) -> None:
    (tmp_path / "own.py").write_text(OWN)
    submit_elsewhere(tmp_path, "--task", task, "--agent", agent, *options, "--out", "one.npz")
    result = mec_moe("verify", tmp_path / "one.npz")
    assert result.exit_code == 0, result.output
    assert "accepted" in result.stdout
    assert "causal, 0 training runs" in result.stdout
    times = json.loads((tmp_path / "one.times.json").read_text())
    assert times["decisions"] == 10 * find_task(task).split("validation").config.steps
    assert times["seconds_per_decision"]["mean"] > 0


@pytest.fixture(scope="module")
def genuine() -> Submission:
    task = find_task("offloading-default")
    split = task.split("validation")

    def build(env: Any, seeds: Any) -> Any:
        return mec_moe_agents.make_agent("guard", env, seed=list(seeds))

    recording = play(build, split.config, split.seeds)
    return Submission.of(Manifest.of(task, split, Claims(agent="guard")), recording)


def problem_of(submission: Submission, path: Path) -> str:
    """Save with a content checksum that fits, and return why it is rejected; "" if it is not."""
    submission.save(path)
    return "; ".join(verify(Submission.load(path)).problems)


def with_manifest(genuine: Submission, **fields: Any) -> Submission:
    return dataclasses.replace(genuine, manifest=dataclasses.replace(genuine.manifest, **fields))


def test_the_genuine_one_is_accepted_bit_for_bit(genuine: Submission, tmp_path: Path) -> None:
    assert problem_of(genuine, tmp_path / "one.npz") == ""
    verification = verify(Submission.load(tmp_path / "one.npz"), threads=2)
    assert verification.exact
    assert verification.episodes is not None
    np.testing.assert_array_equal(verification.episodes.metrics["return"], genuine.returns)


def test_one_changed_action_is_named_by_seed_and_step(genuine: Submission, tmp_path: Path) -> None:
    servers = find_task("offloading-default").split("validation").config.to_dict()["num_servers"]
    actions = genuine.actions.copy()
    step = 100 + int(np.argmax(actions[3, 100:, 0] < servers))
    actions[3, step, 0] = servers  # rejects a task that was served
    changed = dataclasses.replace(genuine, actions=actions)
    message = problem_of(changed, tmp_path / "one.npz")
    assert message.startswith(f"seed 90003, step {step}: the reward is")
    assert "1 of 10 episodes differ" in message


def test_an_impossible_action_is_named(genuine: Submission, tmp_path: Path) -> None:
    actions = genuine.actions.copy()
    actions[2, 7, 1] = 200
    changed = dataclasses.replace(genuine, actions=actions)
    message = problem_of(changed, tmp_path / "one.npz")
    assert "seed 90002, step 7: action entry 1 = 200 is not allowed" in message


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"seeds": [90_000, 90_007, *range(90_002, 90_010)]},
            "seeds[1] = 90007 in the file, 90001",
        ),
        ({"seeds": list(range(90_000, 90_009))}, "seeds: 9 in the file, 10 in the suite"),
        ({"version": 2}, "version = 2 in the file, 1 in the suite"),
        ({"checksum": "0" * 64}, "checksum = '000"),
        ({"suite": "mec-moe-2"}, "suite = 'mec-moe-2' in the file"),
        ({"environment": "mec_moe/Offloading-v1"}, "environment = 'mec_moe/Offloading-v1'"),
        ({"task": "offloading-defualt"}, "did you mean 'offloading-default'"),
        ({"split": "train"}, "split 'train' has no last seed"),
        ({"split": "shifted-test"}, "config.failure_rate = 0.0 in the file, 0.01 in the suite"),
    ],
)
def test_a_changed_manifest_is_named(
    genuine: Submission, tmp_path: Path, fields: dict[str, Any], message: str
) -> None:
    assert message in problem_of(with_manifest(genuine, **fields), tmp_path / "one.npz")


@pytest.mark.parametrize(
    "fields",
    [{"config": 3}, {"seeds": "all"}, {"task": ["dmoe-default"]}, {"format": 9}, {"version": None}],
)
def test_a_field_of_another_kind_is_named(
    genuine: Submission, tmp_path: Path, fields: dict[str, Any]
) -> None:
    path = tmp_path / "one.npz"
    with_manifest(genuine, **fields).save(path)
    result = mec_moe("verify", path)
    assert result.exit_code == 1
    assert f"manifest: {next(iter(fields))} = " in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_changed_config_field_is_named(genuine: Submission, tmp_path: Path) -> None:
    config = find_task("offloading-default").split("validation").described
    changed = with_manifest(genuine, config={**config, "energy_weight": 4.0})
    message = problem_of(changed, tmp_path / "one.npz")
    assert message == "config.energy_weight = 4.0 in the file, 5.0 in the suite"


def test_seeds_that_training_saw_are_refused(genuine: Submission, tmp_path: Path) -> None:
    claims = Claims(agent="x", training_seeds=((2**31, 2**32),), tuning_seeds=((90_009, 90_009),))
    message = problem_of(with_manifest(genuine, claims=claims), tmp_path / "one.npz")
    assert "tuning_seeds = '90009-90009' is not allowed" in message


def test_changed_returns_and_rewards_are_named(genuine: Submission, tmp_path: Path) -> None:
    returns, rewards = genuine.returns.copy(), genuine.rewards.copy()
    returns[4] += 1.0
    rewards[5, 6] = np.nan
    path = tmp_path / "one.npz"
    message = problem_of(dataclasses.replace(genuine, returns=returns), path)
    assert message.startswith("seed 90004: the return is")
    message = problem_of(dataclasses.replace(genuine, rewards=rewards), path)
    assert message.startswith("seed 90005, step 6: the reward is nan")


def test_another_kind_of_processor_may_round_differently(
    genuine: Submission, tmp_path: Path
) -> None:
    elsewhere = with_manifest(genuine, processor={"machine": "other"})
    path = tmp_path / "one.npz"
    for factor, accepted in ((1 + 1e-9, True), (1 + 1e-5, False)):
        rounded = dataclasses.replace(
            elsewhere, rewards=genuine.rewards * factor, returns=genuine.returns * factor
        )
        assert (problem_of(rounded, path) == "") is accepted
        here = dataclasses.replace(rounded, manifest=genuine.manifest)
        assert "seed 90000, step" in problem_of(here, path)
    assert "another kind of processor" in verify(elsewhere).notes[0]


def test_a_file_changed_after_it_was_written_is_named(genuine: Submission, tmp_path: Path) -> None:
    path = tmp_path / "one.npz"
    genuine.save(path)
    arrays = read_arrays(path)
    manifest = json.loads(str(arrays["manifest"]))
    manifest["claims"]["agent"] = "mine"
    write_arrays(path, {**arrays, "manifest": np.array(json.dumps(manifest))})
    result = mec_moe("verify", path)
    assert result.exit_code == 1
    assert "content: the file was changed after it was written" in result.stderr
    for field in ("seeds", "claims"):
        del manifest[field]
        write_arrays(path, {**arrays, "manifest": np.array(json.dumps(manifest))})
        result = mec_moe("verify", path)
        assert result.exit_code == 1
        assert "the manifest has no field 'seeds'" in result.stderr


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.99])
def test_a_truncated_file_is_rejected_in_one_line(
    genuine: Submission, tmp_path: Path, keep: float
) -> None:
    path = tmp_path / "one.npz"
    genuine.save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole))])
    result = mec_moe("verify", path)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"mec-moe: rejected: {path}")
    assert result.stderr.count("\n") == 1


def test_a_damaged_byte_is_rejected(genuine: Submission, tmp_path: Path) -> None:
    path = tmp_path / "one.npz"
    genuine.save(path)
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 3] ^= 0xFF
    path.write_bytes(bytes(damaged))
    result = mec_moe("verify", path)
    assert result.exit_code == 1
    assert "rejected" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--task", "dmoe-defualt"), "did you mean 'dmoe-default'?"),
        (("--agent", "jsea"), "unknown agent 'jsea': did you mean 'jesa'?"),
        (("--agent", "nowhere:make"), "there is no module 'nowhere'"),
        (("--agent", "json:make"), "module 'json' has no 'make'"),
        (("--agent", "runs/nothing"), "no such folder of a training run"),
        (("--split", "train"), "no last seed"),
        (("--information", "none"), "information = 'none' is not allowed"),
        (("--training-seeds", "5:9"), "--training-seeds expects FIRST-LAST"),
        (("--tuning-seeds", "100001"), "apart from the seeds of 'test'"),
        (("--training-runs", "-1"), "training_runs = -1 is not allowed"),
        (("--out", "one.zip"), "must end in .npz"),
    ],
)
def test_wrong_use_is_named(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    given = {"--task": "dmoe-default", "--agent": "jesa", "--out": str(tmp_path / "one.npz")}
    given |= dict(zip(arguments[::2], arguments[1::2], strict=True))
    words = [word for pair in given.items() for word in pair]
    result = mec_moe("submit", *words)
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert not (tmp_path / "one.npz").exists()


def test_the_suite_is_shown() -> None:
    listed, shown = mec_moe("suite", "list"), mec_moe("suite", "show", "dmoe-paper")
    assert listed.exit_code == shown.exit_code == 0
    assert "offloading-congested" in listed.stdout
    assert max(map(len, listed.stdout.splitlines())) <= 80
    assert "an available node fails once in 20 slots" in shown.stdout
    assert mec_moe("suite", "check").exit_code == 0
