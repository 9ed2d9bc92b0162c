"""Datasets: what is in them, that they come again byte for byte, and whose seeds they have."""

import json
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

pytest.importorskip("minari")
pytest.importorskip("typer")

import minari
from mec_moe_agents.cli import app
from mec_moe_agents.evaluation.rollout import FIRST_TRAINING_SEED, evaluate
from mec_moe_agents.offline import collect as offline
from mec_moe_agents.training.plan import FIRST_EPISODE_SEED, validation_seeds
from typer.testing import CliRunner, Result

from mec_moe_env import OFFLOADING_PRESETS, DMoEEnv

TOY = ("--scenario", "toy", "--references", 1)
CHANGED = ("--set", "horizon=3", "--set", "delay_weight=0.25")
GUARD = "mec-moe/toy/guard-v0"


def mec_moe(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def collected(*arguments: object) -> Result:
    result = mec_moe("collect", *arguments)
    assert result.exit_code == 0, result.output
    return result


def contents(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three episodes each of two agents, not to be changed."""
    folder = tmp_path_factory.mktemp("datasets")
    collected(*TOY, *CHANGED, "--agents", "random,guard", "--seeds", 3, "--out", folder)
    return folder


def assert_replays(dataset: Any) -> None:
    """Whoever plays the actions on the seeds sees what the dataset says, value for value."""
    env: gym.Env[Any, Any] = dataset.recover_environment()
    for episode in dataset.iterate_episodes():
        seed = dataset.storage.get_episode_metadata([episode.id]).__iter__().__next__()["seed"]
        observation, info = env.reset(seed=seed)
        for step, action in enumerate(episode.actions):
            assert env.action_space.contains(action)
            for shown, told in ((observation, episode.observations), (info, episode.infos)):
                assert shown.keys() == told.keys()
                for key, value in shown.items():
                    np.testing.assert_array_equal(told[key][step], value, err_msg=key)
            observation, reward, terminated, truncated, info = env.step(action)
            assert reward == episode.rewards[step]
            assert terminated == episode.terminations[step]
            assert truncated == episode.truncations[step]
        assert terminated
        assert all(np.array_equal(episode.observations[key][-1], observation[key])
                   for key in observation)  # fmt: skip
        assert np.array_equal(episode.infos["action_mask"][-1], info["action_mask"])


def test_a_dataset_is_what_the_agent_did(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(root))
    dataset = minari.load_dataset(GUARD)
    assert (dataset.total_episodes, dataset.total_steps) == (3, 9)
    assert_replays(dataset)
    config = OFFLOADING_PRESETS["toy"].override(horizon=3, delay_weight=0.25)
    assert dataset.recover_environment().unwrapped.config == config
    played = evaluate("guard", config, range(FIRST_EPISODE_SEED, FIRST_EPISODE_SEED + 3))
    returns = [episode.rewards.sum() for episode in dataset]
    assert returns == pytest.approx(played.metrics["return"])


def test_it_says_where_it_comes_from(root: Path) -> None:
    dataset = minari.MinariDataset(root / GUARD / "data")
    metadata = dataset.storage.metadata
    told = metadata["mec_moe"]
    assert metadata["algorithm_name"] == told["agent"] == "guard"
    assert told["keywords"] == {"scenario": "toy", "horizon": 3, "delay_weight": 0.25}
    assert (told["first_seed"], told["episodes"]) == (FIRST_EPISODE_SEED, 3)
    assert told["config"]["num_servers"] == 2
    assert {"numpy", "minari", "h5py", "gymnasium"} <= told["packages"].keys()
    assert re.fullmatch("[0-9a-f]{16}", told["code"])
    assert told["references"]["first_seed"] == FIRST_TRAINING_SEED
    low, high = metadata["ref_min_score"], metadata["ref_max_score"]
    seeds, config = validation_seeds(1), OFFLOADING_PRESETS["toy"].override(horizon=3)
    config = config.override(delay_weight=0.25)
    assert low == evaluate("random", config, seeds).metrics["return"].mean()
    assert high == evaluate("guard", config, seeds).metrics["return"].mean()
    assert low < high
    assert minari.get_normalized_score(dataset, np.array([low, high])).tolist() == [0.0, 1.0]


def test_equal_runs_give_equal_bytes(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one episode at a time, without jax, and by the command on the card."""
    monkeypatch.setattr(offline, "BATCH_NUMBERS", 1)
    monkeypatch.setitem(sys.modules, "jax", None)
    collected(*TOY, *CHANGED, "--agents", "random,guard", "--seeds", 3, "--out", tmp_path / "a")
    assert contents(tmp_path / "a") == contents(root)
    card = (root / "mec-moe/toy/random-v0/README.md").read_text()
    (command,) = re.findall(r"^mec-moe (collect .*)$", card, re.MULTILINE)
    assert mec_moe(*shlex.split(command), "--out", tmp_path / "b").exit_code == 0
    again = contents(tmp_path / "b")
    assert again == {name: data for name, data in contents(root).items() if name in again}
    assert len(again) == 3
    other = (*CHANGED, "--agents", "random", "--seeds", 3, "--first-seed", FIRST_EPISODE_SEED + 1)
    collected(*TOY, *other, "--out", tmp_path / "c")
    data = "mec-moe/toy/random-v0/data/main_data.hdf5"
    assert contents(tmp_path / "c")[data] != again[data]


def test_the_card_has_results_scale_and_fields(root: Path) -> None:
    card = (root / GUARD / "README.md").read_text()
    assert card.startswith(f"# {GUARD}\n")
    for text in (
        "3 episodes, 9 steps of the agent `guard` in `mec_moe/Offloading-v0`, scenario toy.",
        f"Seeds {FIRST_EPISODE_SEED} to {FIRST_EPISODE_SEED + 2}",
        "| Return |",
        "Score 1.000, where 0 is `random`",
        '"num_servers": 2',
    ):
        assert text in card
    result = collected(*TOY, "--agents", "guard", "--seeds", 1, "--out", root / "more")
    assert "1.000" in result.stdout


def test_dmoe_and_options(tmp_path: Path) -> None:
    agents = "jesa[importance=0.5],no-expert"
    collected("--scenario", "dmoe/toy", "--references", 1, "--agents", agents, "--seeds", 2,
              "--out", tmp_path)  # fmt: skip
    first, second = sorted(path.parent for path in tmp_path.rglob("README.md"))
    assert re.fullmatch("jesa-importance-0-5-[0-9a-f]{8}-v0", first.name)
    assert second == tmp_path / "mec-moe/dmoe/toy/no-expert-v0"
    dataset = minari.MinariDataset(second / "data")
    assert_replays(dataset)
    assert isinstance(dataset.recover_environment().unwrapped, DMoEEnv)


def test_a_training_run_acts_too(tmp_path: Path) -> None:
    pytest.importorskip("sb3_contrib")
    from tests.training.runs import SEGMENT, run, tiny_plan

    run(tiny_plan(), tmp_path / "run", SEGMENT)
    scenario = ("--scenario", "default", "--set", "horizon=20", "--references", 1)
    collected(*scenario, "--agents", tmp_path / "run", "--seeds", 1, "--out", tmp_path)
    (card,) = (tmp_path / "mec-moe").rglob("README.md")
    dataset = minari.MinariDataset(card.parent / "data")
    assert_replays(dataset)
    assert dataset.storage.metadata["mec_moe"]["origin"]


@pytest.mark.parametrize("seed", [0, FIRST_TRAINING_SEED, FIRST_EPISODE_SEED - 1])
def test_seeds_of_evaluation_and_validation_are_refused(seed: int, tmp_path: Path) -> None:
    """What was learned from them could not be judged on them."""
    result = mec_moe("collect", *TOY, "--first-seed", seed, "--seeds", 2, "--out", tmp_path)
    assert result.exit_code == 2
    assert f"seed = {seed} is not allowed" in result.stderr
    assert "those below are for evaluation and for the choice of checkpoints" in result.stderr


def test_what_is_there_is_kept_unless_fresh(tmp_path: Path) -> None:
    command = (*TOY, "--agents", "guard", "--out", tmp_path, "--seeds")
    collected(*command, 1)
    before = contents(tmp_path)
    refused = mec_moe("collect", *command, 2)
    assert refused.exit_code == 2
    assert "guard-v0 exists: take another --out, or --fresh to replace it" in refused.stderr
    assert contents(tmp_path) == before
    collected(*command, 2, "--fresh")
    assert json.loads((tmp_path / GUARD / "data/metadata.json").read_text())["total_episodes"] == 2


def test_without_minari_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for missing in ("minari", "h5py"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, missing, None)
            result = mec_moe("collect", *TOY, "--out", tmp_path / "out")
        assert result.exit_code == 1
        needed = f"collecting needs {missing}: pip install 'mec-moe-env[collect]'"
        assert needed in result.stderr
        assert not (tmp_path / "out").exists()


def test_wrong_use_is_named(tmp_path: Path) -> None:
    for arguments, message in (
        (("--agents", "gaurd"), "did you mean 'guard'"),
        (("--references", 0), "references = 0 is not allowed"),
    ):
        result = mec_moe("collect", "--scenario", "toy", *arguments, "--out", tmp_path)
        assert result.exit_code == 2
        assert message in result.stderr
