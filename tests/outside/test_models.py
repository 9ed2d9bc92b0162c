"""Trained models as agents: archives of Stable-Baselines3 and training runs, beside baselines."""

import base64
import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sb3_contrib")
pytest.importorskip("typer")

import stable_baselines3 as sb3
from mec_moe_agents import evaluate, make_agent, make_vector_env, run_episodes
from mec_moe_agents.cli import app
from mec_moe_agents.registry import find_agent
from mec_moe_agents.training import DecisionAgent, DecisionVecEnv
from sb3_contrib import QRDQN, TRPO, MaskablePPO, RecurrentPPO
from typer.testing import CliRunner, Result

from mec_moe_env import OFFLOADING_PRESETS, OffloadingConfig, OffloadingEnv
from mec_moe_env.sb3 import make_vec_env
from tests.outside.strangers import STRANGER
from tests.training.runs import run, tiny_plan

CONFIG = OFFLOADING_PRESETS["default"].override(horizon=20)
SEEDS = range(3)
OFFLOADING = "mec_moe/Offloading-v0"
SMALL: dict[str, Any] = {"n_steps": 4, "device": "cpu", "seed": 0}
NETWORK: dict[str, Any] = {"policy_kwargs": {"net_arch": [4]}}


def env_of(**options: Any) -> Any:
    return make_vec_env(OFFLOADING, 2, scenario=CONFIG, **options)


