"""Whatever is wrong with an agent is one error that names it, and no agent ends the process."""

import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mec_moe_agents import evaluate, make_agent
from mec_moe_agents.evaluation.leaderboard import summarize
from mec_moe_agents.evaluation.rollout import Episodes
from mec_moe_agents.outside.archive import check_archive
from mec_moe_agents.registry import find_agent
from mec_moe_agents.training.run_folder import read_plan

from mec_moe_env import OFFLOADING_PRESETS, OffloadingEnv

TOY = OFFLOADING_PRESETS["toy"]
MINE = """
import sys


class Best:
    def __init__(self, config, quality: float = 0.5, size: int = 1, bold: bool = False, **options):
        assert isinstance(quality, float)

    def predict(self, observation):
        return [[2, 0]] * len(observation["busy"]), None


class Nowhere(Best):
    def predict(self, observation):
        return [[99, 0]] * len(observation["busy"]), None


class Silent(Best):
    def predict(self, observation):
        return None


class Exits:
    def __init__(self):
        sys.exit(3)


class ExitsLater:
    def act(self, observation):
        sys.exit(3)


Nothing = 7
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "syntax.py").write_text("class A:\n    def\n")
    (tmp_path / "leaves.py").write_text("import sys\nsys.exit(5)\n")
    (tmp_path / "run").mkdir()
    with zipfile.ZipFile("fake.zip", "w") as archive:
        archive.writestr("data", "{}")
        archive.writestr("policy.pth", b"\x80\x02.")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mine.py:Best[seed=1]", "'mine.py:Best.seed=1.' has no option 'seed': it gets that"),
        ("mine.py:Best[config=3]", "has no option 'config': it gets that"),
        ("mine.py:Best[quality=abc]", "mine.py:Best'?: quality = 'abc' .* it must be float"),
        ("mine.py:Best[size=1.5]", "size = 1.5 is not allowed: it must be int"),
        ("mine.py:Best[size=True]", "size = True is not allowed: it must be int"),
        ("mine.py:Best[bold=1]", "bold = 1 is not allowed: it must be bool"),
        ("mine.py:Nothing", "agent 'mine.py:Nothing': an agent needs predict or act"),
        ("mine.py:Nowhere", r"mine.py:Nowhere: action\[0, 0\] = 99"),
        ("mine.py:Silent", r"predict of Silent must return \(actions, state\), got NoneType"),
        ("mine.py:Exits", r"agent 'mine.py:Exits' asked Python to exit \(3\)"),
        ("mine.py:ExitsLater", r"mine.py:ExitsLater asked Python to exit \(3\)"),
        ("leaves.py:A", r"agent 'leaves.py:A' asked Python to exit \(5\)"),
        ("syntax.py:A", r"agent 'syntax.py:A': no Python that can be read: .*syntax.py, line 2"),
        (":Best", "agent ':Best': expected package.module:Class or file.py:Class"),
        ("mine.py:", "agent 'mine.py:': expected package.module:Class"),
        ("run[x=1]", "has no training run|'run' has no option 'x': it has none"),
        ("fake.zip", "fake.zip: no model of Stable-Baselines3 .policy.pth is nothing that PyTorch"),
        ("", "unknown agent ''"),
    ],
)
def test_one_error_names_the_agent(folder: Path, name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        evaluate(name, TOY, range(2), trust_zip=True)


def test_an_import_that_fails_names_the_agent(folder: Path) -> None:
    Path("lacks.py").write_text("import surely_nobody_has_this\n")
    with pytest.raises(ModuleNotFoundError, match="agent 'lacks.py:A': No module named"):
        find_agent("lacks.py:A", TOY)


def test_the_home_is_found(folder: Path) -> None:
    assert evaluate("~/mine.py:Best", TOY, [0]).metrics["return"].size == 1
    with pytest.raises(ValueError, match="no model of Stable-Baselines3"):
        evaluate("~/fake.zip", TOY, [0])
    with pytest.raises(FileNotFoundError, match=f"{folder}/run holds no training run"):
        evaluate("~/run", TOY, [0])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"qualit": 0.3}, "agent 'des' has no option 'qualit': did you mean 'quality'"),
        ({"config": 3}, "agent 'des' has no option 'config': it gets that"),
    ],
)
def test_options_in_python_are_held_to_the_same(given: dict[str, Any], message: str) -> None:
    env = OffloadingEnv(TOY)
    for kind in (TypeError, ValueError):
        with pytest.raises(kind, match=message):
            evaluate("des", TOY, [0], options=given)
    with pytest.raises(ValueError, match="option quality is given in brackets already"):
        make_agent("des[quality=0.5]", env, quality=0.6)
    with pytest.raises(ValueError, match="name = 5 is not allowed: an agent's name must be text"):
        make_agent(5, env)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unknown agent ''"):
        make_agent("", env)


def test_a_scenario_must_be_one() -> None:
    with pytest.raises(ValueError, match="config = 'toy' is not allowed"):
        evaluate("guard", "toy", range(2))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seeds", "message"),
    [
        ([], "seeds = .. is not allowed: seeds must be a sequence of at least one integer"),
        (3, "seeds = 3 is not allowed"),
        ([0.5], "seed = 0.5 is not allowed"),
        ([-1], "seed = -1 is not allowed"),
        ([1, 2, 1], "seed 1 stands twice"),
    ],
)
def test_seeds_must_be_seeds(seeds: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        evaluate("guard", TOY, seeds)


def test_trained_agents_get_no_seeds_of_training() -> None:
    evaluate("guard", TOY, np.array([2**31]))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="those above are for training"):
        evaluate("learned", OFFLOADING_PRESETS["default"].override(horizon=5), [2**31])


def test_no_seed_counts_twice_and_a_broken_return_has_a_step() -> None:
    def episodes(seeds: list[int], value: float) -> Episodes:
        curve = np.zeros((len(seeds), 4))
        curve[-1, 2:] = value
        returns = np.array([0.0, 1.0])
        returns[-1] += value
        return Episodes(np.array(seeds), {"return": returns}, curve)

    with pytest.raises(ValueError, match="a: seed 3 stands twice"):
        summarize({"a": episodes([3, 3], 0.0)})
    with pytest.raises(ValueError, match="inf of a on seed 4 is not finite, from step 2 on"):
        summarize({"a": episodes([3, 4], np.inf)})


def test_a_damaged_plan_is_named_once(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ValueError, match="config.json: not a whole JSON file") as caught:
        read_plan(tmp_path)
    assert str(caught.value).count("config.json") == 1


def test_settings_of_a_model_are_an_object(folder: Path) -> None:
    with zipfile.ZipFile("list.zip", "w") as archive:
        archive.writestr("data", "[]")
        archive.writestr("policy.pth", b"")
    with pytest.raises(ValueError, match="data is no JSON object"):
        check_archive(Path("list.zip"))
