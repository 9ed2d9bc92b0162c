"""The learned layer importance: what was shipped, and how it is chosen and kept."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mec_moe_agents import agent_names, evaluate, make_agent
from mec_moe_agents.dmoe.learned import DIGITS_MOE, LearnedSchedule, Match, ScheduleFamily
from mec_moe_agents.training.importance import HAND_SET

from mec_moe_env import DMOE_PRESETS, DMoEEnv, DMoEVectorEnv

DIGITS = DMOE_PRESETS["digits-moe"]
SEEDS = range(100_000, 100_020)
SHIPPED = ScheduleFamily.load(DIGITS_MOE, DIGITS.num_layers)


def family(*rows: tuple[float, float, float]) -> ScheduleFamily:
    """Make schedules of joules, loss and accuracy; what a joule is measured by is 10 J."""
    return ScheduleFamily(
        tuple(
            LearnedSchedule((0.1 * position, 0.0, 0.0, 0.0), joules, joules / 10, loss, accuracy)
            for position, (joules, loss, accuracy) in enumerate(rows)
        )
    )


@pytest.mark.parametrize(("hand_set", "accuracy"), [(0.4, 0.9765), (0.7, 0.9865)])
def test_saves_at_no_less_accuracy(hand_set: float, accuracy: float) -> None:
    """On seeds that the search never met, though it has met their images: half the energy."""
    seeds = range(100_000, 100_100)
    jesa = evaluate("jesa", DIGITS, seeds, options={"importance": hand_set}).metrics
    ours = evaluate("learned", DIGITS, seeds, options={"accuracy": accuracy}).metrics
    assert ours["accuracy"].mean() > jesa["accuracy"].mean() - 0.005
    assert ours["energy_j"].mean() < 0.5 * jesa["energy_j"].mean()


def test_follows_the_reward() -> None:
    """By default the schedule of the best return; the weights of the scenario move it."""
    returns = {
        name: evaluate(name, DIGITS, SEEDS).metrics["return"] for name in ("jesa", "learned")
    }
    assert returns["learned"].mean() > returns["jesa"].mean()
    careful = DIGITS.override(energy_weight=0.1)
    spent = [
        evaluate("learned", one, SEEDS).metrics["energy_j"].mean() for one in (DIGITS, careful)
    ]
    assert spent[0] < spent[1]


def test_is_jesa_with_its_importance() -> None:
    chosen = SHIPPED.reaching(0.99)
    ours = evaluate("learned", DIGITS, SEEDS, options={"accuracy": 0.99}).metrics
    jesa = evaluate("jesa", DIGITS, SEEDS, options={"importance": chosen.importance}).metrics
    for key, values in jesa.items():
        np.testing.assert_array_equal(values, ours[key])


def test_batches_equal_rows() -> None:
    env = DMoEVectorEnv(3, DIGITS)
    agent = make_agent("learned", env, trade_off=0.05)
    observation, _ = env.reset(seed=0)
    batched, _ = agent.predict(observation)
    for row in range(3):
        single = {key: entry[row] for key, entry in observation.items()}
        np.testing.assert_array_equal(agent.predict(single)[0], batched[row])


def test_only_for_the_digits_model() -> None:
    assert "learned" in agent_names(DIGITS)
    assert "learned" in agent_names(DIGITS.override(num_subcarriers=40, tokens_per_source=2))
    assert "learned" not in agent_names(DMOE_PRESETS["paper"])
    with pytest.raises(ValueError, match="gates = 'digits', got 'random'"):
        make_agent("learned", DMoEEnv())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trade_off": -1.0}, "trade_off = -1.0"),
        ({"trade_off": float("nan")}, "trade_off = nan"),
        ({"accuracy": 1.5}, "accuracy = 1.5"),
        ({"accuracy": 1.0, "trade_off": 1.0}, "not both"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_agent("learned", DMoEEnv(DIGITS), **options)


def test_the_shipped_family_is_a_front() -> None:
    """By rising energy; each the least lossy or the most accurate so far."""
    joules = [each.joules for each in SHIPPED.schedules]
    assert joules == sorted(joules)
    for index, each in enumerate(SHIPPED.schedules[1:], start=1):
        cheaper = SHIPPED.schedules[:index]
        assert each.loss < min(other.loss for other in cheaper) or each.accuracy > max(
            other.accuracy for other in cheaper
        )
    assert len(SHIPPED.schedules) >= 20
    assert DIGITS_MOE.stat().st_size < 100_000
    content = json.loads(DIGITS_MOE.read_text())
    assert content["retrain"] == "mec-moe learn-importance"
    assert "share the 540 held-out images" in content["practice"]


def test_the_shipped_matches_lead_by_their_margin() -> None:
    assert [each.hand_set for each in SHIPPED.matches] == list(HAND_SET)
    known = {each.importance for each in SHIPPED.schedules}
    for match in SHIPPED.matches:
        assert match.importance in known
        assert match.gain >= match.margin > 0


def test_choices_by_hand() -> None:
    three = family((1.0, 3.0, 0.5), (2.0, 1.0, 0.9), (4.0, 0.5, 0.8))
    first, second, third = three.schedules
    assert three.best_for(0.4, 1.0) is first
    assert three.best_for(1.0, 1.0) is second
    assert three.best_for(1.0, 0.0) is third
    # Relative to ln 10 and to 10 J: 1.30 + 0.1, 0.43 + 0.2, 0.22 + 0.4; then 1.30 + 0.3, ….
    assert three.best_return(1.0, 1.0) is third
    assert three.best_return(1.0, 3.0) is second
    assert three.best_return(0.05, 1.0) is first
    assert three.reaching(0.0) is first
    assert three.reaching(0.7) is second
    with pytest.raises(ValueError, match="accuracy = 0.95"):
        three.reaching(0.95)
    with pytest.raises(ValueError, match="at least one"):
        ScheduleFamily(())


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "family.json"
    plain = family((1.0, 3.0, 0.5), (2.0, 1.0, 0.9))
    two = replace(plain, matches=(Match(0.3, plain.schedules[1].importance, 0.01, 0.004),))
    two.save(path, {"scenario": "digits-moe"})
    assert ScheduleFamily.load(path, 4) == two
    assert [each.name for each in tmp_path.iterdir()] == ["family.json"]
    agent = make_agent("learned", DMoEEnv(DIGITS), path=path, accuracy=0.8)
    observation, _ = DMoEEnv(DIGITS).reset(seed=0)
    jesa = make_agent("jesa", DMoEEnv(DIGITS), importance=[0.1, 0.0, 0.0, 0.0])
    np.testing.assert_array_equal(agent.predict(observation)[0], jesa.predict(observation)[0])


ENTRY: dict[str, Any] = {
    "importance": [0.1, 0, 0, 0],
    "joules": 1.0,
    "loss": 1.0,
    "spent": 0.1,
    "accuracy": 0.5,
}
MATCH: dict[str, Any] = {
    "importance": [0.1, 0, 0, 0],
    "hand_set": 0.5,
    "gain": 0.01,
    "margin": 0.005,
}


def written(schedules: Any, matches: Any) -> str:
    return json.dumps({"format": 3, "schedules": schedules, "matches": matches})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not a whole JSON file"),
        ('{"format": 3, "schedules": [', "not a whole JSON file"),
        ("[]", "format 3"),
        ('{"format": 1}', "format 3"),
        (written([], []), "at least one"),
        (written([3], []), "expected an object"),
        (written([ENTRY], None), "'matches' must be a list"),
        (written([ENTRY], [MATCH | {"importance": [0.1]}]), "expected 4 numbers"),
        (written([ENTRY], [MATCH | {"hand_set": 1.5}]), "'hand_set' is 1.5"),
        (written([ENTRY], [MATCH | {"margin": -0.1}]), "'margin' is -0.1"),
        (written([ENTRY | {"importance": [0.1, 0, 0]}], []), "expected 4 numbers"),
        (written([ENTRY | {"importance": [0.1, 0, 0, 2]}], []), "expected 4 numbers"),
        (written([ENTRY | {"importance": [0.1, 0, 0, "0"]}], []), "expected 4 numbers"),
        (written([ENTRY | {"importance": [0.1, 0, 0, float("nan")]}], []), "expected 4 numbers"),
        (written([ENTRY | {"joules": -1}], []), "'joules' is -1"),
        (written([ENTRY | {"loss": None}], []), "'loss' is None"),
        (written([ENTRY | {"accuracy": 1.1}], []), "'accuracy' is 1.1"),
    ],
)
def test_bad_files_are_refused(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "family.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=message) as error:
        make_agent("learned", DMoEEnv(DIGITS), path=path)
    assert str(path) in str(error.value)
    with pytest.raises(FileNotFoundError, match="nothing.json"):
        make_agent("learned", DMoEEnv(DIGITS), path=tmp_path / "nothing.json")