MODELS: dict[str, Any] = {
    "ppo": lambda: sb3.PPO("MultiInputPolicy", env_of(), batch_size=8, **SMALL, **NETWORK),
    "a2c": lambda: sb3.A2C("MultiInputPolicy", env_of(), **SMALL, **NETWORK),
    "dqn": lambda: sb3.DQN(
        "MultiInputPolicy", env_of(flat_action=True), buffer_size=8, device="cpu", **NETWORK
    ),
    "qr-dqn": lambda: QRDQN(
        "MultiInputPolicy", env_of(flat_action=True), buffer_size=8, device="cpu", **NETWORK
    ),
    "trpo": lambda: TRPO("MultiInputPolicy", env_of(), batch_size=8, **SMALL, **NETWORK),
    "maskable": lambda: MaskablePPO("MultiInputPolicy", env_of(), batch_size=8, **SMALL, **NETWORK),
    "maskable-flat": lambda: MaskablePPO(
        "MultiInputPolicy", env_of(flat_action=True), batch_size=8, **SMALL, **NETWORK
    ),
    "recurrent": lambda: RecurrentPPO(
        "MultiInputLstmPolicy",
        env_of(),
        batch_size=8,
        policy_kwargs={"lstm_hidden_size": 4, "net_arch": [4]},
        **SMALL,
    ),
    "decisions": lambda: MaskablePPO(
        "MlpPolicy", DecisionVecEnv(CONFIG, 2), batch_size=8, **SMALL, **NETWORK
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_saved_model_acts_as_the_object_does(name: str, tmp_path: Path) -> None:
    model = MODELS[name]()
    path = str(tmp_path / "model.zip")
    model.save(path)
    loaded = evaluate(path, CONFIG, SEEDS, trust_zip=True).metrics
    given = evaluate(model, CONFIG, SEEDS).metrics
    assert loaded["return"].tolist() == given["return"].tolist()
    if name.startswith(("maskable", "decisions")):
        assert not loaded["dropped_picks"].any()


def test_masks_reach_a_model_in_run_episodes() -> None:
    model = MODELS["decisions"]()
    env = make_vector_env(CONFIG, len(SEEDS))
    expected = run_episodes(DecisionAgent(model, CONFIG, masked=True), env, SEEDS)
    assert run_episodes(model, env, SEEDS).metrics["return"].tolist() == (
        expected.metrics["return"].tolist()
    )
    unmasked = run_episodes(MODELS["ppo"](), env, SEEDS).metrics["dropped_picks"]
    masked = run_episodes(MODELS["maskable"](), env, SEEDS).metrics["dropped_picks"]
    assert unmasked.any()
    assert not masked.any()


class Bomb:
    """Runs code when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self._mark,)


EMPTY_ARCHIVE = b"PK\x05\x06" + bytes(18)


def test_nothing_is_unpickled_before_it_is_trusted(tmp_path: Path) -> None:
    path, mark = tmp_path / "model.zip", tmp_path / "mark"
    bomb = pickle.dumps(Bomb(mark))
    entry = {":type:": "x", ":serialized:": base64.b64encode(bomb).decode()}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data", json.dumps({"policy_class": entry}))
        archive.writestr("policy.pth", EMPTY_ARCHIVE)
    find_agent(str(path), CONFIG)
    with pytest.raises(ValueError, match="runs code that is in it.*--trust-zip.*trust_zip=True"):
        make_agent(str(path), OffloadingEnv(CONFIG))
    assert not mark.exists()
    with pytest.raises(ValueError, match="cannot be loaded as a model"):
        make_agent(str(path), OffloadingEnv(CONFIG), trust_zip=True)
    assert mark.exists()


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    env = OffloadingEnv(CONFIG)
    text, lacking = tmp_path / "text.zip", tmp_path / "lacking.zip"
    text.write_text("no archive")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("data", "{}")
    lacking.write_bytes(content.getvalue())
    for path, message in ((text, "this is no zip file"), (lacking, "it lacks policy.pth")):
        with pytest.raises(ValueError, match=message):
            make_agent(str(path), env, trust_zip=True)
    with pytest.raises(FileNotFoundError, match="there is none"):
        make_agent(str(tmp_path / "none.zip"), env, trust_zip=True)


@pytest.mark.parametrize("name", ["ppo", "dqn"])
def test_a_model_for_other_sizes_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="trained on observations of shape .* here they have"):
        evaluate(MODELS[name](), OffloadingConfig(num_servers=3, horizon=2), [0])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("outside") / "own-run"
    run(tiny_plan("maskable-ppo", policy="features"), folder, 80)
    return folder


def mec_moe(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_stranger_an_archive_and_a_run_stand_beside_the_baselines(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(STRANGER)
    MODELS["maskable-flat"]().save("model.zip")
    agents = f"guard,own.py:BestLink[least=0.5],model.zip,{trained},nearest"
    words = ("--scenario", "default", "--set", "horizon=20", "--agents", agents)
    compare = ("compare", *words, "--seeds", 8, "--out", "compared")
    refused = mec_moe(*compare)
    assert refused.exit_code == 2
    assert "--trust-zip" in refused.stderr
    result = mec_moe(*compare, "--trust-zip")
    assert result.exit_code == 0, result.output
    assert "own.py:BestLink[least=0.5]" in result.stdout
    summary = json.loads(Path("compared/summary.json").read_text())
    (scenario,) = summary["scenarios"]
    lines = {line["agent"]: line for line in scenario["agents"]}
    assert set(lines) == {
        "guard",
        "nearest",
        "own.py:BestLink[least=0.5]",
        "model.zip",
        str(trained),
    }
    setup = json.loads(Path("compared/run.json").read_text())["setups"][0]
    assert setup["origins"].keys() == lines.keys() - {"guard", "nearest"}
    assert all(
        any(len(digest) == 64 for digest in origin.values()) for origin in setup["origins"].values()
    )
    again = mec_moe(*compare, "--trust-zip")
    assert again.stderr.count("done before") == 5
    assert again.stdout == result.stdout
    for form in ("html", "latex"):
        assert mec_moe("report", "compared", "--format", form).exit_code == 0
    page = mec_moe("replay", *words[:4], "--agents", f"model.zip,{trained}", "--trust-zip")
    assert page.exit_code == 0, page.output
    other = ("evaluate", trained, "--agents", "guard,own.py:BestLink", "--seeds", 8)
    evaluated = mec_moe(*other, "--first-seed", 5)
    assert evaluated.exit_code == 0, evaluated.output
    assert "own.py:BestLink" in evaluated.stdout


def test_a_run_says_where_it_cannot_act(trained: Path) -> None:
    entry = find_agent(str(trained), CONFIG)
    assert entry.serves(CONFIG)
    assert not entry.serves(OffloadingConfig(num_servers=3))
    assert entry.training_runs == 1
    with pytest.raises(ValueError, match="was trained for observations of the shapes"):
        make_agent(str(trained), OffloadingEnv("toy"))


def test_a_run_in_a_scalar_environment_is_the_one_in_a_vector(trained: Path) -> None:
    env, state = OffloadingEnv(CONFIG), None
    agent = make_agent(str(trained), env)
    observation, _ = env.reset(seed=1)
    total = 0.0
    for step in range(CONFIG.horizon):
        action, state = agent.predict(observation, state, np.array([step == 0]))
        observation, reward, *_ = env.step(action)
        total += reward
    assert total == pytest.approx(evaluate(str(trained), CONFIG, [1]).metrics["return"][0])
