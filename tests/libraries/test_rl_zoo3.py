"""The hyperparameter files, as rl-zoo3's own commands use them."""

import pickle
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import matplotlib
import pytest
import torch
from matplotlib import pyplot as plt
from rl_zoo3 import ALGOS, cli

from mec_moe_env.wrappers import MaskedObservation
from tests.modules import load_script

EXAMPLES = Path(__file__).parents[2] / "examples"
TOY = "mec_moe/Offloading-toy-flat-v0"
RUN = "mec_moe-Offloading-toy-flat-v0"
"""What rl-zoo3 calls the folder of a run, but for its number."""
ALGORITHMS = ("ppo", "ppo_mask", "a2c", "dqn")


def maskable() -> Any:
    """Import `examples/rl_zoo3_maskable.py`."""
    return load_script(EXAMPLES / "rl_zoo3_maskable.py")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Run in an empty folder, without a display."""
    known = dict(ALGOS)
    monkeypatch.chdir(tmp_path)
    matplotlib.use("Agg")
    torch.set_num_threads(1)
    maskable().add_algorithm()
    yield tmp_path
    plt.close("all")
    ALGOS.clear()
    ALGOS.update(known)


def zoo(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    """Run a command as the program `rl_zoo3` does."""
    monkeypatch.setattr(sys, "argv", ["rl_zoo3", *arguments])
    cli.main()


def train(
    monkeypatch: pytest.MonkeyPatch, algorithm: str, id: str, *more: str, steps: int = 512
) -> None:
    file = EXAMPLES / "rl_zoo3" / f"{algorithm}.yml"
    command = f"train --algo {algorithm} --env {id} --gym-packages mec_moe_env --conf-file {file}"
    sizes = f"--n-timesteps {steps} --eval-freq 128 --eval-episodes 2 --seed 0 --device cpu"
    zoo(monkeypatch, *command.split(), *sizes.split(), *more)


def enjoy(monkeypatch: pytest.MonkeyPatch, algorithm: str, id: str, steps: int) -> None:
    command = f"enjoy --algo {algorithm} --env {id} --gym-packages mec_moe_env --folder logs"
    zoo(monkeypatch, *command.split(), "--no-render", "--n-timesteps", str(steps))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_trains_and_is_enjoyed(
    algorithm: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    train(monkeypatch, algorithm, TOY)
    enjoy(monkeypatch, algorithm, TOY, 8)
    found = re.search(r"Mean reward: (-[0-9.]+) \+/- 0.00", capsys.readouterr().out)
    assert found is not None
    assert -20.0 < float(found[1]) <= -3.8


@pytest.mark.parametrize(
    ("algorithm", "id"),
    [
        ("ppo", "mec_moe/Offloading-v0"),
        ("a2c", "mec_moe/DMoE-v0"),
        ("ppo", "mec_moe/Offloading-scarce-flat-v0"),
        ("ppo_mask", "mec_moe/Offloading-scarce-flat-v0"),
    ],
)
def test_other_ids_have_their_settings(
    algorithm: str, id: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = "n_envs:2", "n_steps:8"
    train(monkeypatch, algorithm, id, "--eval-freq", "-1", "--hyperparams", *small, steps=32)
    name = id.replace("/", "-")
    assert (here / "logs" / algorithm / f"{name}_1" / f"{name}.zip").is_file()


def test_masks_reach_evaluation_and_enjoyment() -> None:
    """An action that the mask excludes is not chosen, however likely it is without the mask."""
    env = MaskedObservation(gym.make(f"mec_moe_env:{TOY}"))
    model = maskable().MaskedPPO("MultiInputPolicy", env, seed=0)
    observation, info = env.reset(seed=0)
    excluded = int((~info["action_mask"]).argmax())
    with torch.no_grad():
        model.policy.action_net.bias[excluded] = 1e3
    assert model.predict(observation, deterministic=True)[0] != excluded
    free = {**observation, "action_mask": observation["action_mask"] * 0 + 1}
    assert model.predict(free, deterministic=True)[0] == excluded


def test_plots_find_the_runs(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        train(monkeypatch, "a2c", TOY)
    zoo(monkeypatch, *f"plot_train --algo a2c --env {RUN} --exp-folder logs".split())
    assert len(plt.gca().get_lines()) == 2
    plots = f"all_plots --algos a2c --env {RUN} --exp-folders logs --output out --no-display"
    zoo(monkeypatch, *plots.split())
    with (here / "out.pkl").open("rb") as file:
        assert len(pickle.load(file)[RUN]["A2C-logs"]["last_evals"]) == 2
    drawn = "plot_from_file --input out.pkl --output curve.png --format png"
    zoo(monkeypatch, *drawn.split())
    assert (here / "curve.png").stat().st_size > 0


def test_optuna_tunes_with_the_file(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    search = "--optimize --n-trials 2 --n-startup-trials 1 --n-evaluations 1 --no-optim-plots"
    train(monkeypatch, "dqn", TOY, *search.split())
    assert list(here.glob("logs/dqn/report_*.csv"))
