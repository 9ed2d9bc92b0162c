"""Agents that are code of somebody else: how they are found, built, asked, and told apart."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mec_moe_agents import evaluate, make_agent, make_vector_env, run_episodes
from mec_moe_agents.outside.signature import entry_options
from mec_moe_agents.registry import find_agent, origin_of

from mec_moe_env import OFFLOADING_PRESETS, OffloadingEnv, OffloadingVectorEnv
from tests.outside.strangers import STRANGER

TOY = OFFLOADING_PRESETS["toy"]
SEEDS = range(3)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "strangers_code.py").write_text(STRANGER)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "strangers_code", raising=False)
    return tmp_path


def returns(agent: Any, **given: Any) -> list[float]:
    found: list[float] = evaluate(agent, TOY, SEEDS, **given).metrics["return"].tolist()
    return found


@pytest.mark.parametrize("place", ["strangers_code.py", "strangers_code"])
@pytest.mark.parametrize("name", ["BestLink", "OneByOne", "Masked", "reject", "make_best", "ready"])
def test_a_file_or_a_module_acts(folder: Path, place: str, name: str) -> None:
    assert np.isfinite(returns(f"{place}:{name}")).all()
    if name == "reject":
        assert returns(f"{place}:reject") == returns("reject-all")


@pytest.mark.parametrize("name", ["BestLink", "OneByOne", "Masked"])
def test_the_scalar_environment_is_the_vector_one(folder: Path, name: str) -> None:
    env, total, state = OffloadingEnv(TOY), 0.0, None
    agent = make_agent(f"strangers_code.py:{name}", env, seed=2)
    observation, _ = env.reset(seed=2)
    for step in range(TOY.horizon):
        action, state = agent.predict(observation, state, np.array([step == 0]))
        assert np.shape(action) == (2,)
        observation, reward, *_ = env.step(action)
        total += reward
    assert total == pytest.approx(returns(f"strangers_code.py:{name}")[2])


def test_objects_classes_and_functions_act_in_python(folder: Path) -> None:
    names: dict[str, Any] = {}
    exec(STRANGER, names)
    expected = returns("strangers_code.py:BestLink")
    assert returns(names["BestLink"]) == expected
    assert returns(names["BestLink"](TOY)) == expected
    assert returns(names["make_best"]) == expected
    assert returns(names["BestLink"], options={"least": 99.0}) == returns("reject-all")
    assert returns(names["reject"]) == returns("reject-all")
    rows = returns(names["OneByOne"])
    assert rows == returns("strangers_code.py:OneByOne")
    again = [
        evaluate(names["OneByOne"], TOY, [seed]).metrics["return"].item()
        for seed in reversed(SEEDS)
    ]
    assert rows == again[::-1]
    env = make_vector_env(TOY, len(SEEDS))
    masked = run_episodes(names["Masked"](), env, SEEDS).metrics["return"]
    assert masked.tolist() == returns("strangers_code.py:Masked")


def test_options_follow_in_brackets(folder: Path) -> None:
    assert returns("strangers_code.py:BestLink[least=99]") == returns("reject-all")
    assert returns("des[gate=guard,threshold=0.9]") == returns(
        "des", options={"gate": "guard", "threshold": 0.9}
    )
    assert returns("strangers_code.py:NeedsSize[size=1]")
    entry = find_agent("strangers_code.py:BestLink", TOY)
    (option,) = entry_options(entry)
    assert (option.name, option.type, option.default) == ("least", "float", 0.0)
    assert option.meaning == "bit/s/Hz below which a task is rejected."
    assert entry.description.startswith("The idle server with the best link")


def test_an_object_of_a_row_begins_anew_with_each_episode(folder: Path) -> None:
    env = OffloadingVectorEnv(2, "toy")
    agent = make_agent("strangers_code.py:OneByOne", env, seed=0)
    observation, _ = env.reset(seed=0)
    _, state = agent.predict(observation)
    before = list(state)
    _, state = agent.predict(observation, state, np.array([False, True]))
    assert state[0] is before[0]
    assert state[1] is not before[1]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("strangers_code.py:Nobody", "file 'strangers_code.py' has no 'Nobody'"),
        ("strangers_code:BestLnk", "did you mean 'BestLink'"),
        ("nowhere.py:Own", "there is no file nowhere.py"),
        ("nowhere.deep:Own", "there is no module 'nowhere.deep'"),
        ("strangers_code.py", "needs the name of its class: strangers_code.py:Class"),
        ("strangers_code.py:NeedsSize", r"needs size: it gets what it takes of config, env"),
        ("strangers_code.py:BestLink[lest=1]", "has no option 'lest': did you mean 'least'"),
        ("strangers_code.py:ready[a=1]", "is built already: it takes no options"),
        ("des[qualty=1]", "agent 'des.qualty=1.' has no option 'qualty': did you mean 'quality'"),
        ("random[x=1]", "has no option 'x': it has none"),
        ("des[gate=nobody]", "unknown gate 'nobody'"),
        ("gaurd", "unknown agent 'gaurd': did you mean 'guard'"),
        ("runs/nothing", "no such folder of a training run"),
    ],
)
def test_what_is_wrong_is_named(folder: Path, name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_agent(name, OffloadingEnv("toy"))


def test_what_cannot_act_is_refused(folder: Path) -> None:
    with pytest.raises(TypeError, match="needs predict or act, or must be callable, got 7"):
        make_agent("strangers_code.py:nothing", OffloadingEnv("toy"))
    with pytest.raises(TypeError, match=r"must return \(actions, state\), got ndarray"):
        returns("strangers_code.py:Broken")


def test_a_module_that_lacks_another_says_which(folder: Path) -> None:
    (folder / "lacking.py").write_text("import surely_nobody_has_this\n")
    for name in ("lacking.py:Own", "lacking:Own"):
        with pytest.raises(ModuleNotFoundError, match="surely_nobody_has_this"):
            find_agent(name, TOY)


def test_a_changed_file_is_another_origin_and_runs_anew(folder: Path) -> None:
    name, file = "strangers_code.py:BestLink", folder / "strangers_code.py"
    before, first = origin_of(name, TOY), returns(name)
    file.write_text(STRANGER.replace("least: float = 0.0", "least: float = 99.0"))
    after = origin_of(name, TOY)
    assert before["file"] == after["file"] == "strangers_code.py"
    assert before["sha256"] != after["sha256"]
    assert first != returns(name) == returns("reject-all")
    assert origin_of("guard", TOY) == origin_of("des[quality=0.7]", TOY) == {}
    assert origin_of("maskable-ppo (shape)", TOY) == {}


def test_a_file_imports_what_lies_beside_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "deeper").mkdir()
    (folder / "deeper" / "helper_beside.py").write_text("VALUE = 1\n")
    (folder / "deeper" / "own.py").write_text(f"import helper_beside\n{STRANGER}")
    monkeypatch.delitem(sys.modules, "helper_beside", raising=False)
    assert returns("deeper/own.py:BestLink") == returns("strangers_code.py:BestLink")


def test_entry_points_of_other_packages(folder: Path) -> None:
    info = folder / "stranger-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(
        "[mec_moe.agents]\nbest-link = strangers_code:BestLink\n"
    )
    sys.path.insert(0, str(folder))
    assert returns("best-link[least=99]") == returns("reject-all")
    origin = origin_of("best-link", TOY)
    assert origin["distribution"] == "stranger 1.2"
    assert origin["entry point"] == "strangers_code:BestLink"
    assert len(origin["sha256"]) == 64
    with pytest.raises(ValueError, match="did you mean 'best-link'"):
        find_agent("best-lnk", TOY)
